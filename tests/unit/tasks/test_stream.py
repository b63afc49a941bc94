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
from fixtures.event_streams import (
    CAUSAL,
    DETECTOR,
    HOP,
    LAYOUT,
    N_CHANNELS,
    NORMALIZATION,
    PERIOD,
    THRESHOLDS,
    recording,
    score,
)
from seqbench.storage.detections import Decoding, Detections
from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.latency import longest_wait, output_samples
from seqbench.tasks.detection.refractory import DECODERS, select
from seqbench.tasks.detection.scoring import WindowScoring, find_candidates
from seqbench.tasks.detection.stitching import Layout
from seqbench.tasks.detection.stream import Detector, Event, EventStream, OnlineSelection

WAIT = 7.0


def stream(decoder: str = "optimal", detector: Detector = DETECTOR) -> EventStream:
    return EventStream(detector, OnlineSelection(THRESHOLDS, PERIOD, decoder, WAIT))


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
    candidates = find_candidates(detector.scoring, windows)
    found: list[list[Event]] = [[] for _ in signals]
    for i in select(candidates, THRESHOLDS, PERIOD, decoder, WAIT):
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


@given(pieces(), st.sampled_from(DECODERS), st.sampled_from([DETECTOR, CAUSAL]))
def test_pieces_of_any_size_give_the_events_of_the_file(parts, decoder, detector):
    how = {"decoder": decoder, "detector": detector}

    assert streamed(parts, **how) == from_file([np.concatenate(parts)], **how)[0]


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
@pytest.mark.parametrize("detector", [DETECTOR, CAUSAL], ids=["windows", "causal"])
def test_an_isolated_event_comes_within_the_longest_wait(decoder, detector):
    wait = []
    longest = longest_wait(detector.scoring.pace, decoder, PERIOD, WAIT)
    onsets = range(101, 101 + LAYOUT.step_samples, 3)
    for onset in onsets:
        whole = quiet(onset + int(longest) + 1)
        whole[onset] += 50
        one = stream(decoder, detector)
        assert one.push(whole[:onset]) == []
        for n, sample in enumerate(whole[onset:], start=1):
            if one.push(sample[None]):
                wait.append(n)
                break

    assert len(wait) == len(onsets)  # none had to wait for longer, or for the end
    # The bound says no more than it must: but for what a peak may lie behind its time.
    assert max(wait) >= longest - 2 * HOP


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("detector", [DETECTOR, CAUSAL], ids=["windows", "causal"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_scored_as_latency_is_when_the_events_come(decoder, detector, seed):
    whole = recording(700, seed)
    one, came = stream(decoder, detector), []
    for n, sample in enumerate(whole, start=1):
        came += [(event, n) for event in one.push(sample[None])]
    came += [(event, len(whole)) for event in one.finish()]
    windows = whole_recordings(
        [whole],
        NORMALIZATION,
        channels=["x", "y"],
        classes=["a", "b"],
        sampling_rate_hz=1000.0,
        refractory_s=PERIOD / 1000,
    )
    found = Detections.of(
        windows,
        find_candidates(detector.scoring, windows),
        Decoding(decoder=decoder, thresholds={decoder: THRESHOLDS}, wait_ms=WAIT),
        are_probabilities=True,
    )

    kept = select(found.candidates, THRESHOLDS, PERIOD, decoder, WAIT)
    given_at = output_samples(found, kept, decoder)

    times = found.candidates.time[kept]
    expected = sorted((event.time, event.type, n) for event, n in came)
    scored = zip(times, found.candidates.type[kept], given_at, strict=True)
    assert sorted((t, int(k), int(n)) for t, k, n in scored) == expected
    assert len(expected) > 5


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


@pytest.mark.parametrize("kind", ["windows", "causal"])
@pytest.mark.parametrize("decoder", ["optimal", "bounded"])
def test_memory_does_not_grow_with_the_length_of_a_stream(kind, decoder):
    windowed = replace(DETECTOR, scoring=WindowScoring(score, Layout(1024, HOP, 1.5)))
    detector = windowed if kind == "windows" else CAUSAL
    chunk = quiet(1 << 12)
    chunk[::500] += 50

    def peak_bytes(n_chunks: int) -> int:
        tracemalloc.start()
        one = stream(decoder, detector)
        n_events = sum(len(one.push(chunk)) for _ in range(n_chunks))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n_events > 10 * (n_chunks - 1)
        return peak

    peak_bytes(1)  # what is made once

    assert peak_bytes(32) < 1.1 * peak_bytes(4)
