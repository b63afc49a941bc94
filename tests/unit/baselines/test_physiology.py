from dataclasses import replace

import numpy as np
import pytest

from seqbench.baselines.physiology.baseline import channel_kinds
from seqbench.baselines.physiology.heart import (
    ecg_beats,
    heart_features,
    pulse_beats,
    variability,
)
from seqbench.baselines.physiology.skin import skin_features
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import COLUMNS, UNLABELLED

RATE_HZ = 64.0


def beat_times(intervals_ms, first_s=0.7):
    return first_s + np.cumsum([0, *np.asarray(intervals_ms) / 1000])


def varying(n=70, mean_ms=800, hz=0.25, swing_ms=40, seed=0):
    """Return intervals that swing with `hz`, and a little noise."""
    intervals, time_s = [], 0.0
    noise = np.random.default_rng(seed).normal(scale=5, size=n)
    for extra in noise:
        intervals.append(mean_ms + swing_ms * np.sin(2 * np.pi * hz * time_s) + extra)
        time_s += intervals[-1] / 1000
    return np.array(intervals)


def pulse_wave(time_s, duration_s, rate_hz=RATE_HZ, noise=0.003):
    """Return a pulse wave that rises most steeply at each beat, with a notch behind its peak."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    wave = np.random.default_rng(1).normal(scale=noise, size=len(t))
    for at in time_s:
        peak, notch = (t - at - 0.1) / 0.1, (t - at - 0.35) / 0.1
        wave += np.exp(-0.5 * peak**2) + 0.3 * np.exp(-0.5 * notch**2)
    return 100 * wave


def conductance(at_s, duration_s=60.0, rate_hz=4.0, rise_us=0.2, level_us=2.0):
    """Return skin conductance in µS: a slow drift, and responses that fall with 3 s."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    found = level_us + 0.002 * t
    for at in at_s:
        since_s = np.maximum(t - at, 0)
        shape = np.exp(-since_s / 3) - np.exp(-since_s / 0.7)
        found += rise_us * shape / 0.5
    return found


def test_variability_is_that_of_its_definitions():
    intervals_ms = np.array([800, 850, 790, 800, 860, 820, 810.0])
    change_ms = np.diff(intervals_ms)

    found = variability(beat_times(intervals_ms), 6.0)

    assert found["rate"] == pytest.approx(60_000 / intervals_ms.mean())
    assert found["sdnn"] == pytest.approx(intervals_ms.std(ddof=1))
    assert found["rmssd"] == pytest.approx(np.sqrt(np.mean(change_ms**2)))
    assert found["pnn50"] == pytest.approx(np.mean(np.abs(change_ms) > 50))
    assert found["covered"] == pytest.approx(intervals_ms.sum() / 6000)
    assert np.isnan(found["low"])  # of 6 s there is no spectrum


@pytest.mark.parametrize("fault", ["missed", "made up"])
def test_a_beat_that_is_missed_or_made_up_costs_its_intervals_alone(fault):
    intervals_ms = varying(40)
    time_s = beat_times(intervals_ms)
    wrong_s = (
        np.delete(time_s, 20) if fault == "missed" else np.insert(time_s, 20, time_s[20] - 0.3)
    )

    clean, found = (variability(times, time_s[-1]) for times in (time_s, wrong_s))

    assert found["covered"] < clean["covered"]
    for name in ("rate", "sdnn", "rmssd"):
        assert found[name] == pytest.approx(clean[name], rel=0.1)


def test_fewer_than_six_beats_have_no_variability():
    found = variability(beat_times([800] * 4), 60.0)

    assert found.pop("covered") == pytest.approx(3.2 / 60)
    assert np.isnan(list(found.values())).all()
    assert ["covered", *found] == [*variability(beat_times([800] * 40), 60.0)]
    assert variability(np.zeros(0), 60.0)["covered"] == 0


@pytest.mark.parametrize(("hz", "is_low"), [(0.1, True), (0.25, False)])
def test_power_lies_in_the_band_in_which_intervals_swing(hz, is_low):
    intervals_ms = varying(75, hz=hz)

    found = variability(beat_times(intervals_ms), 60.0)

    assert (found["ratio"] > 1) == is_low
    assert (found["ratio"] < -1) == (not is_low)
    power = found["low" if is_low else "high"]
    # The variance of a sine in ms², less what straight lines between beats take from it.
    assert 0.65 < power / (40**2 / 2) < 1
    if not is_low:
        assert found["peak"] == pytest.approx(hz, abs=0.01)


@pytest.mark.parametrize("rate_hz", [32.0, 64.0])
def test_beats_of_a_pulse_wave_are_found_to_a_fraction_of_a_sample(rate_hz):
    time_s = beat_times(varying())
    pulse = pulse_wave(time_s, time_s[-1] + 0.7, rate_hz)

    found_s = pulse_beats(pulse, rate_hz)

    assert len(found_s) >= len(time_s) - 2  # the filter may lose the ends
    nearest_s = np.abs(found_s[:, None] - time_s).argmin(axis=1)
    late_ms = 1000 * (found_s - time_s[nearest_s])
    assert np.abs(late_ms - np.median(late_ms)).max() < 5  # of 16 or 31 ms
    expected = variability(time_s[nearest_s], 60.0)
    found = heart_features(pulse, rate_hz, "pulse")
    for name, tolerance in {"rate": 0.005, "sdnn": 0.05, "rmssd": 0.05}.items():
        assert found[name] == pytest.approx(expected[name], rel=tolerance), name


