"""What tells that a training left the range of numbers, and where."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seqbench.errors import UserError

MOST_NAMED = 8


class DivergedError(UserError):
    """Training left the range of numbers."""


def first_bad_step(losses: Sequence[Tensor], norms: Sequence[Tensor]) -> int | None:
    """Return the first step, from 0, whose loss or gradient norm is no number, or None.

    One look at all steps since the last: on a GPU each look waits for what is
    still computed there.
    """
    is_bad = ~(torch.stack(list(losses)).isfinite() & torch.stack(list(norms)).isfinite())
    return int(is_bad.int().argmax()) if is_bad.any() else None


def diverged(loss: Tensor, norm: Tensor, epoch: int, step: int, windows: Tensor) -> DivergedError:
    """Return the error that names a step, from 1, its windows of train, and the gradient norm."""
    numbers = ", ".join(str(number) for number in windows[:MOST_NAMED].tolist())
    if len(windows) > MOST_NAMED:
        numbers += f", … ({len(windows)} in all)"
    return DivergedError(
        f"train_loss is {float(loss):.4g} in epoch {epoch}, step {step}, with gradient norm"
        f" {float(norm):.3g}, on the windows {numbers} of train; lower learning_rate or look for"
        " extreme values in these windows"
    )


def check_held_out(name: str, loss: float, epoch: int, norm: float) -> None:
    """Refuse a held-out loss that is no number.

    Raises
    ------
    DivergedError
        If it is none.
    """
    if not math.isfinite(loss):
        raise DivergedError(
            f"{name} is {loss} in epoch {epoch} (last gradient norm {norm:.3g}); lower"
            " learning_rate or look for extreme values in the data"
        )
