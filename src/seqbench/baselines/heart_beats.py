"""Detectors of heart beats that others have made and everyone uses."""

import logging
import warnings
from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.config.registry import BASELINES
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

SCORE = 0.9  # of every beat: these detectors have no scores
logger = logging.getLogger("seqbench")


class HeartBeatBaseline(Baseline):
    """Beats in the channel that the source states as ECG, else the first; all of one type.

    The type is that named QRS, where there is one, else the most frequent of
    train: these detectors find beats and not their types.
    """

    @abstractmethod
    def beats(self, ecg: NDArray[np.float64], sampling_rate_hz: float) -> NDArray[np.float64]:
        """Return the samples of the beats of one recording, (n_samples,) in physical units."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Find the channel, and choose the type that beats are given; nothing else is learned."""
        (train,) = splits
        names = [name.lower() for name in train.classes]
        counts = np.bincount(train.events.type, minlength=len(names))
        chosen = names.index("qrs") if "qrs" in names else int(counts.argmax())
        return {"type": np.array([chosen]), "channel": np.array([ecg_channel(train)])}

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return the beats of every recording."""
        kind = arrays["type"][0]
        return Candidates.joined(
            [
                Candidates.at(time, place=place, type=kind, score=SCORE)
                for place, _, time in self.found(windows, int(arrays["channel"][0]))
            ]
        )

    def found(
        self, windows: WindowSet, channel: int, *, labelled: bool = False
    ) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
        """Yield place, ECG in physical units and beats in samples, of recordings or labelled spans.

        Samples count from the start of the recording or span; spans without a sample are left out.
        """
        for place, (name, ecg) in enumerate(ecgs(windows, channel, labelled=labelled)):
            if not len(ecg):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    time = self.beats(ecg, windows.required_rate_hz)
            except (ValueError, IndexError, ZeroDivisionError) as error:
                logger.warning("%s: no beats, the detector gave up (%s)", name, error)
                time = np.zeros(0)
            yield place, ecg, time[(time >= 0) & (time < len(ecg))]


def ecg_channel(windows: WindowSet) -> int:
    """Return the channel that the source states as ECG, else the first."""
    return windows.channels.index(windows.source.get("ecg", windows.channels[0]))


def ecgs(
    windows: WindowSet, channel: int, *, labelled: bool = False
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name of each recording and its ECG, or its labelled span's, in physical units."""
    timeline, normalization = windows.events, windows.normalization
    first, last = timeline.start, timeline.stop
    if labelled:
        first, last = timeline.known_start, timeline.known_stop
    for recording, start, stop in zip(timeline.recording, first, last, strict=True):
        signal = windows.signal[start:stop][:, channel].astype(np.float64)
        ecg = signal * normalization.scale[channel] + normalization.centre[channel]
        yield windows.names[recording], ecg


@BASELINES.register(
    "xqrs", accepts=("series",), tasks=("detection",), needs=("ecg",), imports=("wfdb.processing",)
)
class XqrsBaseline(HeartBeatBaseline):
    """XQRS of the WFDB package: a matched wavelet and adaptive thresholds.

    References
    ----------
    Xie et al. (2023). Waveform Database Software Package (WFDB) for Python.
    PhysioNet, doi:10.13026/9njx-6322.
    """

    def beats(self, ecg: NDArray[np.float64], sampling_rate_hz: float) -> NDArray[np.float64]:
        """Return the beats that XQRS finds."""
        from wfdb.processing import XQRS

        detector = XQRS(sig=ecg, fs=sampling_rate_hz)
        detector.detect(verbose=False)
        return np.asarray(detector.qrs_inds, dtype=np.float64)


@BASELINES.register(
    "neurokit", accepts=("series",), tasks=("detection",), needs=("ecg",), imports=("neurokit2",)
)
class NeurokitBaseline(HeartBeatBaseline):
    """R peaks of NeuroKit2: steep slopes of the cleaned signal, then their highest sample.

    References
    ----------
    Makowski et al. (2021). NeuroKit2: a Python toolbox for neurophysiological
    signal processing. Behavior Research Methods 53:1689-1696.
    """

    def beats(self, ecg: NDArray[np.float64], sampling_rate_hz: float) -> NDArray[np.float64]:
        """Return the R peaks that NeuroKit2 finds."""
        import neurokit2

        rate = round(sampling_rate_hz)
        cleaned = neurokit2.ecg_clean(ecg, sampling_rate=rate, method="neurokit")
        _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=rate, method="neurokit")
        return np.asarray(found["ECG_R_Peaks"], dtype=np.float64)


@BASELINES.register(
    "khamis", accepts=("series",), tasks=("detection",), needs=("ecg",), imports=("neurokit2",)
)
class KhamisBaseline(HeartBeatBaseline):
    """The detector of Khamis in NeuroKit2: thresholds on a feature of rising and falling slopes.

    Notes
    -----
    On the 22 records of DS1 of the MIT-BIH database it finds most at 150 ms, ventricular
    beats above all, but up to tens of milliseconds beside their peak.

    References
    ----------
    Khamis, Weiss, Xie, Chang, Lovell, Redmond (2016). QRS detection algorithm for
    telehealth electrocardiogram recordings. IEEE TBME 63(7):1377-1388.
    """

    def beats(self, ecg: NDArray[np.float64], sampling_rate_hz: float) -> NDArray[np.float64]:
        """Return the beats that the detector finds in the signal as it is."""
        import neurokit2

        _, found = neurokit2.ecg_peaks(
            ecg, sampling_rate=round(sampling_rate_hz), method="khamis2016"
        )
        return np.asarray(found["ECG_R_Peaks"], dtype=np.float64)
