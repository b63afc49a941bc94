"""Every architecture, on every task: its ONNX file predicts recordings as the model does."""

import numpy as np
import pytest

from fixtures.networks import CASES, WINDOW, drawn_recordings, network_header, stored_network
from seqbench.exporting.onnx import export_onnx
from seqbench.prediction.predictor import Predictor

FIXED = ("conv_lstm", "dlinear", "nlinear")  # a loop over frames, or a map in time, has one length
SHORT = 6
ANY_LENGTH = (WINDOW, WINDOW + 9, 41, 2 * WINDOW + 3)


def agree(found, expected, task):
    """Check that two predictions are the same but for rounding."""
    if task == "detection":
        assert [event.label for event in found.events] == [e.label for e in expected.events]
        for one, other in zip(found.events, expected.events, strict=True):
            assert one.onset_s == pytest.approx(other.onset_s, abs=1e-5)
            assert one.score == pytest.approx(other.score, abs=1e-5)
            assert one.offset_s == pytest.approx(other.offset_s, abs=1e-4)
        assert len(expected.events) > 3
        return
    arrays = expected.arrays()
    assert found.arrays().keys() == arrays.keys()
    for name, values in arrays.items():
        if values.dtype.kind == "f":
            # Values are of a deviation of 200.
            np.testing.assert_allclose(found.arrays()[name], values, atol=1e-3, rtol=1e-5)
        else:
            np.testing.assert_array_equal(found.arrays()[name], values)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_an_exported_model_predicts_as_the_trained_one(case, tmp_path):
    architecture, sample, task = case
    is_fixed = architecture in FIXED
    changes = {"window_samples": SHORT} if is_fixed else {}
    header = network_header(architecture, sample, task, **changes)
    model = stored_network(tmp_path / "model.safetensors", header)

    made = export_onnx(model, tmp_path / "model.onnx")

    assert made.difference < 1e-4
    assert made.graph.window_samples == (SHORT if is_fixed else None)
    lengths = (SHORT,) * 3 if is_fixed else ANY_LENGTH
    if task == "forecasting":  # windows of one length behind which values are predicted
        lengths = [length for length in lengths if length >= header.window_samples]
    recordings = drawn_recordings(header, *lengths)
    found, expected = (
        Predictor([path], "cpu", 1).predict(recordings) for path in (made.path, model)
    )
    agree(found, expected, task)


@pytest.mark.parametrize("architecture", [case[0] for case in CASES if case[2] == "detection"])
def test_an_exported_model_predicts_ends_as_the_trained_one(architecture, tmp_path):
    header = network_header(architecture, "series", "detection", durations=True)
    model = stored_network(tmp_path / "model.safetensors", header)

    made = export_onnx(model, tmp_path / "model.onnx")

    assert made.difference < 1e-4
    assert made.graph.n_values == 3
    recordings = drawn_recordings(header, *ANY_LENGTH)
    found, expected = (
        Predictor([path], "cpu", 1).predict(recordings) for path in (made.path, model)
    )
    agree(found, expected, "detection")
    has_end = {event.label: event.offset_s is not None for event in expected.events}
    assert has_end == {name: name != "c" for name in has_end}
    assert any(has_end.values())


@pytest.mark.parametrize("sample", ["series", "video"])
@pytest.mark.parametrize("mode", ["per_window", "per_recording", "robust", "none"])
def test_every_normalisation_is_in_the_file_or_made_before(mode, sample, tmp_path):
    architecture = "lstm" if sample == "series" else "cnn2d"
    header = network_header(architecture, sample, "labelling", mode=mode)
    if mode not in ("robust",):
        neutral = header.normalization.model_copy(
            update={"centre": (0.0,) * len(header.channels), "scale": (1.0,) * len(header.channels)}
        )
        header = header.model_copy(update={"normalization": neutral})
    model = stored_network(tmp_path / "model.safetensors", header)

    made = export_onnx(model, tmp_path / "model.onnx")

    recordings = [one * 7 + 3 for one in drawn_recordings(header, WINDOW, 41)]
    found, expected = (
        Predictor([path], "cpu", 1).predict(recordings) for path in (made.path, model)
    )
    agree(found, expected, "labelling")


def test_a_window_that_is_padded_with_zeros_is_padded_with_the_mean(tmp_path):
    header = network_header("gru", "series", "classification")
    cutting = header.cutting.model_copy(update={"pad_to_samples": 90, "pad_with": "zero"})
    header = header.model_copy(update={"cutting": cutting, "window_samples": 90})
    model = stored_network(tmp_path / "model.safetensors", header)
    made = export_onnx(model, tmp_path / "model.onnx")
    recordings = drawn_recordings(header, WINDOW, 41)

    found, expected = (
        Predictor([path], "cpu", 1).predict(recordings) for path in (made.path, model)
    )

    agree(found, expected, "classification")