def test_beats_of_an_ecg_are_found():
    time_s = beat_times(varying(30))
    t = np.arange(round((time_s[-1] + 1) * 250)) / 250
    ecg = sum(
        np.exp(-0.5 * ((t - at) / 0.012) ** 2) + 0.2 * np.exp(-0.5 * ((t - at - 0.25) / 0.04) ** 2)
        for at in time_s
    )

    found_s = ecg_beats(np.asarray(ecg), 250.0)

    inside = time_s[1:-1]
    assert np.abs(found_s[:, None] - inside).min(axis=0).max() < 0.006
    features = heart_features(np.asarray(ecg), 250.0, "ecg")
    assert features["rate"] == pytest.approx(75, rel=0.02)


@pytest.mark.parametrize("kind", ["pulse", "ecg"])
@pytest.mark.parametrize("signal", [np.zeros(2000), np.zeros(5), np.ones(1), np.arange(50) % 7])
def test_a_window_without_a_beat_covers_nothing(kind, signal):
    found = heart_features(signal, 100.0, kind)

    assert found["covered"] == 0
    assert np.isnan(found["rate"])


@pytest.mark.parametrize("at_s", [[], [30.0], [5.0, 20.0, 32.0, 48.0]])
@pytest.mark.parametrize("rate_hz", [4.0, 32.0])
def test_responses_of_the_skin_are_counted(at_s, rate_hz):
    found = skin_features(conductance(at_s, rate_hz=rate_hz), rate_hz, 0.05)

    assert found["responses"] == len(at_s)
    # The filter takes up to a third of a rise of 0.2 µS.
    assert found["largest_rise"] == pytest.approx(0.17 if at_s else 0, abs=0.035)
    assert found["total_rise"] == pytest.approx(0.17 * len(at_s), rel=0.25)


def test_what_rises_by_less_is_no_response():
    signal = conductance([30.0], rise_us=0.02)

    assert skin_features(signal, 4.0, 0.01)["responses"] == 1
    assert skin_features(signal, 4.0, 0.05)["responses"] == 0
    short = skin_features(signal[:30], 4.0, 0.01)  # less than 10 s
    assert np.isnan(list(short.values())).all()
    assert [*short] == [*skin_features(signal, 4.0, 0.01)]


def test_channels_are_known_by_a_statement_or_the_first_word_of_their_names():
    channels = ["BVP", "EDA (µS)", "acc_x", "Temp", "resp", "accuracy", "pulse rate"]
    stated = {"resp": "ecg", "BVP": "temperature", "pulse rate": "other"}

    assert channel_kinds(channels, stated) == [
        "temperature", "eda", "acceleration", "temperature", "ecg", "other", "other",
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"none of x, acc_y is; state it as `physiology: {x: pulse"):
        channel_kinds(["x", "acc_y"], {})


@pytest.fixture
def make_hearts(make_windows):
    """Windows of 20 s of pulse, skin conductance and an unknown channel, the second class faster.

    Signals stand in their units unless `normalization` has a mode, centre and scale.
    """

    def make(*, normalization=None, rate_hz=32.0, **changes):
        n_samples = round(20 * rate_hz)
        made = {}
        for number, (split, one) in enumerate(
            make_windows(lengths=(n_samples,), n_channels=3).items()
        ):
            generator = np.random.default_rng([5, number])
            signals = []
            for kind in one.label:
                mean_ms = generator.normal(900 if kind == 0 else 650, scale=20)
                time_s = beat_times(varying(30, mean_ms, seed=int(mean_ms)))
                pulse = pulse_wave(time_s[time_s < 21], 20, rate_hz)
                skin = generator.normal(2, scale=0.1, size=n_samples)
                other = generator.normal(size=n_samples)
                signals.append(np.stack([pulse, skin, other], axis=1))
            values = np.concatenate(signals)
            if normalization is not None:
                values = (values - normalization.centre) / normalization.scale
            made[split] = replace(
                one,
                signal=values.astype(np.float32),
                channels=["bvp", "eda", "x"],
                normalization=normalization or one.normalization,
                sampling_rate_hz=rate_hz,
                **changes,
            )
        return made

    return make


@pytest.fixture
def forest():
    return BASELINES["physiology_forest"](n_trees=20)


def predicted(forest, splits):
    arrays = forest.fit([splits["train"], splits["val"]], seed=0)
    return arrays, forest.predict(arrays, splits["test"])


def test_hearts_of_other_rates_are_told_apart(forest, make_hearts):
    splits = make_hearts()

    _, found = predicted(forest, splits)

    np.testing.assert_array_equal(found.argmax(axis=1), splits["test"].label)
    assert (found.max(axis=1) > 0.7).all()


