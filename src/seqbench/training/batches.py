"""Batches gathered from one signal in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqbench.models.base import ended, inside, like
from seqbench.storage.windows import UNLABELLED, WindowSet
from seqbench.tasks.detection.target import EventTable, EventTarget
from seqbench.windowing.normalize import NEGLIGIBLE, TINY, normalize


@dataclass(frozen=True)
class Batch:
    """Windows, zero after each end, their lengths (B,) on the CPU, and their target.

    Windows are (B, T, C), of video (B, T, C, H, W).

    `lengths` is None where all windows fill T: models then skip every mask.
    The target is a label each, (B,); in detection the events of each; classes
    (B, T) or normalised values (B, T, D) of samples, -1 or NaN where unknown;
    or normalised values (B, H, ...) of a horizon.
    """

    x: Tensor
    lengths: Tensor | None
    target: Tensor | EventTarget

    def __len__(self) -> int:
        return len(self.x)


class WindowTable:
    """Windows of one split, gathered on demand from one signal array.

    Parameters
    ----------
    windows
        As read from `windows.h5`.
    device
        Where the signal is kept and batches are made.
    augmentation
        Where given, every batch moves its windows by up to half their length
        within their recordings, so that a model meets events at all places of
        a window. Only windows of recordings with a timeline can move.
    keep_to_windows
        A window that moves takes along no labels from outside of where it
        stood: where only some windows are labelled, its neighbours are not.
    """

    def __init__(
        self,
        windows: WindowSet,
        device: torch.device,
        augmentation: torch.Generator | None = None,
        *,
        keep_to_windows: bool = False,
    ) -> None:
        self.signal = torch.from_numpy(windows.signal).to(device)
        self.start = torch.from_numpy(windows.start).to(device)
        self.length = torch.from_numpy(windows.length)  # stays on the CPU, where packing wants it
        self.label = torch.from_numpy(windows.label).to(device)
        self.per_window = windows.normalization.mode == "per_window"
        self.device = device
        self.augmentation = augmentation
        self.keep_to_windows = keep_to_windows
        self.events = EventTable(windows.timeline, device) if windows.timeline else None
        self.targets = SampleTargets(windows, device) if windows.targets else None
        self.equal_length: int | None = None
        if len(windows) and (windows.length == windows.length[0]).all():
            self.equal_length = int(windows.length[0])
        self._runs: Tensor | None = None
        if self.equal_length is not None and self.signal.ndim == 2:
            # A view of every run of T samples: gathering copies whole runs, not single samples.
            self._runs = self.signal.unfold(0, self.equal_length, 1)

    def __len__(self) -> int:
        return len(self.start)

    def batch(self, index: Tensor) -> Batch:
        """Gather the windows `index` (B,), an int64 tensor on the CPU."""
        on_device = index.to(self.device)
        start = self.start[on_device]
        length = self.length[index].to(self.device)
        within = (start, start + length) if self.keep_to_windows else None
        if self.augmentation is not None and self.events is not None:
            start = self._shifted(start, length)
        if self._runs is not None:
            x = self._runs[start].transpose(1, 2)
            lengths = None
        else:
            lengths = self.length[index]
            offset = torch.arange(int(lengths.max()), device=self.device)
            x = self.signal[(start[:, None] + offset).clamp_(max=len(self.signal) - 1)]
            x = ended(x, lengths)
            if int(lengths.min()) == len(offset):
                lengths = None
        if self.per_window:
            x = standardize(x, lengths)
        if self.events is not None:
            return Batch(x, lengths, self.events.batch(start, length, within))
        if self.targets is None:
            return Batch(x, lengths, self.label[on_device])
        if self.targets.horizon_samples:
            step = torch.arange(self.targets.horizon_samples, device=self.device)
            return Batch(x, lengths, self.signal[(start + length)[:, None] + step])
        return Batch(x, lengths, self.targets.batch(start, length, x.shape[1]))

    def _shifted(self, start: Tensor, length: Tensor) -> Tensor:
        """Move windows by up to half their length, but not out of their recordings."""
        first, stop = self.events.bounds(start)  # type: ignore[union-attr]
        share = torch.rand(len(start), generator=self.augmentation).to(self.device) - 0.5
        moved = start + (share * length).round().long()
        return torch.minimum(torch.maximum(moved, first), stop - length)

    def batches(self, size: int, index: Tensor | None = None) -> Iterator[Batch]:
        """Yield all windows, or those of `index`, in order."""
        chosen = torch.arange(len(self)) if index is None else index
        for part in chosen.split(size):
            yield self.batch(part)


class SampleTargets:
    """Targets of samples, as heads are taught them: classes, or normalised values."""

    def __init__(self, windows: WindowSet, device: torch.device) -> None:
        targets = windows.told
        self.horizon_samples = targets.horizon_samples
        self.are_classes = windows.task == "labelling"
        if self.horizon_samples:
            return  # what comes behind a window is gathered from the signal itself
        values = torch.from_numpy(normalize(targets.values, targets.normalization))
        if self.are_classes:
            values = values[:, 0].nan_to_num(UNLABELLED).long()
        self.values = values.to(device)

    def batch(self, start: Tensor, length: Tensor, n_samples: int) -> Tensor:
        """Gather the targets of windows, (B, n_samples, ...), unknown past each end."""
        sample = torch.arange(n_samples, device=start.device)
        row = (start[:, None] + sample).clamp_(max=len(self.values) - 1)
        target = self.values[row]
        is_past = sample >= length[:, None]
        if self.are_classes:
            return target.masked_fill(is_past, UNLABELLED)
        return target.masked_fill(is_past[..., None], torch.nan)


def standardize(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Centre and scale each channel of each window (B, T, C, ...) by its own mean and deviation.

    The same as `seqbench.windowing.normalize.standardize` of every window.
    """
    if lengths is None:
        lengths = torch.full((len(x),), x.shape[1])
    mask = like(inside(lengths, x.shape[1], x.device), x)
    n = like(lengths.to(x.device), x) * x[0, 0, 0].numel()
    others = (1, *range(3, x.ndim))
    precise = x.double()
    mean = precise.sum(dim=others, keepdim=True) / n
    centred = (precise - mean) * mask
    deviation = (centred.square().sum(dim=others, keepdim=True) / n).sqrt()
    return (
        centred / deviation.masked_fill(deviation <= NEGLIGIBLE * mean.abs().clamp(min=TINY), 1.0)
    ).float()


