"""Metrics of events with an end: by hand, by trying all pairings, and against sed_eval."""

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from fixtures.detections import made
from seqbench.config.registry import METRICS, TASKS
from seqbench.storage.detections import Detections
from seqbench.tasks.detection.end_metrics import PART_OF_DURATION, ends_per_type
from seqbench.tasks.scoring import score

NAN = math.nan
ENDS = [name for name in METRICS if METRICS.entry(name).tags.get("ends")]


def spans(references, candidates, **changes) -> Detections:
    """Detections of events and candidates (type, onset, end) or (type, onset, end, place)."""
    rows = [[(*row, 0)[:4] for row in some] for some in (references, candidates)]
    labelled, found = (np.array(some, dtype=np.float64).reshape(-1, 4) for some in rows)
    of = made(
        [(k, onset, place) for k, onset, _, place in labelled],
        [(k, onset, 0.75, place) for k, onset, _, place in found],
        **changes,
    )
    return replace(
        of,
        reference_duration=labelled[:, 2] - labelled[:, 1],
        candidates=replace(of.candidates, duration=found[:, 2] - found[:, 1]),
    )


def value(name: str, of: Detections, *settings: float) -> float:
    return float(METRICS[name](of, np.ones((1, len(of))), *settings)[0])


# By hand. A sample is 1 ms, the tolerance 5 ms unless stated.

EVENT = [(0, 100, 200)]


@pytest.mark.parametrize(
    ("found", "f1"),
    [
        ([(0, 105, 195)], 1),
        ([(0, 106, 200)], 0),  # the onset is too late
        ([(0, 100, 220)], 1),  # a fifth of 100 ms
        ([(0, 100, 221)], 0),
        ([(0, 100, 180)], 1),
        ([(0, 100, 179)], 0),
        ([(1, 100, 200)], 0),  # another type
        ([(0, 100, NAN)], 0),  # no end
        ([(0, 100, 200), (0, 102, 200)], 2 / 3),  # each has one partner
        ([(0, 104.4, 220.4)], 1),  # in whole samples
    ],
)
def test_onset_and_end_must_be_near(found, f1):
    assert value("event_f1_at", spans(EVENT, found), 5.0) == pytest.approx(f1)


def test_a_short_event_has_the_tolerance_of_its_onset():
    short = [(0, 100, 110)]
    assert value("event_f1_at", spans(short, [(0, 100, 115)]), 5.0) == 1
    assert value("event_f1_at", spans(short, [(0, 100, 116)]), 5.0) == 0


def test_an_event_without_a_known_end_is_compared_by_its_onset():
    of = spans([(0, 100, NAN), (0, 300, 340)], [(0, 103, 150), (0, 300, 342)])

    assert value("event_f1_at", of, 5.0) == 1
    assert value("end_mae_ms", of) == 2  # of the other alone


def test_as_many_pairs_as_possible_are_made():
    # The first detection is nearest to the first event, but only it ends as the second does.
    of = spans([(0, 100, 200), (0, 104, 400)], [(0, 101, 400), (0, 105, 200)])

    assert value("event_f1_at", of, 5.0) == 1


def test_macro_is_the_mean_over_types():
    of = spans([(0, 100, 200), (1, 100, 200), (1, 500, 600)], [(0, 100, 200), (1, 100, 200)])

    assert value("macro_event_f1_at", of, 5.0) == pytest.approx((1 + 2 / 3) / 2)
    assert value("event_f1_at", of, 5.0) == pytest.approx(4 / 5)
    ranked = replace(of, ranked_types=of.classes[1:2])
    assert value("macro_event_f1_at", ranked, 5.0) == pytest.approx(2 / 3)


def test_errors_of_ends_by_type():
    of = spans(
        [(0, 100, 200), (0, 300, 400), (1, 500, 600)],
        [(0, 102, 210), (0, 300, 394), (1, 800, 900)],
    )

    assert value("end_mae_ms", of) == 8
    assert value("end_bias_ms", of) == 2
    first, second = ends_per_type(of)
    assert first == {
        "event_f1": 1.0, "end_mae_ms": 8.0, "end_bias_ms": 2.0, "end_sd_ms": 8.0,
        "onset_sd_ms": 1.0,
    }  # fmt: skip
    assert second == dict.fromkeys(first) | {"event_f1": 0.0}


