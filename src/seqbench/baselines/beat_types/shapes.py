"""Shape of heart beats, each against the ordinary beats of its recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

N_FEATURES = 14
BAND_HZ = (0.5, 40.0)
BEFORE_S, BEHIND_S = 0.3, 0.45  # of a beat
QRS_S, P_S, T_S = (-0.083, 0.111), (-0.194, -0.056), (0.125, 0.45)
SLOPE_S = (-0.111, 0.153)  # in which the width of a QRS complex is measured
ALIKE = 0.9  # correlation of beats of one shape
MOST_SHAPES = 30
SEEDS = 60  # beats tried as the first of a shape
OFTEN = 0.04  # share of the beats from which a shape may be an ordinary one
STEADY = 0.08  # median of the log interval over the local one, below which it may be
WIDER = 1.35  # times as wide as the most frequent shape: no ordinary one
ORDINARY = 0.12  # log interval over the local one of beats that show how much shapes vary
FEWEST = 20

Floats = NDArray[np.float64]
Rows = tuple[float, float]


@dataclass(frozen=True)
class Cuts:
    """Beats of a recording, filtered and cut out.

    Parameters
    ----------
    values
        (n_beats, n_samples), from `BEFORE_S` before each; the median height of a QRS
        complex is 1.
    rate_hz
        Samples per second.
    """

    values: Floats
    rate_hz: float

    def of(self, span_s: Rows) -> Floats:
        """Return a span around the beats, (n_beats, n)."""
        first, last = (round((BEFORE_S + at) * self.rate_hz) for at in span_s)
        return self.values[:, first:last]

    def __getitem__(self, index: NDArray[np.int64]) -> "Cuts":
        return Cuts(self.values[index], self.rate_hz)


def filtered(ecg: Floats, rate_hz: float) -> Floats:
    """Return the signal between 0.5 and 40 Hz, without delay, (n_samples,)."""
    low, high = BAND_HZ
    band = [low, min(high, 0.45 * rate_hz)]
    sections = butter(2, band, "bandpass", fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sections, ecg, padlen=min(len(ecg) - 1, 100)))


def cut(signal: Floats, beat: NDArray[np.int64], rate_hz: float) -> Cuts:
    """Cut beats out of a filtered signal, whose ends are repeated where they reach past them."""
    before, behind = round(BEFORE_S * rate_hz), round(BEHIND_S * rate_hz)
    padded = np.pad(signal, (before, behind), mode="edge")
    values = padded[beat[:, None] + np.arange(before + behind)]
    values = values - np.median(values, axis=1, keepdims=True)
    height = np.median(np.ptp(Cuts(values, rate_hz).of(QRS_S), axis=1))
    return Cuts(values / max(height, 1e-9), rate_hz)


def shapes(beats: Cuts, early: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the shape of each beat of a recording, and which beats are ordinary.

    Parameters
    ----------
    beats
        Of one recording.
    early
        Log of the interval before each beat over the local one, (n_beats,).

    Returns
    -------
    features
        (n_beats, N_FEATURES), without unit.
    is_ordinary
        Whether a beat is of the most frequent shape and in time, (n_beats,).

    Notes
    -----
    Beats are put together by the correlation of their QRS complexes, the most frequent
    shape first. Ordinary are that shape and all frequent ones that are neither early nor
    wide, such as the beats of a bundle branch block that comes and goes. Each beat
    is compared with the ordinary shape that is nearest to it: QRS complex, P wave and T wave
    by correlation and mean difference, the QRS complex also by width and area.
    """
    shape = _shape_of(beats.of(QRS_S))
    count = np.bincount(shape)
    width = _width(beats.of(SLOPE_S))
    most = int(count.argmax())
    usual_width = np.median(width[shape == most])
    chosen = [
        k
        for k in range(len(count))
        if k == most
        or (
            count[k] >= OFTEN * len(shape)
            and abs(np.median(early[shape == k])) < STEADY
            and np.median(width[shape == k]) < WIDER * usual_width
        )
    ]
    templates = Cuts(
        np.stack([np.median(beats.values[shape == k], axis=0) for k in chosen]), beats.rate_hz
    )
    fit = np.stack([_correlation(beats.of(QRS_S), one) for one in templates.of(QRS_S)], axis=1)
    nearest = fit.argmax(axis=1)
    is_ordinary = (shape == most) & (np.abs(early) < ORDINARY)
    if is_ordinary.sum() < FEWEST:
        is_ordinary = np.ones(len(shape), dtype=bool)
    return _features(beats, templates[nearest], np.log(count[shape] / len(shape))), is_ordinary


