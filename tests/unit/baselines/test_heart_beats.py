import logging

import numpy as np
import pytest

from seqbench.config.registry import BASELINES

RATE_HZ = 360.0
DETECTORS = ("xqrs", "neurokit", "khamis")
SIGNIFICANT = set("NLRBAaJSVrFejnE/fQ?")  # marks that stand for a beat


@pytest.fixture(params=DETECTORS)
def detector(request):
    return BASELINES[request.param]()


def beats(seconds=60, seed=0):
    """Return an ECG in millivolts of steep beats and rounder waves, and the samples of its beats.

    Intervals differ by a tenth; the amplitude of a beat is 1 mV above an offset.
    """
    generator = np.random.default_rng(seed)
    n_samples = int(seconds * RATE_HZ)
    onset = np.cumsum(generator.uniform(0.75, 0.85, size=int(seconds / 0.9))) * RATE_HZ
    onset = np.rint(onset[onset < n_samples - RATE_HZ]).astype(int)
    t = np.arange(n_samples)
    ecg = generator.normal(scale=0.01, size=n_samples)
    for at in onset:
        since_s = (t - at) / RATE_HZ
        for height, place_s, width_s in (
            (0.12, -0.16, 0.02),
            (-0.15, -0.03, 0.008),
            (1.0, 0.0, 0.01),
            (-0.2, 0.03, 0.01),
            (0.25, 0.25, 0.04),
        ):
            ecg += height * np.exp(-0.5 * ((since_s - place_s) / width_s) ** 2)
    return ecg, onset


@pytest.fixture
def ecg_windows(event_windows):
    def make(signals, onsets, **changes):
        changes = {"classes": ["QRS"], "rate_hz": RATE_HZ} | changes
        events = [[(int(at), 0) for at in some] for some in onsets]
        return event_windows([signal[:, None] for signal in signals], events, **changes)

    return make


def test_clear_beats_are_all_found_where_they_are(detector, ecg_windows, compare):
    made = [beats(seed=s) for s in range(2)]
    windows = ecg_windows([m[0] for m in made], [m[1] for m in made])

    found = detector.predict(detector.fit([windows], seed=0), windows)

    f1, error = compare(found, windows, tolerance_samples=int(0.05 * RATE_HZ))
    assert f1 > 0.97
    assert np.abs(np.median(error)) <= 2
    assert ((found.score > 0) & (found.score < 1)).all()
    assert len(set(found.score.tolist())) == 1


def test_beats_are_looked_for_in_the_channel_that_the_source_states(detector, event_windows):
    ecg, onset = beats(20)
    signal = np.stack([np.zeros_like(ecg), 4 * ecg + 1], axis=1)
    own = event_windows(
        [signal],
        [[(int(at), 0) for at in onset]],
        classes=["qrs"],
        rate_hz=RATE_HZ,
        centre=[0.0, 1.0],
        scale=[1.0, 4.0],
        source={"ecg": "ch1"},
    )
    alone = event_windows([ecg[:, None]], [[(0, 0)]], classes=["qrs"], rate_hz=RATE_HZ)

    found = detector.predict(detector.fit([own], seed=0), own)

    expected = detector.predict(detector.fit([alone], seed=0), alone)
    assert len(found) > 15
    np.testing.assert_allclose(found.time, expected.time, atol=1)


def test_without_a_statement_only_the_first_channel_is_looked_at(detector, event_windows):
    ecg, _ = beats(20)
    noise = np.random.default_rng(0).normal(size=ecg.shape)
    one, two = (
        event_windows(
            [np.stack([ecg, other], axis=1)], [[(0, 0)]], classes=["qrs"], rate_hz=RATE_HZ
        )
        for other in (noise, 0 * noise)
    )

    arrays = detector.fit([one], seed=0)

    np.testing.assert_array_equal(
        detector.predict(arrays, one).time, detector.predict(arrays, two).time
    )


def test_the_signal_is_handed_over_in_its_own_units(detector, ecg_windows, monkeypatch):
    ecg, onset = beats(20)
    seen = []
    monkeypatch.setattr(
        type(detector), "beats", lambda self, signal, rate: seen.append(signal) or np.zeros(0)
    )
    windows = ecg_windows([ecg + 3], [onset], scale=[0.2], centre=[3.1])

    detector.predict(detector.fit([windows], seed=0), windows)

    np.testing.assert_allclose(seen[0], ecg + 3, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "types", "expected"),
    [
        (["noise", "Qrs", "v"], [0, 0, 2], 1),  # the name decides
        (["a", "b", "c"], [2, 2, 0], 2),  # else what train has most of
    ],
)
def test_beats_have_the_type_that_is_named_qrs_or_the_most_frequent(
    detector, event_windows, classes, types, expected
):
    ecg, _ = beats(20)
    events = [(1000 * (i + 1), kind) for i, kind in enumerate(types)]
    windows = event_windows([ecg[:, None]], [events], classes=classes, rate_hz=RATE_HZ)

    found = detector.predict(detector.fit([windows], seed=0), windows)

    assert len(found) > 10
    assert set(found.type.tolist()) == {expected}


def test_a_detector_that_gives_up_is_named_in_the_log(detector, ecg_windows, monkeypatch, caplog):
    def fails(self, signal, rate):
        raise ValueError("nothing there")

    ecg, onset = beats(20)
    windows = ecg_windows([ecg], [onset])
    monkeypatch.setattr(type(detector), "beats", fails)

    with caplog.at_level(logging.WARNING, logger="seqbench"):
        found = detector.predict(detector.fit([windows], seed=0), windows)

    assert len(found) == 0
    assert "r0: no beats, the detector gave up (nothing there)" in caplog.text


def test_a_record_of_the_mit_bih_database_is_found_as_published(
    detector, ecg_windows, compare, real
):
    path = real("mitdb") / "mitdb"
    import wfdb

    record = wfdb.rdrecord(str(path / "101"))
    marks = wfdb.rdann(str(path / "101"), "atr")
    onset = [
        at for at, symbol in zip(marks.sample, marks.symbol, strict=True) if symbol in SIGNIFICANT
    ]
    windows = ecg_windows([record.p_signal[:, 0]], [onset])

    found = detector.predict(detector.fit([windows], seed=0), windows)

    f1, error = compare(found, windows, tolerance_samples=int(0.15 * RATE_HZ))
    assert f1 >= 0.99
    assert np.abs(error).mean() / RATE_HZ < 0.01
