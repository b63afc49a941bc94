"""Windows in arrays as datasets of torch.

Shapes: N windows, T samples, C channels, K types of event, B windows in a batch.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from seqbench.errors import UserError
from seqbench.library.models import TemporalAugmentation

Item = TypeVar("Item")


class _WindowDataset(Dataset[Item]):
    """Windows in arrays, float32; those of one array stay views of it."""

    def __init__(self, data: NDArray[Any] | Sequence[ArrayLike]) -> None:
        arrays = [np.asarray(window, dtype=np.float32) for window in data]
        for number, array in enumerate(arrays):
            if array.ndim != 2 or 0 in array.shape:
                raise UserError(
                    f"window {number} has shape {array.shape}; a window is (samples, channels),"
                    " with at least one of each"
                )
            if array.shape[1] != arrays[0].shape[1]:
                raise UserError(
                    f"window {number} has {array.shape[1]} channels, window 0 has"
                    f" {arrays[0].shape[1]}; give all the same"
                )
        self.windows = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]

    def __len__(self) -> int:
        return len(self.windows)


class UnsupervisedDataset(_WindowDataset[Tensor]):
    """Windows without labels.

    Parameters
    ----------
    data
        Windows, (N, T, C), or a list of N windows (T, C) of any lengths.

    Raises
    ------
    UserError
        If a window is not (T, C), is empty, or has another number of channels
        than the first.
    """

    def __getitem__(self, index: int) -> Tensor:
        """Return one window, (T, C) float32."""
        return self.windows[index]


class EventDataset(_WindowDataset[dict[str, Tensor]]):
    """Windows, the types of event in each, and their onsets.

    Parameters
    ----------
    data
        Windows, (N, T, C), or a list of N windows (T, C) of any lengths.
    event_labels
        1 where a type is in a window, else 0, (N, K); None: unlabelled.
    event_timings
        Onsets in samples from the start of the window, (N, K); those of
        absent types may be anything. None exactly if the labels are.

    Raises
    ------
    UserError
        If a shape is not as above, a label is neither 0 nor 1, or an event
        is outside its window.
    """

    def __init__(
        self,
        data: NDArray[Any] | Sequence[ArrayLike],
        event_labels: ArrayLike | None = None,
        event_timings: ArrayLike | None = None,
    ) -> None:
        super().__init__(data)
        self.event_labels, self.event_timings = None, None
        if (event_labels is None) != (event_timings is None):
            raise UserError("event_labels and event_timings belong together: give both or neither")
        if event_labels is None or event_timings is None:
            return
        self.event_labels = torch.from_numpy(np.asarray(event_labels, dtype=np.float32))
        self.event_timings = torch.from_numpy(np.asarray(event_timings, dtype=np.float32))
        n_windows, shapes = len(self.windows), (self.event_labels.shape, self.event_timings.shape)
        if shapes[0] != shapes[1] or [n_windows] != list(shapes[0][:-1]):
            raise UserError(
                f"event_labels and event_timings have shapes {tuple(shapes[0])} and"
                f" {tuple(shapes[1])}; {n_windows} windows need ({n_windows}, types) for both"
            )
        if not ((self.event_labels == 0) | (self.event_labels == 1)).all():
            raise UserError("event_labels must be 0 or 1")
        lengths = torch.tensor([len(window) for window in self.windows])
        within = (self.event_timings >= 0) & (self.event_timings < lengths[:, None])
        outside = torch.nonzero((self.event_labels == 1) & ~within).tolist()
        if outside:
            row, kind = outside[0]
            raise UserError(
                f"event_timings[{row}, {kind}] is {self.event_timings[row, kind]:g}, outside its"
                f" window of {lengths[row]} samples; give samples from the start of the window"
            )

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``input`` (T, C) and, if known, ``event_labels`` and ``event_timings`` (K,)."""
        item = {"input": self.windows[index]}
        if self.event_labels is not None and self.event_timings is not None:
            item["event_labels"] = self.event_labels[index]
            item["event_timings"] = self.event_timings[index]
        return item


class ContrastiveDataset(_WindowDataset[tuple[Tensor, Tensor]]):
    """Two views of each window, drawn anew at every access.

    Parameters
    ----------
    data
        Windows, (N, T, C), or a list of N windows (T, C) of any lengths.
    augmentation
        Window (T, C) to a view of the same shape.

    Raises
    ------
    UserError
        If a window is not (T, C), is empty, or has another number of channels
        than the first.
    """

    def __init__(
        self,
        data: NDArray[Any] | Sequence[ArrayLike],
        augmentation: Callable[[Tensor], Tensor] = TemporalAugmentation.random_augment,
    ) -> None:
        super().__init__(data)
        self.augmentation = augmentation

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return two views of one window, (T, C) each."""
        window = self.windows[index]
        return self.augmentation(window), self.augmentation(window)


def collate_fn_contrastive(items: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Join items of a `ContrastiveDataset` into a batch.

    Parameters
    ----------
    items
        B pairs of views.

    Returns
    -------
    dict[str, Tensor]
        ``view1`` and ``view2`` (B, T, C), zero after each end; ``lengths`` (B,)
        int64, the samples of each window.
    """
    views = [pad_sequence(list(side), batch_first=True) for side in zip(*items, strict=True)]
    lengths = torch.tensor([len(first) for first, _ in items])
    return {"view1": views[0], "view2": views[1], "lengths": lengths}


def collate_fn_supervised(items: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Join items of an `EventDataset` into a batch.

    Parameters
    ----------
    items
        B items, all with the same keys.

    Returns
    -------
    dict[str, Tensor]
        ``input`` (B, T, C), zero after each end; ``lengths`` (B,) int64, the
        samples of each window; all other keys stacked, (B, K).
    """
    inputs = [item["input"] for item in items]
    batch = {key: torch.stack([item[key] for item in items]) for key in items[0] if key != "input"}
    batch["input"] = pad_sequence(inputs, batch_first=True)
    batch["lengths"] = torch.tensor([len(window) for window in inputs])
    return batch