def spread(features: Floats, is_ordinary: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the median of each feature over ordinary beats, and the range of eight in ten."""
    low, median, high = np.percentile(features[is_ordinary], [10, 50, 90], axis=0)
    return median, high - low


def _features(beats: Cuts, nearest: Cuts, frequency: Floats) -> Floats:
    qrs, own_qrs = nearest.of(QRS_S), beats.of(QRS_S)
    p, own_p = _centred(nearest.of(P_S)), _centred(beats.of(P_S))
    height = np.ptp(own_qrs, axis=1)
    steep = np.abs(np.diff(own_qrs, axis=1)).max(axis=1)
    n = len(own_qrs)
    neighbour = np.arange(n)
    return np.column_stack(
        [
            *(_correlation(beats.of(s), nearest.of(s)) for s in (QRS_S, P_S, T_S)),
            *(np.abs(beats.of(s) - nearest.of(s)).mean(axis=1) for s in (QRS_S, P_S, T_S)),
            _width(beats.of(SLOPE_S)) / _width(nearest.of(SLOPE_S)),
            np.abs(own_qrs).mean(axis=1) / (np.abs(qrs).mean(axis=1) + 1e-9),
            np.clip((own_p * p).sum(axis=1) / ((p * p).sum(axis=1) + 0.02), -3, 3),
            np.log(height + 0.05),
            np.log(steep + 0.01),
            _correlation(own_qrs, own_qrs[np.maximum(neighbour - 1, 0)]),
            _correlation(own_qrs, own_qrs[np.minimum(neighbour + 1, n - 1)]),
            frequency,
        ]
    )


def _shape_of(qrs: Floats) -> NDArray[np.int64]:
    """Return the number of the shape of each beat, (n_beats,), from the most frequent on."""
    unit = _centred(qrs)
    unit = unit / (np.linalg.norm(unit, axis=1, keepdims=True) + 1e-9)
    shape = np.full(len(unit), -1)
    left, n_shapes = np.arange(len(unit)), 0
    while len(left) and n_shapes < MOST_SHAPES:
        seeds = unit[left[:: max(1, len(left) // SEEDS)]]
        mean = seeds[(seeds @ unit[left].T > ALIKE).sum(axis=1).argmax()]
        for _ in range(3):
            is_own = unit[left] @ mean > ALIKE
            if not is_own.any():
                break
            mean = unit[left[is_own]].mean(axis=0)
            mean = mean / np.linalg.norm(mean)
        is_own = unit[left] @ mean > ALIKE
        if not is_own.any():  # flat beats are like no other
            is_own[0] = True
        shape[left[is_own]] = n_shapes
        left, n_shapes = left[~is_own], n_shapes + 1
    shape[left] = n_shapes
    return shape


def _width(qrs: Floats) -> Floats:
    """Return the samples from 5 to 95 % of the squared slope, at least 1, (n_beats,)."""
    energy = np.cumsum(np.diff(qrs, axis=1) ** 2, axis=1)
    energy = energy / (energy[:, -1:] + 1e-9)
    width: Floats = (energy < 0.95).sum(axis=1) - (energy < 0.05).sum(axis=1)
    return np.maximum(width, 1).astype(np.float64)


def _centred(values: Floats) -> Floats:
    return values - values.mean(axis=-1, keepdims=True)


def _correlation(one: Floats, other: Floats) -> Floats:
    """Return the correlation of rows, (n_beats,); 0 where one is flat."""
    a, b = _centred(one), _centred(other)
    norm = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray((a * b).sum(axis=-1) / (norm + 1e-9))
