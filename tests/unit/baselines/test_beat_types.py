"""Heart beats made by hand: their rhythm, their shape and their types."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from seqbench.baselines.beat_types import features, shapes
from seqbench.baselines.beat_types.rhythm import irregularity, rhythm
from seqbench.baselines.trees import fit_trees, tree_probabilities
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError

RATE_HZ = 360.0
N, S, V = range(3)
P_WAVE, Q, R, S_WAVE, T_WAVE = (
    (0.12, -0.16, 0.02),
    (-0.15, -0.03, 0.008),
    (1.0, 0.0, 0.01),
    (-0.2, 0.03, 0.01),
    (0.25, 0.25, 0.04),
)
SHAPES = {  # height in mV, place and width in seconds
    N: (P_WAVE, Q, R, S_WAVE, T_WAVE),
    S: (Q, R, S_WAVE, T_WAVE),  # early, without the P wave of the sinus node
    V: ((1.3, 0.01, 0.035), (-0.5, 0.3, 0.06)),  # early and wide
}
FOLLOWED_BY_A_PAUSE = {V}


def heart(seed=0, n_beats=150, height=1.0):
    """Return an ECG in millivolts and its beats (sample, type); every tenth is S, every 15th V."""
    generator = np.random.default_rng(seed)
    kinds = np.array([V if i % 15 == 8 else S if i % 10 == 5 else N for i in range(n_beats)])
    interval = generator.normal(0.8, 0.015, size=n_beats)
    interval[kinds != N] -= 0.28
    after = np.flatnonzero(kinds == V) + 1
    interval[after[after < n_beats]] += 0.28
    onset = np.rint((1 + np.cumsum(interval)) * RATE_HZ).astype(int)
    t = np.arange(onset[-1] + int(RATE_HZ)) / RATE_HZ
    ecg = generator.normal(scale=0.01, size=len(t))
    for at, kind in zip(onset, kinds, strict=True):
        near = slice(max(0, at - 200), at + 200)
        for peak, place_s, width_s in SHAPES[kind]:
            since_s = t[near] - at / RATE_HZ - place_s
            ecg[near] += height * peak * np.exp(-0.5 * (since_s / width_s) ** 2)
    return ecg, list(zip(onset.tolist(), kinds.tolist(), strict=True))


@pytest.fixture
def hearts(event_windows):
    def make(seeds, **changes):
        made = [heart(seed, height=1 + seed / 4) for seed in seeds]
        changes = {"classes": ["N", "S", "V"], "rate_hz": RATE_HZ, "tolerance_ms": 150.0} | changes
        return event_windows([ecg[:, None] for ecg, _ in made], [b for _, b in made], **changes)

    return make


@pytest.fixture
def baseline():
    return BASELINES["beat_types"](n_trees=20, least=3)


def test_beats_of_hearts_that_were_not_learned_from_have_their_types(baseline, hearts, compare):
    arrays = baseline.fit([hearts([0, 1, 2])], seed=0)
    test = hearts([3, 4])

    found = baseline.predict(arrays, test)

    f1, error = compare(found, test, tolerance_samples=54, least_score=0.0)
    assert f1 > 0.95
    assert np.abs(np.median(error)) <= 2  # the shift of each type was learned
    assert ((found.score > 0) & (found.score < 1)).all()
    beat = found.place * 10**9 + found.time
    assert len(set(beat.tolist())) == len(found)  # one type each


def test_what_is_no_beat_in_train_lowers_the_score_of_others_like_it(baseline, hearts):
    """Half of the early beats of train are labelled, so that half of such beats are none."""
    train = hearts([0, 1])
    timeline = train.timeline
    early = np.flatnonzero(timeline.type == S)
    kept = np.setdiff1d(np.arange(len(timeline.type)), early[::2])
    columns = {name: getattr(timeline, name)[kept] for name in ("onset", "offset", "type")}
    fewer = hearts([0, 1], timeline=type(timeline)(**vars(timeline) | columns))
    test = hearts([3])

    sure, unsure = (baseline.predict(baseline.fit([one], seed=0), test) for one in (train, fewer))

    assert np.median(sure.score[sure.type == S]) > 0.9
    assert np.median(unsure.score[unsure.type == S]) < 0.7


def test_a_rate_that_loses_the_shape_of_a_beat_is_refused(baseline, hearts):
    with pytest.raises(UserError, match=r"beat_types needs 100 Hz or more .* not 50 Hz; leave"):
        baseline.fit([hearts([0], rate_hz=50.0)], seed=0)


def test_events_that_are_no_beats_are_refused(baseline, event_windows):
    ecg, beats = heart()
    far = [(at + 140, kind) for at, kind in beats[:-1]]
    windows = event_windows([ecg[:, None]], [far], classes=["a", "b", "c"], rate_hz=RATE_HZ)

    with pytest.raises(UserError, match=r"none of the \d+ beats found in train lies near an event"):
        baseline.fit([windows], seed=0)


# Rhythm.


def test_intervals_are_compared_with_the_ordinary_ones_around():
    interval = np.full(60, 0.8)
    interval[[20, 21]] = 0.6, 1.0  # early, then a pause
    made = rhythm(np.cumsum(interval))

    early, late, before = made[20, 0], made[20, 1], made[21, 2]
    assert early == pytest.approx(np.log(0.6 / 0.8))
    assert late == pytest.approx(np.log(1.0 / 0.8))
    assert before == pytest.approx(early)  # of the beat before the next one
    assert made[20, 6] == pytest.approx(0)  # together they are as long as two
    assert made[40, :3] == pytest.approx([0, 0, 0])


def test_a_single_early_beat_makes_no_rhythm_irregular_and_fibrillation_does():
    generator = np.random.default_rng(0)
    steady = generator.normal(0, 0.01, size=100)
    steady[50] = -0.4
    fibrillation = generator.uniform(-0.19, 0.19, size=100)

    assert irregularity(steady).max() < 0.02
    assert irregularity(fibrillation).min() > 0.05


def test_what_is_known_of_the_rhythm_does_not_depend_on_the_heart_rate():
    time = np.cumsum(np.random.default_rng(0).uniform(0.7, 0.9, size=80))

    slow, fast = rhythm(time * 1.2), rhythm(time)

    ratios = [i for i in range(slow.shape[1]) if i != 13]  # which counts differences of 20 ms
    np.testing.assert_allclose(slow[:, ratios], fast[:, ratios], atol=1e-9)


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3, 7])
def test_a_few_beats_have_finite_features(n_beats):
    time = np.arange(n_beats) * 0.8

    assert np.isfinite(rhythm(time)).all()
    assert len(rhythm(time)) == n_beats
    if n_beats:
        ecg = np.random.default_rng(0).normal(size=3000)
        made = features.beat_features(ecg, time * RATE_HZ, RATE_HZ)
        values = made.values(np.ones(shapes.N_FEATURES))
        assert values.shape == (n_beats, made.rhythm.shape[1] + shapes.N_FEATURES)
        assert np.isfinite(values).all()


# Shape.


def test_beats_where_an_electrode_is_off_have_finite_features():
    time = np.arange(300.0, 9000.0, 300.0)

    beats = features.beat_features(np.zeros(9500), time, RATE_HZ)

    assert np.isfinite(beats.values(beats.width)).all()


def test_the_scale_of_an_ecg_and_its_offset_have_no_effect():
    ecg, beats = heart()
    time = np.array([at for at, _ in beats], dtype=float)
    usual = np.ones(shapes.N_FEATURES)

    one = features.beat_features(ecg, time, RATE_HZ).values(usual)
    other = features.beat_features(5 * ecg + 3, time, RATE_HZ).values(usual)

    inside = slice(3, -3)  # the filter rings at the ends
    np.testing.assert_allclose(one[inside], other[inside], rtol=1e-3, atol=1e-3)


def test_a_wide_beat_differs_from_the_ordinary_ones_of_its_record_and_they_do_not():
    ecg, beats = heart()
    kind = np.array([k for _, k in beats])
    time = np.array([at for at, _ in beats], dtype=float)
    beats_of = shapes.cut(shapes.filtered(ecg, RATE_HZ), time.astype(int), RATE_HZ)

    found, is_ordinary = shapes.shapes(beats_of, rhythm(time / RATE_HZ)[:, 0])

    correlation, width = found[:, 0], found[:, 6]
    assert correlation[kind == N].min() > 0.98
    assert correlation[kind == V].max() < 0.9
    assert np.median(width[kind == V]) > 1.5
    assert not is_ordinary[kind != N].any()
    assert is_ordinary[kind == N].mean() > 0.9


# Trees.


def test_trees_from_arrays_predict_what_scikit_learn_does():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(400, 5))
    y = np.where(x[:, 0] + 0.3 * generator.normal(size=400) > 0, 3, 1)  # 0 and 2 do not occur
    weight = np.where(y == 3, 2.0, 1.0)
    theirs = ExtraTreesClassifier(7, min_samples_leaf=4, max_features=0.3, random_state=5)
    theirs.fit(x.astype(np.float32), y, sample_weight=weight)
    new = generator.normal(size=(100, 5))

    arrays = fit_trees(x, y, weight, n_trees=7, least=4, seed=5)
    found = tree_probabilities(arrays, new, 4)

    np.testing.assert_allclose(found[:, [1, 3]], theirs.predict_proba(new.astype(np.float32)))
    assert not found[:, [0, 2]].any()
