"""Divergence of a training, and where it began."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seqbench.errors import UserError

MOST_NAMED = 8


class DivergedError(UserError):
    """A loss or gradient is not finite."""


def first_bad_step(losses: Sequence[Tensor], norms: Sequence[Tensor]) -> int | None:
    """Return the first step, from 0, whose loss or gradient norm is not finite, or None.

    All steps are checked at once: on a GPU every check waits for pending
    computations.
    """
    is_bad = ~(torch.stack(list(losses)).isfinite() & torch.stack(list(norms)).isfinite())
    return int(is_bad.int().argmax()) if is_bad.any() else None


def diverged(
    loss: Tensor, norm: Tensor, epoch: int, step: int, windows: Tensor | None
) -> DivergedError:
    """Return the error that names a step, from 1, its windows of train, and the gradient norm."""
    at = ""
    if windows is not None:
        at = f", on the windows {', '.join(str(n) for n in windows[:MOST_NAMED].tolist())}"
        at += f", … ({len(windows)} in all) of train" if len(windows) > MOST_NAMED else " of train"
    return DivergedError(
        f"train_loss is {float(loss):.4g} in epoch {epoch}, step {step}, with gradient norm"
        f" {float(norm):.3g}{at}; lower learning_rate or look for extreme values in"
        f" {'the data' if windows is None else 'these windows'}"
    )


def check_held_out(name: str, loss: float, epoch: int, norm: float) -> None:
    """Raise a `DivergedError` if a held-out loss is not finite."""
    if not math.isfinite(loss):
        raise DivergedError(
            f"{name} is {loss} in epoch {epoch} (last gradient norm {norm:.3g}); lower"
            " learning_rate or look for extreme values in the data"
        )
