"""Recordings that come in pieces: the events of the file, once certain, in little memory."""

import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fixtures.detections import whole_recordings
from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.peaks import find_candidates
from seqbench.tasks.detection.refractory import DECODERS, select
from seqbench.tasks.detection.stitching import Layout
from seqbench.tasks.detection.stream import Detector, Event, EventStream, OnlineSelection

HOP, WINDOW, N_CHANNELS, PERIOD = 4, 64, 2, 30.0
THRESHOLDS = np.array([0.4, 0.5])
LAYOUT = Layout(WINDOW, HOP, 1.5)
NORMALIZATION = Normalization("zscore", np.array([5.0, -3.0]), np.array([2.0, 0.5]))


def score(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Presence from the largest swing in a frame, by channel, and its place as the time.

    Less where a window has just begun, so that it matters how windows are joined.
    """
    n_windows, n_samples, n_channels = x.shape
    n_frames = -(-n_samples // HOP)
    padded = np.zeros((n_windows, n_frames * HOP, n_channels), dtype=np.float32)
    padded[:, :n_samples] = np.abs(x)
    frames = padded.reshape(n_windows, n_frames, HOP, n_channels)
    blind = np.minimum(1, (np.arange(n_frames, dtype=np.float32) + 2) / 4)
    presence = np.tanh(frames.max(axis=2) / 4) * blind[:, None]
    return np.stack([presence, frames.argmax(axis=2) - LAYOUT.first_centre], axis=2).astype(
        np.float32
    )


DETECTOR = Detector(score, LAYOUT, NORMALIZATION, N_CHANNELS)


def recording(n_samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Noise with a heavy tail, in units of its own."""
    noise = np.random.default_rng(seed).standard_t(3, size=(n_samples, N_CHANNELS))
    return (noise * NORMALIZATION.scale + NORMALIZATION.centre).astype(np.float32)


def stream(decoder: str = "optimal", detector: Detector = DETECTOR) -> EventStream:
    return EventStream(detector, OnlineSelection(THRESHOLDS, PERIOD, decoder))


def streamed(chunks: list[NDArray[np.float32]], **how) -> list[Event]:
    one = stream(**how)
    return sorted([*(event for chunk in chunks for event in one.push(chunk)), *one.finish()])


def from_file(
    signals: list[NDArray[np.float32]], decoder: str = "optimal", detector: Detector = DETECTOR
) -> list[list[Event]]:
    """The events of each recording, found in one go."""
    windows = whole_recordings(
        signals,
        detector.normalization,
        channels=["x", "y"],
        classes=["a", "b"],
        sampling_rate_hz=100.0,
        refractory_s=PERIOD / 100,
    )
    candidates = find_candidates(score, windows, LAYOUT)
    found: list[list[Event]] = [[] for _ in signals]
    for i in select(candidates, THRESHOLDS, PERIOD, decoder):
        event = Event(*(float(c[i]) for c in (candidates.time, candidates.type, candidates.score)))
        found[int(candidates.place[i])].append(event._replace(type=int(event.type)))
    return [sorted(events) for events in found]


@st.composite
def pieces(draw: st.DrawFn) -> list[NDArray[np.float32]]:
    """A recording in pieces, empty ones among them."""
    whole = recording(draw(st.integers(1, 400)), draw(st.integers(0, 5)))
    cuts = draw(st.lists(st.integers(0, len(whole)), max_size=12).map(sorted))
    return np.split(whole, cuts)


# As in the file.


@given(pieces(), st.sampled_from(DECODERS))
def test_pieces_of_any_size_give_the_events_of_the_file(parts, decoder):
    assert streamed(parts, decoder=decoder) == from_file([np.concatenate(parts)], decoder)[0]


@pytest.mark.parametrize("mode", ["per_window", "none", "robust"])
def test_every_normalization_is_that_of_the_file(mode):
    fitted = Normalization(mode, np.zeros(2), np.ones(2)) if mode != "robust" else NORMALIZATION
    detector = replace(DETECTOR, normalization=replace(fitted, mode=mode))
    whole = recording(700)

    (events,) = from_file([whole], detector=detector)

    assert len(events) > 5
    assert streamed(np.array_split(whole, 9), detector=detector) == events


def test_recordings_of_a_split_do_not_mix():
    lengths = (300, 64, 1, 63, 300, 65, 700)
    signals = [recording(n, seed) for seed, n in enumerate(lengths)]

    together = from_file(signals)

    assert together == [from_file([signal])[0] for signal in signals]


def test_a_stream_without_samples_has_no_events():
    assert stream().finish() == []
    assert streamed([np.zeros((0, N_CHANNELS), np.float32)]) == []


# When they are certain.


def quiet(n_samples: int) -> NDArray[np.float32]:
    return np.tile(NORMALIZATION.centre, (n_samples, 1)).astype(np.float32)


@pytest.mark.parametrize("decoder", DECODERS)
def test_an_isolated_event_comes_within_a_window_five_frames_and_the_period(decoder):
    wait = []
    onsets = range(101, 101 + LAYOUT.step_samples, 3)
    for onset in onsets:
        period = 0 if decoder == "threshold" else int(PERIOD)
        whole = quiet(onset + WINDOW + 5 * HOP + period + 1)
        whole[onset] += 50
        one = stream(decoder)
        assert one.push(whole[:onset]) == []
        for n, sample in enumerate(whole[onset:]):
            if one.push(sample[None]):
                wait.append(n)
                break

    assert len(wait) == len(onsets)  # none had to wait for longer, or for the end
    assert max(wait) >= WINDOW  # the bound says no more than it must


def test_events_are_never_taken_back_and_come_in_order_once_certain():
    whole = recording(2000)
    one = stream()

    parts = [one.push(chunk) for chunk in np.array_split(whole, 50)]
    parts.append(one.finish())

    assert sum(map(bool, parts)) > 10  # they do not all wait for the end
    for events in parts:
        assert events == sorted(events)
    for kind in range(N_CHANNELS):
        times = [event.time for events in parts for event in events if event.type == kind]
        assert all(later - earlier >= PERIOD for earlier, later in pairwise(times))


# Memory.


def test_memory_does_not_grow_with_the_length_of_a_stream():
    detector = replace(DETECTOR, layout=Layout(1024, HOP, 1.5))
    chunk = quiet(1 << 12)
    chunk[::500] += 50

    def peak_bytes(n_chunks: int) -> int:
        tracemalloc.start()
        one = stream(detector=detector)
        n_events = sum(len(one.push(chunk)) for _ in range(n_chunks))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n_events > 10 * (n_chunks - 1)
        return peak

    peak_bytes(1)  # what is made once

    assert peak_bytes(32) < 1.1 * peak_bytes(4)
