"""Metrics of detection by hand, against others, and under resampling. 1 ms is one sample."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fixtures.detections import made
from seqbench.config.registry import METRICS, TASKS
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.reporting.scores.metrics import columns
from seqbench.storage.detections import Candidates, Decoding, Detections, Pace
from seqbench.tasks.detection.comparison import decoded, errors_ms
from seqbench.tasks.detection.metrics import reliability
from seqbench.tasks.detection.per_type import per_type
from seqbench.tasks.metric_names import expand, family_of
from seqbench.tasks.scoring import score

FAMILIES = [name for name in METRICS if "detection" in METRICS.entry(name).tags["tasks"]]
NAMES = [name for family in FAMILIES for name in expand(family)]


def values(name: str, of: Detections, weights) -> np.ndarray:
    family, tolerance_ms = family_of(name)
    rows = np.asarray(weights, dtype=np.float64)
    found = METRICS[family](of, rows, *(() if tolerance_ms is None else (tolerance_ms,)))
    assert found.shape == (len(rows),)
    return found


def value(name: str, of: Detections) -> float:
    return float(values(name, of, np.ones((1, len(of))))[0])


# By hand: of four events and four detections, two match at 5 ms and three at 10 ms.

REFERENCES = [(0, 100), (0, 200), (0, 300), (1, 150)]
PLAIN = made(REFERENCES, [(0, 102), (0, 205), (0, 306), (0, 400)])


NAN = float("nan")
FOUND = ("f1", "macro_f1", "precision", "recall")
PACE = Pace(hop_samples=10, first_centre=0.0, first_samples=31, n_together=1)
TIMING = ("onset_mae_ms", "onset_median_ms", "onset_p95_ms", "onset_bias_ms")
SHIFTED = {
    shift: made(REFERENCES, [(k, onset + shift) for k, onset in REFERENCES]) for shift in (-5, 5)
}
FAR = made([(0, 100)], [(0, 140)])
HALF = replace(PLAIN, known=np.array([[0, 500]]))
UNKNOWN = replace(PLAIN, known=np.array([[0, 0]]))
TYPES = ["a", "b", "c"]
# Ranked right, wrong, right: precision 1 and 2/3 where recall grows by a half.
RANKED = [(0, 100, 0.9), (0, 150, 0.8), (0, 202, 0.3)]
FIRST = [(0, 100), (0, 200)]
UNLIKELY = [(0, 100, 0.2), (0, 130, 0.1)]

BY_HAND = {
    "hits at tight tolerances": (PLAIN, {"f1_at_1ms": 0, "f1_at_2.5ms": 2 * 1 / 8}),
    "205 is exactly 5 samples late": (PLAIN, {"f1_at_5ms": 2 * 2 / 8, "precision_at_5ms": 2 / 4}),
    "hits at wide tolerances": (PLAIN, {"f1_at_10ms": 2 * 3 / 8, "f1_at_150ms": 2 * 3 / 8}),
    "nothing of the second type is found": (PLAIN, {"macro_f1_at_5ms": (2 * 2 / 7 + 0) / 2}),
    "a type that does not rank has no part in the mean": (
        replace(PLAIN, ranked_types=["b"]),
        {"macro_f1_at_5ms": 0, "f1_at_5ms": 2 * 2 / 8},
    ),
    "errors within 10 ms, though the tolerance is 5 ms": (
        PLAIN,
        {"onset_mae_ms": 13 / 3, "onset_bias_ms": 13 / 3, "onset_median_ms": 5},
    ),
    "position 0.95 * 2 between the second and the third": (PLAIN, {"onset_p95_ms": 5.9}),
    "two false alarms in a second": (PLAIN, {"false_alarms_per_hour": 2 * 3600}),
    "early is negative": (SHIFTED[-5], {"onset_bias_ms": -5, "onset_mae_ms": 5}),
    "late is positive": (SHIFTED[5], {"onset_bias_ms": 5, "onset_mae_ms": 5}),
    "errors of either sign cancel in the bias alone": (
        made([(0, 100), (0, 200)], [(0, 97), (0, 203)]),
        {"onset_bias_ms": 0, "onset_mae_ms": 3},
    ),
    "a duplicate is a false alarm": (
        made([(0, 100)], [(0, 100), (0, 103)]),
        {"precision_at_5ms": 0.5, "recall_at_5ms": 1, "f1_at_5ms": 2 / 3, "onset_mae_ms": 0},
    ),
    "the right time of the wrong type is wrong twice": (
        made([(0, 100), (1, 200)], [(1, 100), (0, 200)]),  # 100 samples apart
        {"f1_at_150ms": 1, "f1_at_50ms": 0, "false_alarms_per_hour": 2 * 3600},
    ),
    "events of another recording do not match": (
        made([(0, 999, 0)], [(0, 0, 0.75, 1)], n_recordings=2),
        {"f1_at_150ms": 0},
    ),
    "times match in whole samples, but errors are finer": (
        made([(0, 100), (0, 200)], [(0, 105.4), (0, 205.6)]),
        {"recall_at_5ms": 0.5, "onset_mae_ms": (5.4 + 5.6) / 2},
    ),
    "errors are in milliseconds at any rate": (
        made([(0, 100)], [(0, 101)], sampling_rate_hz=250.0),
        {"onset_mae_ms": 4, "f1_at_5ms": 1, "f1_at_2.5ms": 0},
    ),
    "errors beyond the tolerance of the dataset": (FAR, {"onset_mae_ms": NAN}),
    "errors within it": (replace(FAR, tolerance_ms=50.0), {"onset_mae_ms": 40}),
    "a tolerance that no metric has": (
        replace(PLAIN, tolerance_ms=6.0),
        {"false_alarms_per_hour": 3600},
    ),
    "events without detections": (
        made(REFERENCES, []),
        {f"{family}_at_5ms": 0 for family in (*FOUND, "average_precision")}
        | dict.fromkeys(TIMING, NAN)
        | {"presence_ece": NAN, "false_alarms_per_hour": 0},
    ),
    "detections without events": (
        made([], [(0, 100), (1, 200)]),
        {f"{family}_at_5ms": 0 for family in FOUND}
        | {"average_precision_at_5ms": NAN, "false_alarms_per_hour": 2 * 3600}
        | {"presence_ece": 0.75},
    ),
    "a type that neither occurs nor is detected": (
        made([(0, 100)], [(0, 100)], classes=TYPES),
        {"macro_f1_at_5ms": 1, "average_precision_at_5ms": 1},
    ),
    "hours are those of the known samples": (HALF, {"false_alarms_per_hour": 2 / 0.5 * 3600}),
    "nothing is known": (UNKNOWN, {"false_alarms_per_hour": NAN}),
    "the third of the ranked is 2 ms late": (
        made(FIRST, RANKED),
        {"average_precision_at_5ms": (1 + 2 / 3) / 2, "average_precision_at_1ms": 1 / 2},
    ),
    "a duplicate of lower score counts as wrong": (
        made(FIRST, [(0, 100, 0.9), (0, 101, 0.8), (0, 200, 0.7)]),
        {"average_precision_at_5ms": (1 + 2 / 3) / 2},
    ),
    "candidates of equal score count together": (
        made([(0, 100)], [(0, 100, 0.9), (0, 300, 0.9)]),
        {"average_precision_at_5ms": 0.5},
    ),
    "average precision knows no thresholds and no refractory period": (
        made([(0, 100), (0, 130)], UNLIKELY, threshold=0.5, refractory_s=0.1),
        {"average_precision_at_5ms": 1, "recall_at_5ms": 0},
    ),
    "of two candidates the likelier is true though the other is nearer": (
        made([(0, 100)], [(0, 100, 0.6), (0, 104, 0.8)]),
        {"presence_ece": (0.6 + 0.2) / 2},
    ),
}


@pytest.mark.parametrize(("of", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_values_by_hand(of, expected):
    assert {name: value(name, of) for name in expected} == pytest.approx(expected, nan_ok=True)


def test_where_there_is_nothing_at_all_nothing_is_defined():
    empty = made([], [])

    undefined = {name for name in NAMES if math.isnan(value(name, empty))}

    assert undefined == set(NAMES) - {"false_alarms_per_hour"}


def test_what_lies_outside_the_known_samples_is_not_scored():
    # Known are samples 100 to 899. Of each list the first and the last lie outside.
    onsets, times = [99, 100, 899, 900], [99.4, 99.6, 899.4, 899.6]
    partly = made([(0, t) for t in onsets], [(0, t) for t in times], known=np.array([[100, 900]]))

    row = per_type(partly)[0]

    assert (row["n_references"], row["n_detections"], row["f1"]) == (2, 2, 1)
    assert value("average_precision_at_5ms", partly) == 1
    assert value("onset_mae_ms", partly) == pytest.approx(0.4)
    assert reliability(partly)[2].sum() == 2


# Ranks.


@pytest.mark.parametrize("seed", range(40))
def test_average_precision_is_that_of_scikit_learn_times_what_can_be_found(seed):
    # Candidates stand on events or far from all, so who finds what is no question.
    generator = np.random.default_rng(seed)
    is_true = generator.random(20) < 0.6
    time = 100 * np.arange(20)
    scores = generator.integers(1, 9, 20) / 10  # with ties
    n_missed = int(generator.integers(0, 5))
    of = made(
        [(0, t) for t in [*time[is_true], *(5000 + 100 * np.arange(n_missed))]],
        [(0, t, s) for t, s in zip(time, scores, strict=True)],
        known=np.array([[0, 10_000]]),
    )
    part = is_true.sum() / (is_true.sum() + n_missed)

    assert value("average_precision_at_5ms", of) == pytest.approx(
        average_precision_score(is_true, scores) * part
    )


# Refractory period.

CLOSE = made(
    [(0, 100)],
    [(0, 100, 0.9), (0, 130, 0.8), (0, 180, 0.7), (1, 110, 0.9), (1, 130, 0.9, 1)],
    n_recordings=2,
    refractory_s=0.05,
)


def test_violations_are_counted_before_and_after_decoding():
    # 100 and 130 are too close; 130 and 180 are exactly a period apart; the rest are strangers.
    assert value("refractory_violations_before", CLOSE) == 1
    assert value("refractory_violations", CLOSE) == 0


def test_without_a_known_period_violations_are_not_defined():
    of = replace(CLOSE, refractory_s=None)

    assert math.isnan(value("refractory_violations_before", of))
    assert math.isnan(value("refractory_violations", of))


def test_detections_are_those_of_the_decoder_of_the_model_unless_another_is_named():
    assert len(decoded(CLOSE).found) == 4  # without 130
    assert len(decoded(CLOSE, "threshold").found) == 5
    by_threshold = replace(CLOSE, decoding=replace(CLOSE.decoding, decoder="threshold"))
    assert value("refractory_violations", by_threshold) == 1


def test_each_decoder_has_its_own_thresholds():
    thresholds = {"threshold": np.array([0.85, 0.5]), "optimal": np.array([0.95, 0.95])}
    of = replace(CLOSE, decoding=Decoding(decoder="optimal", thresholds=thresholds))

    assert decoded(of).found.time.tolist() == []
    assert decoded(of, "threshold").found.time.tolist() == [100, 110, 130]
    assert [row["threshold"] for row in per_type(of, "threshold")] == [0.85, 0.5]


# Calibration.

CALIBRATION = made([(0, 100)], [(0, 100, 0.75), (0, 300, 0.25), (0, 200, 0.78)])


def test_reliability_bin_by_bin():
    mean_score, true, counts = reliability(CALIBRATION)

    assert counts.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert mean_score[[3, 11]] == pytest.approx([0.25, 0.765])
    assert true[[3, 11]].tolist() == [0, 0.5]
    assert np.isnan(np.delete(mean_score, [3, 11])).all()
    assert np.isnan(np.delete(true, [3, 11])).all()


# For the report.


def test_each_type_has_a_row_of_its_own():
    of = made(
        [(0, 100), (0, 200), (1, 300), (2, 400)],
        [(0, 98), (0, 204), (0, 500), (1, 308)],
        classes=["a", "b", "c", "d"],
    )
    first, second, third, fourth = per_type(of)

    assert first == {
        "type": "a",
        "n_references": 2,
        "n_detections": 3,
        "f1": pytest.approx(4 / 5),
        "precision": pytest.approx(2 / 3),
        "recall": 1,
        "mae_ms": 3,
        "bias_ms": 1,
        "p95_ms": pytest.approx(3.9),
        "coverage": None,
        "threshold": 0.5,
    }
    assert (second["f1"], second["bias_ms"]) == (0, 8)  # within 10 ms, but not within 5 ms
    assert (third["f1"], third["precision"], third["mae_ms"]) == (0, 0, None)
    assert (fourth["f1"], fourth["precision"], fourth["recall"]) == (None, None, None)


def test_errors_come_with_their_types():
    of = made([(0, 100), (1, 200), (1, 300)], [(1, 207), (0, 97), (1, 400)])
    types, errors = errors_ms(of)

    assert sorted(zip(types.tolist(), errors.tolist(), strict=True)) == [(0, -3), (1, 7)]


def test_detections_of_two_models_are_not_mixed_up():
    other = made(REFERENCES, REFERENCES)

    assert [value("f1_at_5ms", of) for of in (PLAIN, other, PLAIN, other)] == [0.5, 1, 0.5, 1]
    assert decoded(PLAIN) is decoded(PLAIN)  # counted once for all metrics


# Random cases.


def random_case(seed: int, *, n_recordings: int = 4, jitter: float = 6.0) -> Detections:
    """Crowded events of three types, most of them found, with false alarms and odd spans."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(5, 60))
    events = np.stack(
        [
            generator.integers(0, 3, n),
            generator.integers(0, 1000, n),
            generator.integers(0, n_recordings, n),
        ],
        axis=1,
    )
    is_seen = generator.random(n) < 0.8
    seen = events[is_seen]
    n_false = int(generator.integers(0, 30))
    candidates = [
        (k, onset + generator.normal(0, jitter), generator.uniform(0.3, 1), place)
        for k, onset, place in seen
    ] + [
        (
            generator.integers(0, 3),
            generator.uniform(0, 999),
            generator.uniform(0, 0.8),
            generator.integers(0, n_recordings),
        )
        for _ in range(n_false)
    ]
    of = made(
        events,
        candidates,
        n_recordings=n_recordings,
        classes=["a", "b", "c"],
        known=np.stack([np.arange(n_recordings) * 20, 1000 - np.arange(n_recordings) * 30], 1),
        refractory_s=0.02,
        threshold=0.4,
    )
    # A candidate is found two frames after its own, none of which lies far behind its time.
    frame = np.rint((of.candidates.time.clip(0) + 4) / PACE.hop_samples)
    found_at = np.minimum(PACE.n_samples(frame + 3), 1000)
    bounds = np.tile([-4.0, 5.0], (3, 1))
    lasting, predicted = (generator.uniform(5, 60, len(one)) for one in (events, candidates))
    lasting[generator.random(n) < 0.2] = np.nan
    return replace(
        of,
        candidates=replace(of.candidates, found_at=found_at, duration=predicted, pace=PACE),
        reference_duration=lasting,
        decoding=replace(of.decoding, timing_bounds_ms=bounds),
    )