def test_features_are_of_the_signal_in_its_units(forest, make_hearts):
    normalization = Normalization("zscore", np.array([3.0, 2.0, 0.0]), np.array([50.0, 0.1, 2.0]))

    (_, plain), (_, scaled) = (
        predicted(forest, make_hearts(normalization=one)) for one in (None, normalization)
    )

    np.testing.assert_allclose(plain, scaled, atol=0.05)
    assert {*plain.argmax(axis=1)} == {0, 1}


def test_what_is_missing_is_the_median_of_the_windows_of_the_fit(forest, make_hearts):
    splits = make_hearts()
    arrays, found = predicted(forest, splits)
    flat = replace(splits["test"], signal=np.zeros_like(splits["test"].signal))

    of_flat = forest.predict(arrays, flat)

    rate = int(np.flatnonzero((arrays["usual"] > 60) & (arrays["usual"] < 100))[0])
    assert 65 < arrays["usual"][rate] < 95  # between the classes, of train and val alone
    np.testing.assert_array_equal(of_flat, of_flat[:1].repeat(len(of_flat), axis=0))
    again = forest.fit([splits["train"], splits["val"]], seed=0)
    np.testing.assert_array_equal(forest.predict(again, splits["test"]), found)


def test_no_window_needs_a_label_in_val_and_none_is_predicted_of_none(forest, make_hearts):
    splits = make_hearts()
    val = splits["val"]
    unlabelled = replace(val, label=np.full_like(val.label, UNLABELLED))
    fields = {name: getattr(val, name)[:0] for name in COLUMNS}

    arrays = forest.fit([splits["train"], unlabelled], seed=0)

    alone = forest.fit([splits["train"]], seed=0)
    np.testing.assert_array_equal(arrays["usual"], alone["usual"])
    assert forest.predict(arrays, replace(val, **fields)).shape == (0, len(val.classes))


def test_a_class_that_train_and_val_lack_is_never_predicted(forest, make_hearts):
    splits = make_hearts()
    lacking = {
        name: replace(one, label=np.where(one.label == 1, UNLABELLED, one.label))
        for name, one in splits.items()
    }

    _, found = predicted(forest, lacking)

    np.testing.assert_array_equal(found, np.eye(found.shape[1])[:1].repeat(len(found), axis=0))


def test_windows_that_have_no_beats_anywhere_can_be_fitted(forest, make_hearts):
    splits = make_hearts()
    flat = {name: replace(one, signal=np.zeros_like(one.signal)) for name, one in splits.items()}

    _, found = predicted(forest, flat)

    np.testing.assert_allclose(found, 0.5, atol=0.2)


@pytest.mark.parametrize(
    ("channel", "rate_hz", "sentence"),
    [
        ("bvp", None, "needs the sampling rate; set `sampling_rate_hz`"),
        ("bvp", 16.0, "a channel of kind pulse, as bvp, at 20 Hz or more, not at 16 Hz"),
        (
            "ecg",
            50.0,
            "kind ecg, as ecg, at 100 Hz or more, not at 50 Hz.*`physiology: {ecg: other",
        ),
        ("gsr", 0.5, "a channel of kind eda, as gsr, at 1 Hz or more, not at 0.5 Hz"),
        ("y", 64.0, "none of y, z, x is"),
    ],
)
def test_windows_without_a_heart_or_a_rate_for_it_are_refused(
    forest, make_hearts, channel, rate_hz, sentence
):
    splits = {
        name: replace(one, channels=[channel, "z", "x"], sampling_rate_hz=rate_hz)
        for name, one in make_hearts().items()
    }

    with pytest.raises(UserError, match=sentence):
        predicted(forest, splits)


def test_heart_rates_of_a_wristband_are_those_of_the_wristband(real):
    """The device gives intervals between beats where it trusts them, from the same pulse wave."""
    folder = real("stress-predict") / "stress-predict" / "Raw_data"
    differences = []
    for subject in ("S05", "S06"):
        pulse = np.loadtxt(folder / subject / "BVP.csv")
        (start_s, rate_hz), pulse = pulse[:2], pulse[2:]
        beats = np.genfromtxt(folder / subject / "IBI.csv", delimiter=",", skip_header=1)
        beat_s = beats[:, 0] + float(
            (folder / subject / "IBI.csv").read_text().split(",", maxsplit=1)[0]
        )
        n_samples = round(60 * rate_hz)
        for first in range(n_samples, len(pulse) - n_samples, n_samples):
            from_s = start_s + first / rate_hz
            own = beats[(beat_s >= from_s) & (beat_s < from_s + 60), 1]
            if own.sum() > 40:  # most of the minute is trusted
                found = heart_features(pulse[first : first + n_samples], rate_hz, "pulse")
                differences.append(found["rate"] - 60 / own.mean())
    assert len(differences) > 30
    assert np.median(np.abs(differences)) < 1  # beat a minute
    assert np.quantile(np.abs(differences), 0.9) < 4
