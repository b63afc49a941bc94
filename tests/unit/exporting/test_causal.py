"""A causal detector as a step with a state: pieces of any size give the frames of its stream."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import seqbench
from fixtures.networks import drawn_recordings, network_header, stored_network
from seqbench.errors import UserError
from seqbench.exporting.onnx import export_onnx
from seqbench.exporting.source import Source
from seqbench.prediction.event_finder import EventFinder
from seqbench.prediction.onnx_model import OnnxNetwork, scoring
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import read_as, write_model
from seqbench.storage.onnx_model import StreamRecord, read_onnx

# At 100 Hz: a look-ahead of 10 ms is one sample.
CASES = {
    "the convolutions lag": {"look_ahead_ms": 10},
    "they begin with zeros": {"look_ahead_ms": 0, "kernel_sizes": (3, 9), "strides": (1, 9)},
    "they see a sample and skip others": {"kernel_sizes": (1, 1), "strides": (2, 5)},
    "the mean looks ahead": {"look_ahead_ms": 120, "strides": (1, 8)},
    "no mean is taken": {"look_ahead_ms": 200, "strides": (1, 8), "detrend_samples": 0},
    "the recurrence looks ahead": {"look_ahead_ms": 400, "strides": (1, 8), "n_layers": 2},
    "frames are joined": {"look_ahead_ms": 300, "strides": (1, 3), "cell": "gru"},
    "many frames are joined": {"look_ahead_ms": 150, "strides": (1, 1), "cell": "gru"},
    "events are subtracted": {"of": "event_pursuit", "look_ahead_ms": 330},
    "events lie between samples": {"of": "event_pursuit", "look_ahead_ms": 90, "between": True},
}
WIDE = {"widths": (4, 6), "kernel_sizes": (5, 3), "detrend_samples": 20, "hidden_size": 5}
HOP, N_STATE = 10, 100


def causal_header(of="event_rnn", **options):
    defaults = {"event_rnn": WIDE | {"bidirectional": False}, "event_pursuit": {"causal": True}}
    options = defaults[of] | options
    return network_header(of, "series", "detection", options=options, window_samples=120)


def stored(path, seed, *, between=False, **options):
    model = stored_network(path, causal_header(**options), seed=seed)
    if between:
        read = read_as(model, ModelHeader)
        read.arrays["encoder.pursuit.between"] = np.array(True)
        write_model(model, read)
    return model


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("causal")
    return {
        name: Source.read(stored(folder / f"{i}.safetensors", i, **options))
        for i, (name, options) in enumerate(CASES.items())
    }


def cut(n_samples, cuts):
    return pairwise([0, *(one for one in cuts if one < n_samples), n_samples])


@torch.no_grad()
def streamed(source, signal):
    """Return the frames (F, 2, K) of the stream of a model as it was trained."""
    trained = source.parity.trained
    state = trained.model.encoder.stream()
    x = trained.normalized(torch.from_numpy(signal)[None])
    frames = torch.cat([state.push(x), state.finish()], dim=1)
    return trained.head.scores(trained.head(frames))[0].numpy()


class Torch:
    """The step before it is converted, in the place of a file."""

    def __init__(self, source):
        self.header, self.graph = source.header, source.graph
        self._causal = source.causal

    @torch.no_grad()
    def step(self, *given):
        return tuple(one.numpy() for one in self._causal(*map(torch.from_numpy, given)))


def of_pieces(network, signal, cuts):
    stream = scoring(network).stream()
    pieces = [one for i, j in cut(len(signal), cuts) for one in stream.push(signal[i:j])]
    return np.concatenate([*pieces, *stream.finish()])


@settings(deadline=None)
@given(
    st.sampled_from(sorted(CASES)),
    st.lists(st.integers(0, 400), max_size=8).map(sorted),
    st.integers(1, 400),
)
def test_pieces_of_any_size_give_the_frames_of_the_stream(sources, name, cuts, n_samples):
    source = sources[name]
    (signal,) = drawn_recordings(source.header, n_samples)

    found, expected = of_pieces(Torch(source), signal, cuts), streamed(source, signal)

    hop = source.graph.stream.hop_samples
    assert found.shape == expected.shape
    np.testing.assert_allclose(found[:, 0], expected[:, 0], atol=1e-5)
    np.testing.assert_allclose(found[:, 1] / hop, expected[:, 1] / hop, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["they begin with zeros", "the recurrence looks ahead", *list(CASES)[-2:]]
)
def test_a_file_gives_the_frames_of_the_stream(sources, name, tmp_path):
    source = sources[name]

    made = export_onnx(source.path, tmp_path / "model.onnx")

    assert made.graph.stream == source.causal.record
    # What a pursuit subtracts carries rounding on.
    bound = 1e-4 if CASES[name].get("of") == "event_pursuit" else 1e-5
    assert made.graph.parity == made.difference < bound
    network = OnnxNetwork(read_onnx(made.path), made.path)
    for n_samples in (1, 33, 2000):
        (signal,) = drawn_recordings(source.header, n_samples)
        found = of_pieces(network, signal, [5, 6, 400, 901])
        np.testing.assert_allclose(found, streamed(source, signal), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{"look_ahead_ms": 400, "strides": (1, 8)}, {"of": "event_pursuit", "look_ahead_ms": 330}],
)
def test_events_and_their_latency_are_those_of_the_model(options, tmp_path):
    model = stored_network(tmp_path / "model.safetensors", causal_header(**options))
    made = export_onnx(model, tmp_path / "model.onnx")
    (signal,) = drawn_recordings(causal_header(), 3001)

    expected = seqbench.load(model, "cpu").predict(signal).events
    found = seqbench.load(made.path).predict(signal).events
    pieces = [signal[i:j] for i, j in cut(len(signal), range(7, 3000, 13))]
    streaming = sorted(EventFinder(made.path).events(pieces), key=lambda one: one.onset_s)

    assert len(expected) > 20
    for others in (found, streaming):
        assert [one.label for one in others] == [one.label for one in expected]
        for one, same in zip(others, expected, strict=True):
            assert one.onset_s == pytest.approx(same.onset_s, abs=1e-5)
            assert one.score == pytest.approx(same.score, abs=1e-5)
    assert EventFinder(made.path).latency_s == EventFinder(model, "cpu").latency_s


def test_a_call_past_the_first_frame_of_the_recurrence_gives_no_numbers(sources):
    causal = sources["the mean looks ahead"].causal
    assert causal.n_warm_up > 0
    samples, inside = causal.example(causal.n_warm_up + 1)

    with torch.no_grad():
        scores, _ = causal(samples, inside, torch.zeros(1, causal.n_state))

    assert scores.isnan().all()


def test_windows_that_are_scaled_one_by_one_are_refused(tmp_path):
    header = causal_header()
    neutral = header.normalization.model_copy(
        update={"mode": "per_window", "centre": (0.0,) * 3, "scale": (1.0,) * 3}
    )
    header = header.model_copy(update={"normalization": neutral})
    model = stored_network(tmp_path / "model.safetensors", header)

    with pytest.raises(UserError, match="per_window needs whole windows"):
        export_onnx(model, tmp_path / "model.onnx")


def test_a_causal_model_of_windows_is_exported_as_any_other(tmp_path):
    header = network_header(
        "event_rnn", "series", "classification", options={"bidirectional": False}
    )
    model = stored_network(tmp_path / "model.safetensors", header)

    made = export_onnx(model, tmp_path / "model.onnx")

    assert made.graph.stream is None
    assert made.difference < 1e-4


@pytest.mark.parametrize(
    "changes",
    [
        {"n_before": HOP},
        {"n_together": 2},
        {"n_warm_up": 4},
        {"delay_frames": 1 << 20, "hop_samples": 1 << 20},
        {"n_state": 1 << 30},
    ],
)
def test_records_of_streams_have_bounds(changes):
    values = {
        "hop_samples": HOP, "first_centre": 0.0, "n_before": 9, "n_warm_up": 3, "delay_frames": 3,
        "n_state": N_STATE,
    }  # fmt: skip
    StreamRecord(**values)
    with pytest.raises(ValueError, match=r"stream|n_state"):
        StreamRecord(**values | changes)
