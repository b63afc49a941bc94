"""Targets of windows as tensors, gathered batch by batch while a model trains."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqbench.storage.lazy_array import AnyArray, LazyArray
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


class SampleRows:
    """Rows of an array on the device that trains, from memory or, of a lazy one, from the disk.

    Parameters
    ----------
    rows
        (n_samples, ...) float32.
    device
        Where rows are needed; what is in memory is kept there.
    """

    def __init__(self, rows: AnyArray, device: torch.device) -> None:
        self.device = device
        self.rows = rows
        self.held = None if isinstance(rows, LazyArray) else torch.from_numpy(rows).to(device)

    def gathered(self, start: Tensor, n_samples: int) -> Tensor:
        """Return so many rows from each start (B,) on, (B, n_samples, ...).

        Behind the last row of all it is repeated.
        """
        if self.held is not None:
            offset = torch.arange(n_samples, device=self.device)
            return self.held[(start[:, None] + offset).clamp_(max=len(self.rows) - 1)]
        found = np.empty((len(start), n_samples, *self.rows.shape[1:]), dtype=np.float32)
        starts = start.cpu().numpy()
        for place in np.argsort(starts, kind="stable"):
            first = int(starts[place])
            rows = self.rows[first : first + n_samples]
            found[place, : len(rows)] = rows
            if len(rows) < n_samples:
                found[place, len(rows) :] = rows[-1:]
        return torch.from_numpy(found).to(self.device)


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
        For every row of the signal, (n_samples, D).
    unknown
        Value behind the end of a window.
    are_classes
        Values are indices of classes, D = 1, and targets whole numbers (B, T).
    """

    def __init__(self, values: SampleRows, unknown: float, *, are_classes: bool = False) -> None:
        self.values = values
        self.unknown = unknown
        self.are_classes = are_classes

    def batch(self, rows: Rows) -> Tensor:
        """Return the targets of samples, (B, T, ...)."""
        sample = torch.arange(rows.n_samples, device=rows.start.device)
        target = self.values.gathered(rows.start, rows.n_samples)
        if self.are_classes:
            target = target[..., 0].long()
        is_past = sample >= rows.length[:, None]
        is_past = is_past.reshape(*is_past.shape, *(1 for _ in target.shape[2:]))
        return target.masked_fill(is_past, self.unknown)


class HorizonTargets(TargetTable):
    """The signal behind each window.

    Parameters
    ----------
    signal
        Of the split, normalised.
    horizon_samples
        Rows H of a horizon.
    """

    def __init__(self, signal: SampleRows, horizon_samples: int) -> None:
        self.signal = signal
        self.horizon_samples = horizon_samples

    def batch(self, rows: Rows) -> Tensor:
        """Return the horizons, (B, H, ...)."""
        return self.signal.gathered(rows.start + rows.length, self.horizon_samples)
