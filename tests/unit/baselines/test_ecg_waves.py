"""Waves of heart beats as NeuroKit2 delineates them."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from seqbench.config.registry import BASELINES

RATE_HZ = 500.0
# Place and width by the R peak, in seconds; a wave ends where little is left of its bell.
WAVES = {"P": (-0.16, 0.02), "QRS": (0.0, 0.012), "T": (0.25, 0.04)}
REACH = 2.5  # widths from the peak of a wave to its end


def heart(seconds=20, seed=0):
    """Return an ECG in millivolts, and the samples of its R peaks."""
    generator = np.random.default_rng(seed)
    n_samples = int(seconds * RATE_HZ)
    beats = np.rint(np.cumsum(generator.uniform(0.75, 0.85, 100)) * RATE_HZ).astype(int)
    beats = beats[beats < n_samples - RATE_HZ]
    t = np.arange(n_samples)
    ecg = generator.normal(scale=0.005, size=n_samples)
    for beat in beats:
        for (place_s, width_s), height in zip(WAVES.values(), (0.15, 1.0, 0.3), strict=True):
            ecg += height * np.exp(-0.5 * (((t - beat) / RATE_HZ - place_s) / width_s) ** 2)
    return ecg, beats


@pytest.fixture
def hearts(event_windows):
    """Return a function that makes recordings whose events begin so many widths before peaks."""

    def make(n_widths, classes=("T", "QRS", "p"), **changes):
        made = [heart(seed=seed) for seed in range(2)]
        events = [
            sorted(
                (
                    round(
                        beat
                        + (WAVES[name.upper()][0] - n_widths * WAVES[name.upper()][1]) * RATE_HZ
                    ),
                    k,
                )
                for beat in beats
                for k, name in enumerate(classes)
            )
            for _, beats in made
        ]
        signals = [ecg[:, None] for ecg, _ in made]
        return event_windows(signals, events, classes=list(classes), rate_hz=RATE_HZ, **changes)

    return make


@pytest.mark.parametrize("method", ["prominence", "dwt"])
def test_waves_are_found_at_their_peaks_and_end_where_they_do(hearts, compare, method):
    windows = hearts(0.0)
    detector = BASELINES["neurokit_waves"](method=method)

    arrays = detector.fit([windows], seed=0)
    found = detector.predict(arrays, windows)

    assert arrays["type"].tolist() == [2, 1, 0]
    f1, error = compare(found, windows, tolerance_samples=int(0.05 * RATE_HZ))
    assert f1 > 0.9
    assert np.abs(np.median(error)) <= 5
    for kind, name in enumerate(windows.classes):
        end_s = found.duration[found.type == kind] / RATE_HZ
        expected = REACH * WAVES[name.upper()][1]
        assert np.nanmedian(end_s) == pytest.approx(expected, abs=0.06)


def test_waves_begin_where_events_of_train_do(hearts):
    detector = BASELINES["neurokit_waves"]()
    peaks, starts = (hearts(n) for n in (0.0, REACH))

    of_peaks, of_starts = (detector.fit([one], seed=0) for one in (peaks, starts))

    assert not of_peaks["from_start"].any()
    assert of_starts["from_start"].all()
    early = detector.predict(of_starts, starts)
    late = detector.predict(of_peaks, starts)
    assert len(early) == len(late)
    assert (early.time < late.time).mean() > 0.9
    ends = [one.time + one.duration for one in (early, late)]
    np.testing.assert_allclose(*ends)  # the end does not depend on where an event begins


def test_other_types_are_left_alone(hearts):
    windows = hearts(0.0, classes=("T",))
    detector = BASELINES["neurokit_waves"]()

    found = detector.predict(detector.fit([windows], seed=0), windows)

    assert set(found.type.tolist()) == {0}


def test_beats_of_another_name_are_the_most_frequent_type(hearts):
    windows = hearts(0.0, classes=("QRS", "T"))
    windows = replace(windows, classes=["beat", "rest"])
    detector = BASELINES["neurokit_waves"]()

    arrays = detector.fit([windows], seed=0)

    assert arrays["type"].tolist() == [-1, 0, -1]


def test_a_recording_without_beats_has_no_waves(event_windows, caplog):
    windows = event_windows([np.zeros((900, 1))], [[(450, 0)]], classes=["T"], rate_hz=RATE_HZ)
    detector = BASELINES["neurokit_waves"]()
    caplog.set_level(logging.WARNING)

    found = detector.predict(detector.fit([windows], seed=0), windows)

    assert len(found) == 0
    assert "no waves, the delineator gave up" in caplog.text
