"""What a baseline promises."""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError
from seqbench.storage.windows import UNLABELLED, WindowSet
from seqbench.windowing.normalize import standardize


class OptionError(DataError):
    """Options that do not fit the windows: a search takes others."""


Arrays = dict[str, NDArray[Any]]


class Baseline(ABC):
    """A method that is fitted once and predicts from a handful of arrays.

    A model spends val on the choice of its epoch; a baseline makes no such
    choice and learns from train and val together. In detection val decides
    the thresholds, and a baseline learns from train alone.

    Attributes
    ----------
    gives_probabilities
        Whether scores are probabilities; if not, metrics that need them are
        left out.
    decides
        Whether what it finds in recordings stands, so that val chooses no thresholds.
    """

    gives_probabilities: bool = False
    decides: bool = False

    def compile(self, n_channels: int) -> float | None:
        """Compile what `fit` and `predict` run, which is not to count among their costs.

        Parameters
        ----------
        n_channels
            Channels C of a window.

        Returns
        -------
        float or None
            Seconds it took in this process; None: nothing is compiled.
        """
        return None

    @abstractmethod
    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit on the labelled windows of `splits` and return all that prediction needs."""

    @abstractmethod
    def predict(self, arrays: Arrays, windows: WindowSet) -> Any:
        """Return scores (N, K) of windows, or the candidates in their recordings."""


def labels(splits: list[WindowSet]) -> NDArray[np.int64]:
    """Return the labels of windows, or of their samples, those without left out."""
    targets = [samples(split)[:, 0] for split in splits if split.targets is not None]
    if targets:
        values = np.concatenate(targets)
        return values[np.isfinite(values)].astype(np.int64)
    return np.concatenate([split.label[split.label != UNLABELLED] for split in splits])


def samples(windows: WindowSet) -> NDArray[np.float32]:
    """Return the targets of all samples of all windows, in order, (S, D), NaN where unknown."""
    values: NDArray[np.float32] = windows.required_targets.values[windows.rows()]
    return values


def window_array(
    windows: WindowSet, n_samples: int, *, labelled: bool = False
) -> NDArray[np.float32]:
    """Return windows, all or the labelled ones, as (N, C, n_samples), cut or padded with zeros.

    Of video every pixel is a channel.
    """
    windows.check_in_memory("a baseline of whole windows")
    chosen = np.flatnonzero(windows.label != UNLABELLED) if labelled else np.arange(len(windows))
    n_channels = math.prod(windows.signal.shape[1:])
    array = np.zeros((len(chosen), n_channels, n_samples), dtype=np.float32)
    for row, index in enumerate(chosen):
        window = windows.window(int(index))
        if windows.normalization.mode == "per_window":
            window = standardize(window)
        n = min(n_samples, len(window))
        array[row, :, :n] = window[:n].reshape(n, n_channels).T
    return array