def test_scores_of_ends_are_those_of_tasks_that_predict_them():
    of = spans(EVENT, EVENT)
    without = replace(of, reference_duration=None)
    task = TASKS["detection"]()

    def families(of: Detections) -> set[str]:
        return {name.rsplit("_at_")[0] for name in score(task, of, resamples=0)}

    assert families(of) - families(without) == {name.removesuffix("_at") for name in ENDS}


# Against all pairings, and against others.


def random_spans(seed: int, *, n_types: int = 3, n_recordings: int = 3, most: int = 30):
    """Crowded events with ends, most of them found; of the dyadic rate that floats hold."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(1, most))
    onset = generator.integers(0, 500, n)
    events = np.stack(
        [
            generator.integers(0, n_types, n),
            onset,
            onset + generator.integers(2, 120, n),
            generator.integers(0, n_recordings, n),
        ],
        axis=1,
    )
    found = events[generator.random(n) < 0.9].copy()
    found[:, 1] += np.rint(generator.normal(0, 6, len(found))).astype(int)
    found[:, 2] += np.rint(generator.normal(0, 12, len(found))).astype(int)
    found[:, 1] = np.maximum(found[:, 1], 0)
    found[:, 2] = np.maximum(found[:, 2], found[:, 1] + 1)
    return spans(
        events,
        found,
        n_recordings=n_recordings,
        classes=["a", "b", "c"][:n_types],
        sampling_rate_hz=1024.0,
    )


def most_pairs(near: np.ndarray) -> int:
    """Most pairs of a matrix of which may be paired, by trying all."""
    wide = near if near.shape[0] <= near.shape[1] else near.T
    rows = range(len(wide))
    return max(sum(wide[i, j] for i, j in zip(rows, chosen, strict=True))
               for chosen in permutations(range(wide.shape[1]), len(wide)))  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_no_pairing_has_more_hits(seed):
    of = random_spans(seed, n_types=1, n_recordings=1, most=8)
    onset, end = of.reference_onset, of.reference_onset + of.reference_duration
    time, last = of.candidates.time, of.candidates.time + of.candidates.duration
    reach = np.maximum(10, np.floor(PART_OF_DURATION * (end - onset)))
    near = np.abs(onset[:, None] - time) <= 10
    near &= np.abs(end[:, None] - last) <= reach[:, None]

    f1 = value("event_f1_at", of, 10 / 1.024)

    hits = most_pairs(near) if near.size else 0
    assert f1 == pytest.approx(2 * hits / (len(onset) + len(time)))


@pytest.mark.parametrize("seed", range(40))
def test_scores_are_those_of_sed_eval(seed):
    sed_eval = pytest.importorskip("sed_eval", reason="sed_eval is not installed")
    of = random_spans(seed)
    n_tolerance = 1 + seed % 12
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=of.classes,
        t_collar=n_tolerance / 1024,
        percentage_of_length=PART_OF_DURATION,
        event_matching_type="optimal",
    )
    found = of.candidates
    for place in range(len(of)):
        reference, estimated = (
            [
                {
                    "event_label": of.classes[kind],
                    "onset": onset / 1024,
                    "offset": (onset + duration) / 1024,
                    "filename": str(place),
                }
                for at, kind, onset, duration in zip(*columns, strict=True)
                if at == place
            ]
            for columns in (
                (
                    of.reference_place,
                    of.reference_type,
                    of.reference_onset,
                    of.reference_duration,
                ),
                (found.place, found.type, found.time, found.duration),
            )
        )
        metrics.evaluate(reference, estimated)

    tolerance_ms = n_tolerance / 1.024
    overall = metrics.results_overall_metrics()["f_measure"]["f_measure"]
    # Without any prediction sed_eval has no value.
    assert value("event_f1_at", of, tolerance_ms) == pytest.approx(np.nan_to_num(overall))
    of_types = metrics.results_class_wise_metrics()
    by_type = ends_per_type(replace(of, tolerance_ms=tolerance_ms))
    for name, row in zip(of.classes, by_type, strict=True):
        expected = of_types[name]["f_measure"]["f_measure"]
        n_both = of_types[name]["count"]["Nref"] + of_types[name]["count"]["Nsys"]
        assert row["event_f1"] == (pytest.approx(np.nan_to_num(expected)) if n_both else None)