def test_coverage_is_the_fraction_of_found_events_in_the_interval_of_their_type():
    events = [(0, 100), (0, 200), (0, 300), (1, 400), (1, 500)]
    of = made(events, [(0, 98), (0, 204), (0, 306), (1, 400), (1, 900)])
    bounds = np.array([[-4.0, 2.0], [np.nan, np.nan]])
    of = replace(of, decoding=replace(of.decoding, timing_bounds_ms=bounds))

    # Events lie 2 ms behind, 4 and 6 ms before what was found; type b has no interval.
    assert value("coverage_gap", of) == pytest.approx(2 / 3 - 0.95)
    assert [row["coverage"] for row in per_type(of)] == [pytest.approx(2 / 3), None]
    assert math.isnan(value("coverage_gap", made(events, [(0, 98)])))


def test_latency_is_from_the_event_to_the_samples_that_its_output_needs():
    of = made(
        [(0, 100), (0, 200), (0, 300)],
        [(0, 101, 0.9), (0, 201, 0.9), (0, 301, 0.9), (0, 600, 0.9)],
        sampling_rate_hz=500.0,
        refractory_s=0.1,
    )
    found_at = np.array([160.0, 250.0, 372.0, 900.0])
    of = replace(of, candidates=replace(of.candidates, found_at=found_at, pace=PACE))

    def waits(decoder: str, wait_ms: float) -> tuple[float, float]:
        decoding = replace(of.decoding, decoder=decoder, wait_ms=wait_ms)
        named = [value(f"latency_p{q}_ms", replace(of, decoding=decoding)) for q in (50, 95)]
        return named[0], named[1]

    assert waits("threshold", 0) == pytest.approx((120, 120 + 0.9 * 24))
    assert waits("bounded", 0) == waits("threshold", 0)
    # A wait is no longer than the period, 50 samples. No peak before 101 + 50 is to come once 19
    # frames are final, as (19 - 3.4) * 10 > 151; they need 31 + 18 * 10 samples.
    assert waits("bounded", 500) == pytest.approx((2 * (211 - 100), 2 * (211 - 100)))