def shuffled(
    n: int, n_batches: int, batch_size: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield `n_batches` batches of indices, pass after pass in new orders.

    The batches of a pass are of nearly equal size, at most `batch_size`, so
    that no small rest is left over at its end.
    """
    parts = -(-n // batch_size)
    made = 0
    while made < n_batches:
        for part in torch.randperm(n, generator=generator).tensor_split(parts):
            if made == n_batches:
                return
            yield part
            made += 1


def labelled_subset(windows: WindowSet, fraction: float, seed: int) -> np.ndarray:
    """Draw a fraction of the labelled windows of each class, at least one.

    Parameters
    ----------
    windows
        Of train. In detection a class is the type of the first event of a
        window, or none; every type, and in labelling every class, has at least
        one window that holds it.
    fraction
        Part to keep, in (0, 1].
    seed
        The same seed gives nested draws: what 0.1 holds, 0.5 holds too.

    Returns
    -------
    array
        Indices of the windows drawn, ascending.
    """
    generator = np.random.default_rng(seed)
    label, drawn = windows.label, []
    for one in np.unique(label[label != UNLABELLED]):
        members = generator.permutation(np.flatnonzero(label == one))
        drawn.append(members[: max(1, round(fraction * len(members)))])
    kinds, first, last = _kinds_inside(windows)
    if len(kinds):
        order = generator.permutation(np.flatnonzero(label != UNLABELLED))
        for kind in range(len(windows.classes)):
            n_up_to = np.concatenate([[0], np.cumsum(kinds == kind)])
            holds = order[n_up_to[last[order]] > n_up_to[first[order]]]
            drawn.append(holds[:1])  # the same one for every fraction, so draws stay nested
    return np.unique(np.concatenate(drawn))


def _kinds_inside(windows: WindowSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return types of events or classes of samples in order, and which are in each window."""
    if windows.timeline is not None:
        return windows.timeline.type, *event_ranges(windows)
    if windows.targets is not None and windows.classes:
        return windows.targets.values[:, 0], windows.start, windows.start + windows.length
    return np.zeros(0), windows.start, windows.start


def event_ranges(windows: WindowSet) -> tuple[np.ndarray, np.ndarray]:
    """Return which events of the timeline, [first, last), begin in each window, (N,) each."""
    onset = windows.timeline.onset if windows.timeline is not None else np.zeros(0)
    first, last = (
        np.searchsorted(onset, at) for at in (windows.start, windows.start + windows.length)
    )
    return first, last
