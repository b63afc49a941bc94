from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.baselines.event_pursuit.baseline import EventPursuitBaseline
from seqbench.baselines.event_pursuit.correction import Examples, corrections, fit_correction
from seqbench.baselines.event_pursuit.proposals import proposals
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.baselines.matched_filter.detector import TemplateDetector, scores
from seqbench.config.registry import DATASETS
from seqbench.windowing.windows import make_windows


@pytest.fixture(scope="module")
def strikes():
    options = {"n_types": 3, "n_channels": 2, "train_s": 60.0, "val_s": 5.0, "test_s": 20.0}
    return make_windows(DATASETS["strikes_continuous"](Path(), bounces=0.5, **options), job({}))


@pytest.fixture(scope="module")
def fitted(strikes):
    return MatchedFilterBaseline().fit([strikes["train"]], seed=0)


def planted(gain, n=2000, late=0.0):
    """Examples whose third feature says what the filter does not know."""
    generator = np.random.default_rng(0)
    hidden = generator.choice([-1.0, 1.0], n)
    odds = generator.normal(size=n)
    is_event = generator.random(n) < 1 / (1 + np.exp(-odds - gain * hidden))
    features = generator.normal(size=(n, 5)).astype(np.float32)
    features[:, 2] = hidden
    return Examples(
        features=features,
        type=generator.integers(0, 2, n),
        log_odds=odds,
        is_event=is_event,
        late_ms=late * hidden * is_event,
        fold=np.arange(n) % 4,
    )


def test_proposals_are_the_candidates_of_the_matched_filter(strikes, fitted):
    for split in ("train", "test"):
        found = MatchedFilterBaseline().predict(fitted, strikes[split])
        made = proposals(TemplateDetector.of(fitted), strikes[split])

        np.testing.assert_array_equal(made.time, found.time)
        np.testing.assert_array_equal(made.type, found.type)
        np.testing.assert_array_equal(scores(made.log_odds), found.score)
        assert np.isfinite(made.features).all()


def test_the_features_of_a_recording_do_not_depend_on_the_others(strikes, fitted):
    test = strikes["test"]
    twice = replace(
        test,
        signal=np.concatenate([test.signal, test.signal]),
        timeline=replace(
            test.timeline,
            recording=np.tile(test.timeline.recording, 2),
            start=np.append(test.timeline.start, len(test.signal)),
            stop=np.append(test.timeline.stop, 2 * len(test.signal)),
            known_start=np.append(test.timeline.known_start, len(test.signal)),
            known_stop=np.append(test.timeline.known_stop, 2 * len(test.signal)),
        ),
    )
    detector = TemplateDetector.of(fitted)

    one, both = proposals(detector, test), proposals(detector, twice)

    for place in (0, 1):
        np.testing.assert_allclose(both.features[both.place == place], one.features, atol=1e-3)


def test_what_the_filter_does_not_know_is_learned():
    examples, unseen = planted(2.0), planted(2.0)

    arrays = fit_correction(examples, 2, seed=0)
    more, later = corrections(arrays, unseen.features, unseen.type)

    sign = np.sign(unseen.features[:, 2])
    assert (more * sign)[sign > 0].mean() == pytest.approx(2, abs=0.6)
    assert (more * sign)[sign < 0].mean() == pytest.approx(2, abs=0.6)
    np.testing.assert_array_equal(later, 0)  # times were right


def test_what_held_out_events_do_not_support_stays_zero():
    arrays = fit_correction(planted(0.0), 2, seed=0)
    more, later = corrections(arrays, planted(0.0).features, planted(0.0).type)

    np.testing.assert_array_equal(more, 0)
    np.testing.assert_array_equal(later, 0)


def test_times_are_corrected_by_themselves():
    examples = planted(0.0, late=1.5)

    arrays = fit_correction(examples, 2, seed=0)
    more, later = corrections(arrays, examples.features, examples.type)

    error = np.abs(later - examples.late_ms)[examples.is_event]
    np.testing.assert_array_equal(more, 0)
    assert error.mean() < 0.5


def test_a_seed_gives_the_same_network():
    one, two, other = (fit_correction(planted(2.0, n=400), 2, seed=s) for s in (0, 0, 1))

    for name, array in one.items():
        np.testing.assert_array_equal(two[name], array)
    assert not np.array_equal(one["score.weight1"], other["score.weight1"])


def test_without_a_correction_the_events_are_those_of_the_filter(strikes, fitted):
    baseline = EventPursuitBaseline()

    found = baseline.predict(fitted, strikes["test"])  # no network in these arrays
    plain = MatchedFilterBaseline().predict(fitted, strikes["test"])

    for name in ("place", "time", "type", "score"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


def test_examples_are_made_by_filters_that_did_not_see_them(strikes, monkeypatch):
    baseline, seen = EventPursuitBaseline(), []
    fit = baseline.filter.fit
    monkeypatch.setattr(
        baseline.filter, "fit", lambda splits, seed: seen.append(splits[0]) or fit(splits, seed)
    )

    examples = baseline.examples(strikes["train"], seed=0)

    n_events = len(strikes["train"].events.onset)
    assert [len(one.events.onset) < n_events for one in seen] == [True] * 2  # two pieces of 30 s
    assert set(examples.fold.tolist()) == {0, 1}
    assert 0.7 * n_events < examples.is_event.sum() <= n_events
    assert (
        examples.log_odds[examples.is_event].mean() > examples.log_odds[~examples.is_event].mean()
    )


def test_a_train_without_labelled_spans_finds_nothing(strikes):
    train = strikes["train"]
    unknown = replace(train, timeline=train.timeline.without_events())
    baseline = EventPursuitBaseline()

    assert len(baseline.predict(baseline.fit([unknown], 0), strikes["test"])) == 0
