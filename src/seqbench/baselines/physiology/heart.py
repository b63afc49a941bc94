"""Heart beats in short windows, and the variability of the intervals between them."""

import warnings
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.heart_beats import NeurokitBaseline

Floats = NDArray[np.float64]
Finder = Callable[[Floats, float], Floats]

SHORTEST_S, LONGEST_S = 0.3, 2.0  # interval of a heart, 200 to 30 beats a minute
# An interval that differs by more from the median of the five around it is none: a beat was missed
# or made up. The fraction is that of Malik et al. (1989).
LARGEST_CHANGE, N_AROUND = 0.2, 5
FEWEST_INTERVALS = 5
LEAST_S = FEWEST_INTERVALS * SHORTEST_S  # a window that holds fewer of any heart
RISE_S = 0.35  # before the peak of a pulse wave, in which it rises
GRID_HZ = 4.0  # of intervals in time, for their spectrum
LOW_HZ, HIGH_HZ = (0.04, 0.15), (0.15, 0.4)  # Task Force (1996), table 2
LEAST_SPAN_S = 1 / LOW_HZ[0]  # one period of the slowest variation


def pulse_beats(pulse: Floats, rate_hz: float) -> Floats:
    """Return the time of each beat in a pulse wave (n_samples,), in seconds.

    It is that of the steepest rise before a systolic peak, to a fraction of a sample: the rise is
    sharp where the peak is round, so noise moves it less.

    References
    ----------
    Elgendi, Norton, Brearley, Abbott, Schuurmans (2013). Systolic peak detection in acceleration
    photoplethysmograms measured from emergency responders in tropical conditions. PLoS ONE
    8(10):e76585. For the peaks, as NeuroKit2 finds them.
    """
    import neurokit2

    rate = round(rate_hz)
    cleaned = neurokit2.ppg_clean(pulse, sampling_rate=rate, method="elgendi")
    found = neurokit2.ppg_findpeaks(cleaned, sampling_rate=rate, method="elgendi")
    peaks = np.asarray(found["PPG_Peaks"], dtype=np.int64)
    slope = np.gradient(np.asarray(cleaned, dtype=np.float64))
    before = np.maximum(peaks[:, None] - np.arange(max(1, round(RISE_S * rate_hz))), 0)
    steepest = before[np.arange(len(peaks)), slope[before].argmax(axis=1)]
    return _refined(slope, steepest) / rate_hz


def ecg_beats(ecg: Floats, rate_hz: float) -> Floats:
    """Return the time of each R peak in an ECG (n_samples,), in seconds, as `neurokit` finds it."""
    return NeurokitBaseline().beats(ecg, rate_hz) / rate_hz


FINDERS: dict[str, Finder] = {"pulse": pulse_beats, "ecg": ecg_beats}
LEAST_HZ = {"pulse": 20.0, "ecg": 100.0}  # that each can work at


def heart_features(signal: Floats, rate_hz: float, kind: str) -> dict[str, float]:
    """Return features of the beats in a window (n_samples,) of a pulse wave or an ECG.

    Times are in milliseconds, rates in beats a minute, power in ms². A feature is NaN where fewer
    than five intervals are left, of the spectrum where they span less than 25 s; `covered` is the
    fraction of the window in intervals that are left, 0 in windows shorter than 1.5 s.

    References
    ----------
    Task Force of the European Society of Cardiology and the North American Society of Pacing and
    Electrophysiology (1996). Heart rate variability: standards of measurement, physiological
    interpretation, and clinical use. Circulation 93:1043-1065. It asks for two minutes or more for
    the low band, of which a window of one minute holds two to nine periods.
    """
    duration_s = len(signal) / rate_hz
    time_s = np.zeros(0)
    if duration_s >= LEAST_S:
        with warnings.catch_warnings(), suppress(IndexError):  # which flat pulse waves raise
            warnings.simplefilter("ignore")
            time_s = FINDERS[kind](signal, rate_hz)
    return variability(time_s, duration_s)


