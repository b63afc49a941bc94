"""Matchers of SpikeInterface serve as detectors: their spikes get times and scores."""

import sys

import numpy as np
import pytest

from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.baselines.matched_filter.detector import TemplateDetector
from seqbench.baselines.spike_matchers import _log_odds, _products
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError

MATCHERS = ("wobble", "circus_omp")
pytestmark = pytest.mark.usefixtures("spikeinterface")


def waves(seed=7):
    """Return three decaying waves of 100 samples on two channels, (K, C, L)."""
    generator = np.random.default_rng(seed)
    t = np.arange(100) / 2000
    tones = [np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.008) for hz in (90, 210, 430)]
    return 3 * np.array([generator.normal(size=(2, 1)) * tone for tone in tones])


@pytest.fixture
def strikes(event_windows):
    """Two recordings of strikes that overlap now and then, under white noise."""

    def make(noise=0.1, n_samples=(30000, 12000), seed=0):
        generator = np.random.default_rng(seed)
        signals, events = [], []
        for n in n_samples:
            signal = generator.normal(scale=noise, size=(n, 2))
            at = np.sort(generator.integers(200, n - 300, n // 400))
            kinds = generator.integers(0, 3, len(at))
            for start, kind in zip(at, kinds, strict=True):
                signal[start : start + 100] += generator.normal(1, 0.1) * waves()[kind].T
            signals.append(signal)
            events.append(list(zip(at.tolist(), kinds.tolist(), strict=True)))
        return event_windows(signals, events, classes="abc")

    return make


@pytest.fixture(params=MATCHERS)
def matcher(request):
    return BASELINES[request.param]()


def test_strikes_are_found_at_their_sample(matcher, strikes, compare):
    train, test = strikes(), strikes(seed=1)

    found = matcher.predict(matcher.fit([train], seed=0), test)

    f1, error = compare(found, test, tolerance_samples=4)
    assert f1 > 0.95
    assert np.abs(error).mean() < 0.2


def test_the_length_of_a_recording_and_its_blocks_make_no_difference(
    matcher, strikes, compare, monkeypatch
):
    windows = strikes()
    arrays = matcher.fit([windows], seed=0)
    whole = matcher.predict(arrays, windows)

    monkeypatch.setattr("seqbench.baselines.matched_filter.joined.BLOCK", 4000)
    pieces = matcher.predict(arrays, windows)

    sure = [one[one.score > 0.6] for one in (whole, pieces)]
    np.testing.assert_array_equal(sure[0].time, sure[1].time)
    np.testing.assert_array_equal(sure[0].place, sure[1].place)
    np.testing.assert_allclose(sure[0].score, sure[1].score, atol=1e-3)


def test_scores_are_those_of_the_matched_filter(matcher, strikes):
    windows = strikes()
    filter_ = MatchedFilterBaseline()

    arrays = matcher.fit([windows], seed=0)
    ours = filter_.predict(arrays, windows)
    found = matcher.predict(arrays, windows)

    key = {
        (p, round(t), k): s
        for p, t, k, s in zip(ours.place, ours.time, ours.type, ours.score, strict=True)
    }
    pairs = [
        (key[p, round(t), k], s)
        for p, t, k, s in zip(found.place, found.time, found.type, found.score, strict=True)
        if (p, round(t), k) in key and s > 0.6
    ]
    assert len(pairs) > 80
    mine, theirs = np.array(pairs).T
    assert np.abs(mine - theirs).max() < 0.05


def test_overlapping_spikes_share_the_signal_between_them(strikes):
    windows = strikes()
    detector = TemplateDetector.of(MatchedFilterBaseline().fit([windows], seed=0))
    block = np.zeros((2, 600), dtype=np.float32)
    for start, kind in ((200, 0), (230, 1)):
        block[:, start : start + detector.length] += (
            detector.amplitude[kind] * detector.templates[kind]
        )

    def odds(starts, kinds):
        products = _products(detector.templates)
        return _log_odds(detector, products, block, np.array(starts), np.array(kinds))

    apart = [
        detector.log_odds(
            np.array([[detector.amplitude[kind] * detector.norms[kind]]]), np.array([kind])
        )[0, 0]
        for kind in (0, 1)
    ]
    np.testing.assert_allclose(odds([200, 230], [0, 1]), apart, rtol=1e-3)
    third = odds([200, 230, 215], [0, 1, 2])  # explains nothing that the others leave
    assert third[2] < 0 < third[:2].min()


def test_a_type_without_events_is_never_found(matcher, strikes, event_windows):
    windows = strikes()
    rare = event_windows(
        [windows.signal],
        [
            [
                (int(o), int(k))
                for o, k in zip(windows.timeline.onset, windows.timeline.type, strict=True)
            ]
        ],
        classes="abcd",
    )

    found = matcher.predict(matcher.fit([rare], seed=0), rare)

    assert set(found.type.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("name", MATCHERS)
def test_a_missing_package_is_named_with_its_extra(name, strikes, monkeypatch):
    monkeypatch.setitem(sys.modules, "spikeinterface.core", None)

    with pytest.raises(UserError, match=r"spikeinterface.*is missing.*'seqbench\[experts\]'"):
        BASELINES[name]().fit([strikes()], seed=0)
