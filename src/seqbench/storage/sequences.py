"""Predictions for single samples, as `predictions.h5` keeps them.

Layout of the group: ``prediction`` (S, A) and ``target`` (S, D) float64, of frames
(S, C, H, W) float32; ``sequence`` and ``ahead`` (S,) int64, ``reference`` as
the target where there is one;
``recording`` and ``group`` (N,) text, ``start`` (N,) int64; ``names`` and
``units`` (D,) and ``classes`` (K,) text; the attribute ``are_probabilities``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.windows import WindowSet


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Predictions for single samples of N windows, S in all, wherever a target is known.

    Parameters
    ----------
    prediction
        Values in the units of `target`, (S, D), or in labelling scores of classes, (S, K).
    target
        (S, D); in labelling the index of the class, D = 1; frames of video (S, C, H, W).
    sequence
        Window that each belongs to, (S,), ascending.
    ahead
        How many samples behind the end of the window it lies, from 1; 0: inside.
    recording, group, start
        Of each window: names, and its first row in the signal of the split, (N,).
    names, units
        Of the D values, or of the C planes.
    classes
        Labelling: names of the K classes.
    are_probabilities
        Whether scores are probabilities; False of values.
    reference
        Forecasting: the last value or frame that was known, as `target`.
    """

    prediction: NDArray[np.float64]
    target: NDArray[np.float64]
    sequence: NDArray[np.int64]
    ahead: NDArray[np.int64]
    recording: list[str]
    group: list[str]
    start: NDArray[np.int64]
    names: list[str]
    units: list[str]
    classes: list[str]
    are_probabilities: bool = False
    reference: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.start)

    @property
    def has_frames(self) -> bool:
        """Whether predictions are frames of video."""
        return self.target.ndim == 4

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Labelling: index of the class with the highest score, (S,)."""
        return self.prediction.argmax(axis=1)

    @property
    def scores(self) -> NDArray[np.float64]:
        """Labelling: what `prediction` is called where windows have one class, (S, K)."""
        return self.prediction

    @property
    def label(self) -> NDArray[np.int64]:
        """Labelling: index of the true class, (S,)."""
        return self.target[:, 0].astype(np.int64)

    def spread(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight (N,) of windows for each of their samples, (S,)."""
        return weight[self.sequence]

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of values (S,) over the samples of each window, (N,)."""
        return np.bincount(self.sequence, values, len(self)).astype(np.float64)

    def mean(
        self, values: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the mean of values (S,) over samples in each resample, (R,).

        Weights (R, N) are how often each window counts.
        """
        n = self.summed(np.ones(len(values)))
        mean: NDArray[np.float64] = (weights @ self.summed(values)) / (weights @ n)
        return mean

    @classmethod
    def inside(
        cls, windows: WindowSet, prediction: NDArray[np.float64], *, are_probabilities: bool = False
    ) -> "Sequences":
        """Join predictions (S, A) for all samples of all windows, in order, with their targets."""
        targets = windows.required_targets
        sequence = np.repeat(np.arange(len(windows)), windows.length)
        target = targets.values[windows.rows()]
        is_known = np.isfinite(target).all(axis=1)
        return cls(
            prediction=prediction[is_known],
            target=target[is_known].astype(np.float64),
            sequence=sequence[is_known],
            ahead=np.zeros(int(is_known.sum()), dtype=np.int64),
            recording=[windows.names[i] for i in windows.recording],
            group=[windows.groups[i] for i in windows.recording],
            start=windows.start,
            names=targets.names,
            units=targets.units,
            classes=windows.classes,
            are_probabilities=are_probabilities,
        )

    @classmethod
    def behind(cls, windows: WindowSet, prediction: NDArray[np.float64]) -> "Sequences":
        """Join forecasts (N, H, D), of video (N, H, C, rows, columns), with the true values."""
        targets = windows.required_targets
        n_windows, horizon, *shape = prediction.shape
        true = targets.values[windows.rows_around_end(0, horizon)]
        reference = np.repeat(targets.values[windows.rows_around_end(-1, 0)], horizon, axis=1)
        return cls(
            prediction=prediction.reshape(-1, *shape),
            target=true.reshape(-1, *shape).astype(np.float64),
            sequence=np.repeat(np.arange(n_windows), horizon),
            ahead=np.tile(np.arange(1, horizon + 1), n_windows),
            recording=[windows.names[i] for i in windows.recording],
            group=[windows.groups[i] for i in windows.recording],
            start=windows.start,
            names=targets.names,
            units=targets.units,
            classes=[],
            reference=reference.reshape(-1, *shape).astype(np.float64),
        )
