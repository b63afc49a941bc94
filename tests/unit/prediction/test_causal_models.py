"""A causal detector in use: a stream gives the events of the file, and keeps its promise."""

import io
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

import seqbench
from seqbench.cli.main import main
from seqbench.datasets.reading.stream import RawLayout
from seqbench.errors import UserError
from seqbench.prediction.event_finder import EventFinder, predict_stream
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.normalization import NormalizationRecord
from seqbench.storage.records import RunIdentity
from seqbench.tasks.detection.refractory import DECODERS
from seqbench.training.model import build_model
from seqbench.training.state import state_arrays

RATE_HZ, LOOK_AHEAD_MS, WAIT_MS, PERIOD_S = 1000.0, 35, 15, 0.2
N_SAMPLES = 40_003  # more than is read at a time, and no whole number of frames


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a causal model of random weights that finds plenty."""

    def written(decoder: str = "bounded", mode: str = "zscore", *, durations: bool = False):
        ends = {"typical_samples": [60.0, None]} if durations else {}
        header = ModelHeader(
            run=RunIdentity(
                dataset="d", architecture="event_rnn", arm="scratch", labels=1.0, seed=0
            ),
            task="detection",
            task_options={"durations": durations},
            duration_samples=(60.0, None),
            architecture="event_rnn",
            architecture_options={
                "widths": [4, 6], "kernel_sizes": [9, 7], "strides": [2, 5], "hidden_size": 5,
                "detrend_samples": 30, "bidirectional": False, "look_ahead_ms": LOOK_AHEAD_MS,
            },
            channels=("x", "y"),
            classes=("a", "b"),
            sampling_rate_hz=RATE_HZ,
            refractory_s=PERIOD_S,
            tolerance_ms=5.0,
            window_samples=200,
            normalization=NormalizationRecord(mode=mode, centre=(1.0, 0.0), scale=(2.0, 1.0)),
            tuned={
                "decoder": decoder,
                "thresholds": {name: [0.6, 0.55] for name in DECODERS},
                "wait_ms": WAIT_MS,
                "timing_bounds_ms": [None, None],
            }
            | ends,
        )  # fmt: skip
        torch.manual_seed(1)
        model = build_model(header)
        with torch.no_grad():
            model.head.output.weight.mul_(25)
            model.head.output.bias.zero_()
            if durations:
                model.head.duration.weight.normal_()
        path = tmp_path_factory.mktemp("causal") / "model.safetensors"
        write_model(path, StoredModel(state_arrays(model), header))
        return path

    return written


@pytest.fixture(scope="module")
def signal():
    return np.random.default_rng(0).normal(size=(N_SAMPLES, 2)).astype(np.float32)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("most", [700, 200_000])
def test_a_stream_gives_the_events_of_the_file(write, signal, decoder, most):
    model = write(decoder)
    rng, cuts = np.random.default_rng(most), [0]
    while cuts[-1] < N_SAMPLES:
        cuts.append(cuts[-1] + int(rng.integers(1, most)))

    streamed = list(EventFinder(model).events([signal[i:j] for i, j in pairwise(cuts)]))

    expected = seqbench.predict(model, signal)
    found = pd.DataFrame(streamed).sort_values(["onset_s", "label"], ignore_index=True)
    assert len(expected) > 100
    assert found.label.tolist() == expected.label.tolist()
    np.testing.assert_allclose(found.onset_s, expected.onset_s, atol=1e-5)
    np.testing.assert_allclose(found.score, expected.score, atol=1e-4)


def test_a_stream_gives_the_ends_of_the_file(write, signal):
    model = write(durations=True)

    streamed = list(EventFinder(model).events(np.array_split(signal, 300)))

    expected = seqbench.predict(model, signal)
    found = pd.DataFrame(streamed).sort_values(["onset_s", "label"], ignore_index=True)
    assert expected.columns.tolist()[1:3] == ["onset_s", "offset_s"]
    end_s = N_SAMPLES / RATE_HZ  # no event of a file lasts longer
    np.testing.assert_allclose(found.offset_s.clip(upper=end_s), expected.offset_s, atol=1e-4)
    has_end = expected.label == "a"  # of the other type no end was known
    assert (has_end == expected.offset_s.notna()).all()
    lasting = (expected.offset_s - expected.onset_s)[has_end]
    assert lasting.min() > 0
    assert lasting.std() > 0.001
    without = seqbench.predict(write(), signal)
    pd.testing.assert_frame_equal(expected.drop(columns="offset_s"), without)


@pytest.mark.parametrize("how", ["csv", "json", "parquet", "stream"])
def test_tables_have_a_column_of_ends(write, signal, tmp_path, how, capsys):
    model, recording, out = write(durations=True), tmp_path / "walk.npy", tmp_path / f"out.{how}"
    expected = seqbench.predict(model, signal[:5000])
    arguments = ["predict", "--model", str(model), "--recording", str(recording)]
    if how == "stream":
        recording.write_bytes(signal[:5000].tobytes())
        arguments += ["--stream", "--kind", "raw", "--idle-s", "0.1"]
        arguments += ["--out", str(out), "--format", "csv"]
    else:
        np.save(recording, signal[:5000])
        arguments += ["--out", str(out)]

    main(arguments)

    read = {"json": pd.read_json, "parquet": pd.read_parquet}.get(how, pd.read_csv)
    found = read(out).sort_values(["onset_s", "label"], ignore_index=True)
    assert found.columns.tolist() == expected.columns.tolist()
    np.testing.assert_allclose(
        found.offset_s.astype(float).clip(upper=5.0), expected.offset_s, atol=1e-4
    )


def test_events_of_a_stream_keep_the_promise(write, signal):
    finder, promised = EventFinder(write()), (LOOK_AHEAD_MS + WAIT_MS + 34 + 1) / 1000
    n_before, waits = 0, []

    def samples():
        nonlocal n_before
        for sample in signal[:4000]:
            n_before += 1
            yield sample[None]

    for event in finder.events(samples()):
        waits.append(n_before / RATE_HZ - event.onset_s)

    assert not finder.waits_for_the_period
    assert finder.latency_s == pytest.approx(promised)
    assert len(waits) > 10
    assert 0.9 * promised < max(waits) <= promised


def test_raw_samples_are_read_as_they_come(write, signal):
    data = io.BytesIO(signal[:5000].tobytes())

    streamed = list(predict_stream(EventFinder(write()), data, raw=RawLayout()))

    assert len(streamed) > 10
    assert len(streamed) == len(seqbench.predict(write(), signal[:5000]))


def test_windows_that_are_scaled_one_by_one_are_refused(write, signal):
    with pytest.raises(UserError, match=r"per_window needs whole windows.*that is not causal"):
        list(EventFinder(write(mode="per_window")).events([signal]))


def test_the_command_prints_its_promise_in_ms(write, signal, tmp_path, capsys):
    recording = tmp_path / "walk.raw"
    recording.write_bytes(signal[:5000].tobytes())

    main(["predict", "--model", str(write()), "--recording", str(recording), "--stream",
          "--kind", "raw", "--idle-s", "0.1"])  # fmt: skip

    assert "events follow at most 85 ms after every onset" in capsys.readouterr().err
