"""How far the scores of an exported model are from those of the trained one."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqbench import layout
from seqbench.errors import UserError
from seqbench.exporting.graph import WholeModel
from seqbench.storage.model_header import ModelHeader, PredictorHeader
from seqbench.storage.windows import WindowSet, read_windows
from seqbench.tasks.detection.peaks import LEAST_SCORE

TOLERANCE = 1e-4
MAX_WINDOWS = 1024  # of test that are compared, evenly spread
BATCH = 32
TIE = 1e-4  # difference of two logits between which single precision cannot decide


def test_windows(model: Path, header: PredictorHeader) -> WindowSet | None:
    """Return the windows of test of the run that a model is of; None if they are not at hand.

    Parameters
    ----------
    model
        The file, in the folder of results or not.
    header
        Of the file.
    """
    relative = layout.WINDOWS.format(dataset=header.run.dataset)
    for folder in model.resolve().parents:
        path = folder / relative
        if path.is_file():
            found = read_windows(path, "test")
            same = tuple(found.channels) == header.channels
            return found if same and found.normalization.record() == header.normalization else None
    return None


def in_units(windows: WindowSet) -> Iterator[NDArray[Any]]:
    """Yield windows in the units of recordings, (B, T, ...), those of one length together."""
    chosen = np.arange(len(windows))
    if len(chosen) > MAX_WINDOWS:
        chosen = np.unique(np.linspace(0, len(chosen) - 1, MAX_WINDOWS).astype(np.int64))
    for length in np.unique(windows.length[chosen]):
        alike = chosen[windows.length[chosen] == length]
        for first in range(0, len(alike), BATCH):
            starts = windows.start[alike[first : first + BATCH]]
            cut = np.stack([windows.signal[start : start + length] for start in starts])
            if windows.sample == "tokens":
                yield cut.astype(np.int64)
                continue
            rows = cut.reshape(-1, *cut.shape[2:])
            yield windows.normalization.undone(rows).reshape(cut.shape)


def check_difference(difference: float, path: Path, what: str) -> None:
    """Refuse an export whose scores differ by more than `TOLERANCE` from those of the model."""
    if not difference <= TOLERANCE:
        raise UserError(
            f"{path}: scores of its {what} differ by {difference:.2g} from its own, more than"
            f" {TOLERANCE:g}; nothing was written"
        )


class Parity:
    """The largest difference of scores, of values in deviations of train, of times in frames.

    Durations differ by a fraction of themselves.

    Parameters
    ----------
    trained
        The model as it was trained.
    header
        Of its file.
    hop_samples
        Of frames of detection; None of other tasks.
    """

    def __init__(self, trained: WholeModel, header: ModelHeader, hop_samples: int | None) -> None:
        self.trained = trained
        self.hop_samples = hop_samples
        targets = header.targets
        self.scale = np.ones(1)
        if targets is not None and not header.classes:
            self.scale = np.array(targets.normalization.scale)

    @torch.no_grad()
    def expected(self, windows: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of the trained model for windows in units (B, T, ...)."""
        scores: NDArray[Any] = self.trained(torch.from_numpy(windows)).numpy()
        return scores

    def difference(self, windows: NDArray[Any], scores: NDArray[Any]) -> float:
        """Return the largest difference of scores (B, ...) from those of the trained model.

        Scores that are no numbers differ infinitely: `max` would pass over NaN.
        """
        if not np.isfinite(scores).all():
            return math.inf
        expected = self.expected(windows)
        if self.hop_samples is None:
            n = scores.shape[1] if scores.ndim > 2 else None  # padding behind windows
            scale = self.scale.reshape(-1, *(1 for _ in scores.shape[3:]))  # of values of pixels
            differences = np.abs(scores - expected[:, :n]) / scale
            return float(differences.max())
        presence = float(np.abs(scores[:, :, 0] - expected[:, :, 0]).max())
        times = np.abs(scores[:, :, 1] - expected[:, :, 1]) / self.hop_samples
        # Where nothing can become an event, and between equal bins, times mean nothing.
        counts = (expected[:, :, 0] >= LEAST_SCORE) & ~self._ties(windows)
        lasting = expected[:, :, 2:]
        durations = np.abs(scores[:, :, 2:] - lasting) / np.where(lasting > 0, lasting, 1)
        may_be = expected[:, :, :1] >= LEAST_SCORE
        return max(
            presence,
            float(np.max(times, initial=0.0, where=counts)),
            float(np.max(durations, initial=0.0, where=may_be)),
        )

    @torch.no_grad()
    def _ties(self, windows: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether the two likeliest times of a frame are as likely, (B, F, K)."""
        from seqbench.tasks.detection.head import N_BINS

        logits = self.trained.model(self.trained.normalized(torch.from_numpy(windows)))
        best = logits[:, :, 1 : 1 + N_BINS].topk(2, dim=2).values
        ties: NDArray[np.bool_] = (best[:, :, 0] - best[:, :, 1] < TIE).numpy()
        return ties
