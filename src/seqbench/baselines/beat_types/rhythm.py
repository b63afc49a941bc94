"""Rhythm of heart beats: each interval against those around it and those of the recording."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter

N_FEATURES = 15
ORDINARY = (0.8, 1.3)  # of the running median: intervals that are neither early nor a pause
STEADY = 0.2  # log of an interval over the local one, below which a beat is neither
NEAR, WIDE, WIDEST = 10, 25, 60  # beats on either side
FEWEST = 3  # ordinary intervals that make a local one
FEWEST_PAIRS = 5  # of steady neighbours that show how irregular a rhythm is
REGULAR = 0.02  # median change between neighbours where there are fewer
LEAST_CHANGE = 0.03  # added to it: no rhythm is a clock
EARLY = 0.1  # log of the interval from which a beat is early
IRREGULAR = 0.04  # change at which an early beat means a third of what it means otherwise
RESOLUTION_S = 0.02  # intervals that differ by less are equal
RESTING = 70  # percentile of the intervals that stands for those of the resting rhythm

Floats = NDArray[np.float64]


def rhythm(time_s: Floats) -> Floats:
    """Return the rhythm of each beat of a recording.

    Parameters
    ----------
    time_s
        Of the beats, rising, (n_beats,).

    Returns
    -------
    array
        Logarithms of ratios and shares, without unit, (n_beats, N_FEATURES); 0 with fewer
        than three beats. First the intervals before and behind a beat over the local
        one, the median of those intervals of 21 beats that are neither early nor
        pauses; then the same of the two beats before and the two behind it.

    Notes
    -----
    In atrial fibrillation every second beat is early. How early a beat is counts
    therefore also against `irregularity`: the median change between neighbours that are
    neither early nor late, which a single early beat does not raise.

    References
    ----------
    de Chazal, O'Dwyer, Reilly (2004). Automatic classification of heartbeats using ECG
    morphology and heartbeat interval features. IEEE TBME 51(7), table II: intervals
    before, behind, around and of the recording. Departs from it in that all are ratios,
    in medians in place of means, and in what is known of the rhythm around.
    """
    n_beats = len(time_s)
    if n_beats < 3:
        return np.zeros((n_beats, N_FEATURES))
    interval = np.maximum(np.diff(time_s), 1e-3)
    before = np.concatenate([interval[:1], interval])
    behind = np.concatenate([interval, interval[-1:]])
    local = _local(before)
    early, late = np.log(before / local), np.log(behind / local)
    change = irregularity(early)
    resting = percentile_filter(before, RESTING, 2 * WIDEST + 1, mode="nearest")
    of_recording = np.log(before / np.percentile(before, RESTING))
    neighbours = _around(before, NEAR + 5)
    return np.column_stack(
        [
            early,
            late,
            _shifted(early, -1),
            _shifted(early, -2),
            _shifted(late, 1),
            _shifted(early, 2),
            np.log((before + behind) / (2 * local)),
            of_recording,
            np.log(before / resting),
            np.log(median_filter(before, 7, mode="nearest") / resting),
            change,
            np.minimum(early, 0) / (change + LEAST_CHANGE),
            np.minimum(of_recording, 0) / (change + LEAST_CHANGE),
            np.nanmean(
                np.where(
                    np.isnan(neighbours),
                    np.nan,
                    neighbours < before[:, None] - RESOLUTION_S,
                ),
                axis=1,
            ),
            np.maximum(0, -early - EARLY) * np.exp(-change / IRREGULAR),
        ]
    )


def irregularity(early: Floats) -> Floats:
    """Return the median change of the interval between neighbours that are steady, (n_beats,).

    Parameters
    ----------
    early
        Log of the interval before each beat over the local one, (n_beats,).
    """
    is_steady = np.abs(early) < STEADY
    is_pair = is_steady & _shifted(is_steady, -1)
    change = np.where(is_pair, np.abs(early - _shifted(early, -1)), np.nan)
    return _median(_around(change, WIDE), FEWEST_PAIRS, np.full(len(early), REGULAR))


def _local(interval: Floats) -> Floats:
    """Return the median of the ordinary intervals around each, (n_beats,)."""
    running = median_filter(interval, NEAR + 1, mode="nearest")
    low, high = ORDINARY
    is_ordinary = (interval > low * running) & (interval < high * running)
    return _median(_around(np.where(is_ordinary, interval, np.nan), NEAR), FEWEST, running)


def _around(values: Floats, reach: int) -> Floats:
    """Return the values up to `reach` beats away, NaN beyond the ends, (n_beats, 2 * reach + 1)."""
    padded = np.pad(values, reach, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _median(rows: Floats, fewest: int, instead: Floats) -> Floats:
    """Return the median of what is known of each row, or `instead` where it is too few."""
    is_enough = np.isfinite(rows).sum(axis=1) >= fewest
    found = instead.copy()
    found[is_enough] = np.nanmedian(rows[is_enough], axis=1)
    return found


def _shifted(values: NDArray[Any], by: int) -> NDArray[Any]:
    """Return the value of the beat `by` places behind each; at the ends that of the last one."""
    index = np.clip(np.arange(len(values)) + by, 0, len(values) - 1)
    return values[index]
