"""The waves of heart beats, delineated as others do it."""

import logging
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.heart_beats import ecg_channel, ecgs
from seqbench.config.registry import BASELINES
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

SCORE = 0.9  # of every wave: the delineator has no scores
# Peak, start and end of each wave, as NeuroKit2 names them.
WAVES = {
    "P": ("ECG_P_Peaks", "ECG_P_Onsets", "ECG_P_Offsets"),
    "QRS": ("ECG_R_Peaks", "ECG_R_Onsets", "ECG_R_Offsets"),
    "T": ("ECG_T_Peaks", "ECG_T_Onsets", "ECG_T_Offsets"),
}
PEAK, START, END = range(3)
logger = logging.getLogger("seqbench")
Floats = NDArray[np.float64]


@BASELINES.register(
    "neurokit_waves",
    accepts=("series",),
    tasks=("detection",),
    needs=("ecg_waves",),
    imports=("neurokit2",),
)
class NeurokitWavesBaseline(Baseline):
    """P waves, QRS complexes and T waves of NeuroKit2, with their ends.

    Beats are found as by `neurokit`. Events of the types P, QRS and T begin at the peaks of waves
    or at their starts, whichever are nearer to the events of train; a wave whose start is not
    found begins at its peak. Where no type has the name of a wave, QRS complexes are the most
    frequent one of train. Nothing else is learned.

    Parameters
    ----------
    method
        How waves are found around a beat: by the `prominence` of peaks, or in a discrete wavelet
        transform (`dwt`).

    References
    ----------
    Makowski et al. (2021). NeuroKit2: a Python toolbox for neurophysiological
    signal processing. Behavior Research Methods 53:1689-1696.
    Emrich, Gargano, Koka, Muma (2024). Physiology-informed ECG delineation based on peak
    prominence. EUSIPCO, for `prominence`.
    Martínez et al. (2004). A wavelet-based ECG delineator: evaluation on standard databases.
    IEEE Transactions on Biomedical Engineering 51:570-581, for `dwt`.
    """

    def __init__(self, *, method: Literal["prominence", "dwt"] = "prominence") -> None:
        self.method = method

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Find the channel and the types, and choose where the events of each begin."""
        (train,) = splits
        timeline, channel = train.events, ecg_channel(train)
        names = [name.upper() for name in train.classes]
        of_wave = [names.index(wave) if wave in names else -1 for wave in WAVES]
        if max(of_wave) < 0:
            of_wave[list(WAVES).index("QRS")] = int(np.bincount(timeline.type).argmax())
        away: list[list[Floats]] = [[] for _ in WAVES]
        for place, waves in enumerate(_waves(train, channel, self.method)):
            own = timeline.place == place
            for i, (kind, found) in enumerate(zip(of_wave, waves, strict=True)):
                onset = timeline.onset[own & (timeline.type == kind)] - timeline.start[place]
                if len(onset) and len(found):
                    nearest = np.abs(found[:, None, :2] - onset[:, None]).min(axis=1)
                    away[i].append(nearest[np.isfinite(nearest).all(axis=1)])
        medians = [np.median(np.concatenate([np.ones((1, 2)), *one]), axis=0) for one in away]
        return {
            "channel": np.array([channel]),
            "type": np.array(of_wave),
            "from_start": np.array([one[START] < one[PEAK] for one in medians]),
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return the waves of every recording; those without an end have a duration of NaN."""
        found = []
        channel = int(arrays["channel"][0])
        for place, waves in enumerate(_waves(windows, channel, self.method)):
            of_wave = zip(arrays["type"], arrays["from_start"], waves, strict=True)
            for kind, from_start, places in of_wave:
                if kind < 0:
                    continue
                peak, start, end = places.T
                time = np.where(from_start & np.isfinite(start), start, peak)
                found.append(
                    Candidates.at(
                        time,
                        place=place,
                        type=kind,
                        score=SCORE,
                        duration=np.where(end > time, end - time, np.nan),
                    )
                )
        return Candidates.joined(found)


def _waves(windows: WindowSet, channel: int, method: str) -> list[list[Floats]]:
    """Return peak, start and end of each wave of each recording in samples, (W, 3) by wave.

    A start or an end is NaN where none is found.
    """
    import neurokit2

    rate = round(windows.required_rate_hz)
    of_recordings = []
    for name, ecg in ecgs(windows, channel):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cleaned = neurokit2.ecg_clean(ecg, sampling_rate=rate, method="neurokit")
                _, beats = neurokit2.ecg_peaks(cleaned, sampling_rate=rate, method="neurokit")
                _, found = neurokit2.ecg_delineate(
                    cleaned, beats["ECG_R_Peaks"], sampling_rate=rate, method=method
                )
            found |= {"ECG_R_Peaks": beats["ECG_R_Peaks"]}
        except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
            logger.warning("%s: no waves, the delineator gave up (%s)", name, error)
            found = {key: [] for keys in WAVES.values() for key in keys}
        waves = []
        for keys in WAVES.values():
            places = np.array([found[key] for key in keys], dtype=np.float64).T.reshape(-1, 3)
            inside = (places[:, PEAK] >= 0) & (places[:, PEAK] < len(ecg))
            waves.append(places[inside])
        of_recordings.append(waves)
    return of_recordings
