"""A target for every sample, from labels or from the signal itself."""

from dataclasses import replace

import numpy as np

from seqbench.config.stages import TransformSettings
from seqbench.storage.recordings import Recordings
from seqbench.windowing.transform import transformed


def with_targets(recordings: Recordings, transform: TransformSettings) -> Recordings:
    """Return recordings with a target for every sample, where the task asks sample by sample.

    Labelling: the class. Forecasting: the signal as it was, while the signal
    itself is transformed. Other tasks: recordings as they are.
    """
    if recordings.task == "labelling":
        targets = [np.full((n, 1), np.nan, dtype=np.float32) for n in recordings.lengths]
        for recording, label, start, stop in zip(
            recordings.label_recording,
            recordings.label,
            recordings.label_start,
            recordings.label_stop,
            strict=True,
        ):
            targets[recording][start:stop] = label
        return replace(recordings, targets=targets, target_names=["class"], target_units=[""])
    if recordings.task != "forecasting":
        return recordings
    n_lost = transform.n_lost
    signals = [
        transformed(signal, transform, name)
        for signal, name in zip(recordings.signals, recordings.names, strict=True)
    ]
    return replace(
        recordings,
        signals=signals,
        targets=[signal[n_lost:] for signal in recordings.signals],
        target_names=recordings.channels,
        target_units=recordings.units,
        known=np.maximum(recordings.whole_spans - n_lost, 0),
    )
