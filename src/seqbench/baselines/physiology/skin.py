"""Electrodermal activity: the level of skin conductance, and its responses."""

import warnings

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRID_HZ = 8.0  # responses rise within one second or more
LEAST_S = 10.0  # half a period of the filter between level and responses
LEAST_HZ = 1.0  # below, rises are missed, and ten seconds too few samples for the filter
SECTION_S = 60


def skin_features(conductance: Floats, rate_hz: float, least_response: float) -> dict[str, float]:
    """Return features of the responses in a window (n_samples,) of skin conductance.

    Parameters
    ----------
    conductance
        In µS, or another unit.
    rate_hz
        Samples per second, 1 or more.
    least_response
        Smallest rise of a response, in the unit of `conductance`.

    Returns
    -------
    dict
        Responses a minute, their mean, largest and summed rise, spread of the phasic part, and
        change of the tonic part over the window; NaN in windows shorter than 10 s.

    References
    ----------
    Makowski et al. (2021). NeuroKit2: a Python toolbox for neurophysiological signal processing.
    Behavior Research Methods 53:1689-1696. Its high-pass method at 0.05 Hz, which is that of
    Biopac's AcqKnowledge, parts the phasic from the tonic.
    Boucsein et al. (2012). Publication recommendations for electrodermal measurements.
    Psychophysiology 49:1017-1034, for the rise of 0.01 to 0.05 µS that makes a response.
    """
    import neurokit2
    from scipy.signal import find_peaks

    names = ("responses", "mean_rise", "largest_rise", "total_rise", "phasic", "tonic_change")
    duration_s = len(conductance) / rate_hz
    if duration_s < LEAST_S:
        return dict.fromkeys(names, np.nan)
    n_joined = max(1, round(rate_hz / GRID_HZ))
    whole = conductance[: len(conductance) // n_joined * n_joined]
    slow = whole.reshape(-1, n_joined).mean(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = neurokit2.eda_phasic(slow, sampling_rate=rate_hz / n_joined, method="highpass")
    phasic, tonic = (np.asarray(parts[name]) for name in ("EDA_Phasic", "EDA_Tonic"))
    _, found = find_peaks(phasic, prominence=least_response)
    rise = np.asarray(found["prominences"])
    return {
        "responses": len(rise) * SECTION_S / duration_s,
        "mean_rise": float(rise.mean()) if len(rise) else 0.0,
        "largest_rise": float(rise.max(initial=0.0)),
        "total_rise": float(rise.sum()),
        "phasic": float(phasic.std()),
        "tonic_change": float(tonic[-1] - tonic[0]),
    }
