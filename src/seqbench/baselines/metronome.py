"""Events at the mean pace of train: what knowing the rate alone is worth."""

import numpy as np

from seqbench.baselines.base import Arrays, Baseline
from seqbench.config.registry import BASELINES
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

SCORE = 0.5  # of every event: all are equally likely


@BASELINES.register(
    "metronome",
    accepts=("series",),
    tasks=("detection",),
    floor_of=("detection",),
)
class MetronomeBaseline(Baseline):
    """Events of each type evenly spaced at the mean interval of train, whatever the signal."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Measure the mean interval of each type in the labelled spans of train."""
        (train,) = splits
        timeline = train.events
        n_samples = (timeline.known_stop - timeline.known_start).sum()
        counts = np.bincount(timeline.type, minlength=len(train.classes))
        return {"interval_samples": n_samples / np.maximum(counts, 1)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return events from half an interval after the start of each recording on."""
        timeline = windows.events
        found = []
        for place, n_samples in enumerate(timeline.stop - timeline.start):
            for kind, interval in enumerate(arrays["interval_samples"]):
                # A recording shorter than half an interval still gets its one event.
                first = min(interval / 2, n_samples / 2)
                time = np.arange(first, n_samples, interval)
                found.append(Candidates.at(time, place=place, type=kind, score=SCORE))
        return Candidates.joined(found)
