"""Batches gathered from one signal, in memory or, read ahead by a thread, from the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from seqbench.config.registry import TASKS
from seqbench.models.base import ended, inside, like
from seqbench.storage.windows import UNLABELLED, WindowSet
from seqbench.tasks.targets import Rows, SampleRows, TargetTable
from seqbench.windowing.normalize import NEGLIGIBLE, TINY

if TYPE_CHECKING:
    from seqbench.tasks.base import Task

N_AHEAD = 4  # batches that are read before they are needed


@dataclass(frozen=True)
class Batch:
    """Windows, zero after each end, their lengths (B,) on the CPU, and their target.

    Windows are (B, T, C), of video (B, T, C, H, W).

    `lengths` is None where all windows fill T: models then skip every mask.
    The target is that of the task, or None.
    """

    x: Tensor
    lengths: Tensor | None
    target: Any

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Places:
    """Where the windows of a batch stand: numbers (B,) on the CPU, and rows of the signal (B,).

    What goes to the device is only queued there (`non_blocking`): else every step of a GPU would
    wait until the one before is done.
    """

    index: Tensor
    on_device: Tensor
    start: Tensor
    length: Tensor
    within: tuple[Tensor, Tensor] | None


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
        within their recordings, where the targets of the task allow it, so
        that a model meets events at all places of a window.
    keep_to_windows
        A window that moves takes along no labels from outside of where it
        stood: where only some windows are labelled, its neighbours are not.
    with_targets
        False: batches have no target, and no code of the task runs.
    """

    def __init__(
        self,
        windows: WindowSet,
        device: torch.device,
        augmentation: torch.Generator | None = None,
        *,
        keep_to_windows: bool = False,
        with_targets: bool = True,
    ) -> None:
        self.signal = SampleRows(windows.signal, device)
        self.start = torch.from_numpy(windows.start).to(device)
        self.length = torch.from_numpy(windows.length)  # stays on the CPU, where packing wants it
        self.per_window = windows.normalization.mode == "per_window"
        self.device = device
        self.augmentation = augmentation
        self.keep_to_windows = keep_to_windows
        self.targets: TargetTable | None = None
        if with_targets:
            self.targets = _task(windows).targets(windows, self.signal)
        self.equal_length: int | None = None
        if len(windows) and (windows.length == windows.length[0]).all():
            self.equal_length = int(windows.length[0])
        self._runs: Tensor | None = None
        held = self.signal.held
        if self.equal_length is not None and held is not None and held.ndim == 2:
            # A view of every run of T samples: gathering copies whole runs, not single samples.
            self._runs = held.unfold(0, self.equal_length, 1)

    def __len__(self) -> int:
        return len(self.start)

    def batch(self, index: Tensor) -> Batch:
        """Gather the windows `index` (B,), an int64 tensor on the CPU."""
        return self._gathered(self._places(index, self.augmentation))

    def batches(self, size: int, index: Tensor | None = None) -> Iterator[Batch]:
        """Yield all windows, or those of `index`, in order."""
        chosen = torch.arange(len(self)) if index is None else index
        yield from self.stream(chosen.split(size))

    def stream(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield the batch of each of `indices`, the same as `batch` gives one after the other.

        Of a signal on disk a thread reads the next ones meanwhile. How windows move is drawn
        ahead as well, from a copy: `augmentation` stands where the batch that is yielded left it.
        """
        if self.signal.held is not None:
            yield from map(self.batch, indices)
            return
        ahead = None
        if self.augmentation is not None:
            ahead = torch.Generator().set_state(self.augmentation.get_state())
        rest = iter(indices)
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        pending: deque[tuple[Future[Batch], Tensor | None]] = deque()

        def request() -> None:
            for index in islice(rest, 1):
                places = self._places(index, ahead)
                state = None if ahead is None else ahead.get_state()
                pending.append((pool.submit(self._gathered, places), state))

        try:
            for _ in range(N_AHEAD):
                request()
            while pending:
                future, state = pending.popleft()
                batch = future.result()
                if self.augmentation is not None and state is not None:
                    self.augmentation.set_state(state)
                request()
                yield batch
        finally:
            pool.shutdown(cancel_futures=True)

    def _places(self, index: Tensor, generator: torch.Generator | None) -> Places:
        """Return where windows stand, moved where a generator is given."""
        on_device = index.to(self.device, non_blocking=True)
        start = self.start[on_device]
        length = self.length[index].to(self.device, non_blocking=True)
        within = (start, start + length) if self.keep_to_windows else None
        if generator is not None and self.targets is not None:
            start = _moved(start, length, self.targets.bounds(start), generator)
        return Places(index, on_device, start, length, within)

    def _gathered(self, places: Places) -> Batch:
        index, start = places.index, places.start
        if self._runs is not None:
            x = self._runs[start].transpose(1, 2)
            lengths = None
        elif self.equal_length is not None and len(self.signal.rows.shape) == 2:
            x = self.signal.gathered(start, self.equal_length)
            lengths = None
        else:
            lengths = self.length[index]
            longest = int(lengths.max())
            x = ended(self.signal.gathered(start, longest), lengths)
            if int(lengths.min()) == longest:
                lengths = None
        if self.per_window:
            x = standardize(x, lengths)
        if self.targets is None:
            return Batch(x, lengths, None)
        rows = Rows(places.on_device, start, places.length, x.shape[1], places.within)
        return Batch(x, lengths, self.targets.batch(rows))


def _moved(
    start: Tensor,
    length: Tensor,
    bounds: tuple[Tensor, Tensor] | None,
    generator: torch.Generator,
) -> Tensor:
    """Move windows by up to half their length, but not out of their bounds."""
    if bounds is None:
        return start
    share = torch.rand(len(start), generator=generator) - 0.5
    share = share.to(start.device, non_blocking=True)
    moved = start + (share * length).round().long()
    return torch.minimum(torch.maximum(moved, bounds[0]), bounds[1] - length)


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
    n_per_pass = -(-n // batch_size)
    made = 0
    while made < n_batches:
        for batch in torch.randperm(n, generator=generator).tensor_split(n_per_pass):
            if made == n_batches:
                return
            yield batch
            made += 1


def labelled_subset(windows: WindowSet, fraction: float, seed: int) -> np.ndarray:
    """Draw a fraction of the labelled windows of each class, at least one.

    Parameters
    ----------
    windows
        Of train. Where labels lie inside windows, every class has at least
        one window that holds it.
    fraction
        Fraction to keep, in (0, 1].
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
    inside = _task(windows).labels_inside(windows)
    if inside is not None:
        order = generator.permutation(np.flatnonzero(label != UNLABELLED))
        for n_inside in _counts_inside(len(windows.classes), *inside):
            holds = order[n_inside[order] > 0]
            drawn.append(holds[:1])  # the same one for every fraction, so draws stay nested
    return np.unique(np.concatenate(drawn))


def label_counts(windows: WindowSet, drawn: np.ndarray) -> np.ndarray:
    """Count by class the labels of the windows drawn, or those inside of them, (K,)."""
    inside = _task(windows).labels_inside(windows)
    if inside is None:
        return np.bincount(windows.label[drawn], minlength=len(windows.classes))
    counts = _counts_inside(len(windows.classes), *inside)
    return np.array([n_inside[drawn].sum() for n_inside in counts], dtype=np.int64)


def _counts_inside(
    n_classes: int, label: np.ndarray, first: np.ndarray, last: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield for each class how many labels of it lie in each window, (N,)."""
    for one in range(n_classes):
        n_up_to = np.concatenate([[0], np.cumsum(label == one)])
        yield n_up_to[last] - n_up_to[first]


def _task(windows: WindowSet) -> Task:
    return TASKS[windows.task]()