REFERENCE = ("reference_place", "reference_onset", "reference_type", "reference_duration")


def rearranged(of: Detections, places: list[int]) -> Detections:
    """Detections whose recordings are those at `places`, in that order; one may occur twice."""

    def rows(place: np.ndarray, *columns: np.ndarray) -> list[np.ndarray]:
        """New places, and the columns of all that lies in the chosen recordings."""
        index = [np.flatnonzero(place == old) for old in places]
        new = np.repeat(np.arange(len(places)), [len(one) for one in index])
        return [new, *(column[np.concatenate(index)] for column in columns)]

    found = of.candidates
    columns = (found.time, found.type, found.score, found.found_at, found.duration)
    place, time, kind, likely, found_at, duration = rows(found.place, *columns)
    moved = Candidates.at(time, place=place, type=kind, score=likely, duration=duration)
    events = rows(of.reference_place, of.reference_onset, of.reference_type, of.reference_duration)
    return replace(
        of,
        recording=[f"{of.recording[place]}.{i}" for i, place in enumerate(places)],
        group=[of.group[place] for place in places],
        known=of.known[places],
        **dict(zip(REFERENCE, events, strict=True)),
        candidates=replace(moved, found_at=found_at, pace=found.pace),
        n_samples=of.n_samples[places],
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_that_counts_twice_is_as_good_as_two(name):
    n_defined = 0
    for seed in range(8):
        of = random_case(seed)
        times = np.random.default_rng(seed).multinomial(4, [1 / 4] * 4)

        weighted, plain = values(name, of, [times, [1] * 4])

        twice = rearranged(of, np.repeat(np.arange(4), times).tolist())
        assert weighted == pytest.approx(value(name, twice), nan_ok=True)
        assert plain == pytest.approx(value(name, of), nan_ok=True)
        n_defined += math.isfinite(weighted)
    assert n_defined == 8


def test_a_resample_in_which_nothing_is_found_has_no_timing_error():
    of = made([(0, 100, 0), (0, 100, 1)], [(0, 103, 0.9, 1)], n_recordings=2)

    for name in TIMING:
        assert values(name, of, [[1, 1], [2, 0]]) == pytest.approx([3, np.nan], nan_ok=True)
    assert values("average_precision_at_5ms", of, [[1, 1], [2, 0], [0, 2]]).tolist() == [0.5, 0, 1]


@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_order_of_events_candidates_and_recordings_does_not_matter(seed, random):
    of = random_case(seed)
    moved = rearranged(of, random.sample(range(len(of)), len(of)))
    events, found = (
        np.array(random.sample(range(n), n), dtype=np.int64)
        for n in (len(of.reference_onset), len(of.candidates))
    )
    moved = replace(
        moved,
        **{name: getattr(moved, name)[events] for name in REFERENCE},
        candidates=moved.candidates[found],
    )

    for name in NAMES:
        assert value(name, moved) == pytest.approx(value(name, of), nan_ok=True)
    assert per_type(moved) == [
        {key: pytest.approx(cell) for key, cell in row.items()} for row in per_type(of)
    ]


# Scores.


def test_a_score_has_every_family_at_every_tolerance_and_intervals_around_values():
    of = random_case(1, n_recordings=12)

    scores = score(TASKS["detection"](), of, resamples=50)

    assert list(scores)[:8] == expand("f1_at")
    assert set(scores) == set(NAMES)
    for name, found in scores.items():
        assert found["value"] == pytest.approx(value(name, of))
        assert found["low"] <= found["high"]
    assert scores["f1_at_5ms"]["low"] < scores["f1_at_5ms"]["value"] < scores["f1_at_5ms"]["high"]


def test_every_column_of_the_leaderboard_is_scored():
    for tolerance_ms in TOLERANCES_MS:
        assert set(columns("detection", f"f1_at_{tolerance_ms:g}ms")) <= set(NAMES)


def test_recordings_of_one_group_give_no_interval():
    of = replace(random_case(1), group=["same"] * 4)

    scores = score(TASKS["detection"](), of, resamples=20)

    assert all(found["low"] is None and found["high"] is None for found in scores.values())
    assert scores["f1_at_5ms"]["value"] == value("f1_at_5ms", of)
