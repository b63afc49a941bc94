"""Targets of windows as tensors, gathered batch by batch while a model trains."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqbench.storage.windows import WindowSet


@dataclass(frozen=True)
class Rows:
    """Where the windows of a batch stand in the signal of their split.

    Parameters
    ----------
    index
        Of the windows, (B,) int64.
    start, length
        First row and number of rows of each, (B,) int64; a window may have
        moved from where it stood.
    n_samples
        Longest length T, to which the others are padded.
    within
        Rows [first, stop) of each window, (B,) each, outside of which labels
        are unknown; None: all labels of the recording are known.
    """

    index: Tensor
    start: Tensor
    length: Tensor
    n_samples: int
    within: tuple[Tensor, Tensor] | None = None


class TargetTable(ABC):
    """Targets of the windows of one split, on the device that trains."""

    @abstractmethod
    def batch(self, rows: Rows) -> Any:
        """Return the target of a batch, as the loss of the head takes it."""

    def bounds(self, start: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the rows [first, stop) between which windows at rows (B,) may move, (B,) each.

        None: targets belong to windows where they stand.
        """
        return None


class LabelTargets(TargetTable):
    """A class for each window."""

    def __init__(self, windows: WindowSet, device: torch.device) -> None:
        self.label = torch.from_numpy(windows.label).to(device)

    def batch(self, rows: Rows) -> Tensor:
        """Return the index of the class of each window, (B,); -1 where unknown."""
        return self.label[rows.index]


class SampleTargets(TargetTable):
    """Values or a class for each sample.

    Parameters
    ----------
    values
        For every row of the signal, (n_samples, ...).
    unknown
        Value behind the end of a window.
    """

    def __init__(self, values: Tensor, unknown: float) -> None:
        self.values = values
        self.unknown = unknown

    def batch(self, rows: Rows) -> Tensor:
        """Return the targets of samples, (B, T, ...)."""
        sample = torch.arange(rows.n_samples, device=rows.start.device)
        row = (rows.start[:, None] + sample).clamp_(max=len(self.values) - 1)
        target = self.values[row]
        is_past = sample >= rows.length[:, None]
        is_past = is_past.reshape(*is_past.shape, *(1 for _ in target.shape[2:]))
        return target.masked_fill(is_past, self.unknown)


class HorizonTargets(TargetTable):
    """The signal behind each window.

    Parameters
    ----------
    signal
        Of the split, normalised, (n_samples, ...).
    horizon_samples
        Rows H of a horizon.
    """

    def __init__(self, signal: Tensor, horizon_samples: int) -> None:
        self.signal = signal
        self.step = torch.arange(horizon_samples, device=signal.device)

    def batch(self, rows: Rows) -> Tensor:
        """Return the horizons, (B, H, ...)."""
        return self.signal[(rows.start + rows.length)[:, None] + self.step]
