"""What was found in whole recordings, beside what is there."""

from dataclasses import replace

import numpy as np
import pytest

from seqbench.storage.detections import (
    Candidates,
    Decoding,
    Detections,
    DetectionTuning,
    Pace,
)
from seqbench.storage.predictions import read_predictions, write_predictions

ROWS = [(0, 40.25, 0, 0.75), (0, 117.0, 1, 1 / 3), (1, 200.5, 0, 0.9)]
COLUMNS = ("place", "time", "type", "score", "found_at")
DECODING = Decoding(
    decoder="greedy",
    thresholds={
        "greedy": np.array([0.5, 0.25]),
        "threshold": np.array([1 / 3, np.nextafter(0, 1)]),
    },
)


def candidates(*rows: tuple[int, float, int, float]) -> Candidates:
    """Return candidates of rows (place, time, type, score)."""
    place, time, kind, score = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Candidates.at(
        np.array(time, dtype=np.float64),
        place=np.array(place, dtype=np.int64),
        type=np.array(kind, dtype=np.int64),
        score=np.array(score, dtype=np.float64),
    )


# Candidates.


def test_lists_are_joined_in_the_order_of_place_type_and_time():
    first = candidates((1, 5.0, 0, 0.1), (0, 9.0, 1, 0.2))
    second = candidates((0, 3.0, 1, 0.3), (0, 9.5, 0, 0.4), (1, 4.0, 0, 0.5))

    joined = Candidates.joined([first, candidates(), second])

    assert len(joined) == 5
    assert joined.place.tolist() == [0, 0, 0, 1, 1]
    assert joined.type.tolist() == [0, 1, 1, 0, 0]
    assert joined.time.tolist() == [9.5, 3.0, 9.0, 4.0, 5.0]
    assert joined.score.tolist() == [0.4, 0.3, 0.2, 0.5, 0.1]


@pytest.mark.parametrize("parts", [[], [candidates()], [candidates(), candidates()]])
def test_no_candidates_are_joined_to_none_of_the_right_kind(parts):
    joined = Candidates.joined(parts)

    assert len(joined) == 0
    dtypes = [getattr(joined, column).dtype for column in COLUMNS]
    assert dtypes == [np.int64, np.float64, np.int64, np.float64, np.float64]


# Decoding.


def test_a_decoding_survives_its_json(assert_same):
    read = Decoding.of(DetectionTuning.of_json(DECODING.tuning()))

    assert_same(read, DECODING)


def test_a_decoding_keeps_its_wait_and_the_intervals_of_its_onsets(assert_same):
    waiting = replace(DECODING, wait_ms=12.5)

    read = Decoding.of(DetectionTuning.of_json(waiting.tuning([[-1.5, 2.0], None])))

    bounds = np.array([[-1.5, 2.0], [np.nan, np.nan]])
    assert_same(read, replace(waiting, timing_bounds_ms=bounds))


# Detections.


def test_events_are_counted_from_the_start_of_their_recordings(make_event_windows):
    test = make_event_windows()["test"]
    timeline = test.timeline

    of = Detections.of(test, candidates(), DECODING, are_probabilities=False)

    assert len(of) == 2
    assert of.recording == ["r4", "r5"]
    assert of.group == ["g4", "g5"]
    assert of.known.tolist() == [[0, 300], [0, 250]]
    assert of.reference_place.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert of.reference_onset[:4].tolist() == timeline.onset[:4].tolist()
    assert of.reference_onset[4:].tolist() == (timeline.onset[4:] - 300).tolist()
    assert of.reference_type.tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert of.classes == ["type0", "type1"]
    assert (of.sampling_rate_hz, of.refractory_s, of.tolerance_ms) == (100.0, 0.25, 20.0)
    assert not of.are_probabilities


@pytest.mark.parametrize("rows", [[], ROWS])
def test_detections_survive_a_file(make_event_windows, rows, tmp_path, assert_same):
    test = make_event_windows()["test"]
    pace = Pace(hop_samples=10, first_centre=0.5, first_samples=31, n_together=2)
    found = replace(candidates(*rows), pace=pace) if rows else candidates()
    made = Detections.of(test, found, DECODING, are_probabilities=bool(rows))
    write_predictions(tmp_path / "predictions.h5", {"test": made})

    assert_same(read_predictions(tmp_path / "predictions.h5", "test"), made)