def variability(time_s: Floats, duration_s: float) -> dict[str, float]:
    """Return features of beats at `time_s` in a window of `duration_s`; see `heart_features`."""
    interval_s = np.diff(time_s)
    is_kept = _plausible(interval_s)
    kept_ms = 1000 * interval_s[is_kept]
    found = {"covered": float(kept_ms.sum() / 1000 / duration_s)}
    names = ("rate", "sdnn", "rmssd", "pnn20", "pnn50", "skewness", "low", "high", "ratio", "peak")
    if len(kept_ms) < FEWEST_INTERVALS:
        return found | dict.fromkeys(names, np.nan)
    change_ms = 1000 * np.diff(interval_s)[is_kept[1:] & is_kept[:-1]]  # of neighbours in time
    deviation = kept_ms - kept_ms.mean()
    known = len(change_ms) > 0
    return found | {
        "rate": float(60_000 / kept_ms.mean()),
        "sdnn": float(kept_ms.std(ddof=1)),
        "rmssd": float(np.sqrt(np.mean(change_ms**2))) if known else np.nan,
        "pnn20": float(np.mean(np.abs(change_ms) > 20)) if known else np.nan,
        "pnn50": float(np.mean(np.abs(change_ms) > 50)) if known else np.nan,
        "skewness": float(np.mean(deviation**3) / max(kept_ms.var(), 1e-9) ** 1.5),
        **_spectrum(time_s[1:][is_kept], kept_ms),
    }


def _plausible(interval_s: Floats) -> NDArray[np.bool_]:
    """Return which intervals are of a heart and near to those around them."""
    from scipy.ndimage import median_filter

    if not len(interval_s):
        return np.zeros(0, dtype=np.bool_)
    usual = median_filter(interval_s, N_AROUND, mode="nearest")
    is_near = np.abs(interval_s - usual) <= LARGEST_CHANGE * usual
    return is_near & (interval_s >= SHORTEST_S) & (interval_s <= LONGEST_S)


def _spectrum(time_s: Floats, interval_ms: Floats) -> dict[str, float]:
    """Return power in the two bands, the logarithm of their ratio, and the peak of the upper one.

    Intervals are joined by straight lines in time, and their spectrum is Welch's. Across what was
    left out a line swings least, but at 0.25 Hz lines take a quarter of the power.
    """
    from scipy.signal import welch

    if time_s[-1] - time_s[0] < LEAST_SPAN_S:
        return dict.fromkeys(("low", "high", "ratio", "peak"), np.nan)
    grid_s = np.arange(time_s[0], time_s[-1], 1 / GRID_HZ)
    values = np.interp(grid_s, time_s, interval_ms)
    n_segment = min(len(values), round(60 * GRID_HZ))
    hz, density = welch(values, GRID_HZ, nperseg=n_segment, nfft=1024, detrend="linear")
    is_low, is_high = ((hz >= first) & (hz < last) for first, last in (LOW_HZ, HIGH_HZ))
    low, high = (float(density[band].sum() * hz[1]) for band in (is_low, is_high))
    return {
        "low": low,
        "high": high,
        "ratio": float(np.log(max(low, 1e-9) / max(high, 1e-9))),
        "peak": float(hz[is_high][density[is_high].argmax()]),
    }


def _refined(values: Floats, index: NDArray[np.int64]) -> Floats:
    """Return the places of maxima between samples: the vertex of a parabola through three."""
    at = np.clip(index, 1, len(values) - 2)
    before, here, behind = values[at - 1], values[at], values[at + 1]
    bend = before - 2 * here + behind
    is_peak = (bend < 0) & (here >= before) & (here >= behind)
    shift = 0.5 * (before - behind) / np.where(is_peak, bend, 1)
    return np.asarray(np.where(is_peak, at + shift, index))
