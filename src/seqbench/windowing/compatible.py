"""Whether a model of one dataset can take the signals of another."""

import math
from collections.abc import Sequence
from typing import Protocol

from seqbench.errors import UserError

SAME_RATE = 1e-3  # relative, as readers of recordings have it
MOST_SHOWN = 4  # names of channels in a sentence


class Signals(Protocol):
    """What windows and headers of models know of the signals behind them."""

    @property
    def sample(self) -> str:
        """Kind of sample."""

    @property
    def channels(self) -> Sequence[str]:
        """Names of the channels; of tokens the vocabulary."""

    @property
    def frame_size(self) -> tuple[int, ...]:
        """Rows and columns of a frame of video."""

    @property
    def sampling_rate_hz(self) -> float | None:
        """Samples per second; None where it is not known."""


def check_compatible(
    own: Signals, name: str, other: Signals, other_name: str, *, ids_count: bool = False
) -> None:
    """Refuse signals that a model of others cannot take, or would take for something else.

    Parameters
    ----------
    own, name
        Signals that are to be taken, and their dataset.
    other, other_name
        Those that the model was trained on, and their dataset.
    ids_count
        Whether tokens must have the same ids, as their vectors come along.

    Raises
    ------
    UserError
        If kinds of sample, channels and their order, sizes of frames or known sampling rates
        differ; the sentence names both datasets.
    """
    if difference := _difference(own, name, other, other_name, ids_count):
        raise UserError(difference)


def _difference(
    own: Signals, name: str, other: Signals, other_name: str, ids_count: bool
) -> str | None:
    if own.sample != other.sample:
        return (
            f"dataset '{name}' holds {own.sample}, but '{other_name}', on which the model was"
            f" trained, holds {other.sample}; take a dataset of the same kind"
        )
    mine, theirs = list(own.channels), list(other.channels)
    if own.sample == "tokens":
        return (
            f"datasets '{name}' and '{other_name}' have other vocabularies, which their train"
            " decides; train on each of them from scratch"
            if ids_count and mine != theirs
            else None
        )
    if mine != theirs:
        return (
            f"dataset '{name}' has {_named(mine)}, but '{other_name}', on which the model was"
            f" trained, has {_named(theirs)}; {_fix(name, mine, theirs)}"
        )
    if own.frame_size != tuple(other.frame_size):
        return (
            f"dataset '{name}' has frames of {own.frame_size}, but '{other_name}', on which the"
            f" model was trained, of {tuple(other.frame_size)}; bring them to one size"
        )
    rate, expected = own.sampling_rate_hz, other.sampling_rate_hz
    if rate and expected and not math.isclose(rate, expected, rel_tol=SAME_RATE):
        return (
            f"dataset '{name}' has {rate:g} Hz, but '{other_name}', on which the model was trained,"
            f" has {expected:g} Hz; bring one to the rate of the other, a folder with `resample`"
        )
    return None


def _named(channels: list[str]) -> str:
    shown = ", ".join(channels[:MOST_SHOWN]) + (", …" if len(channels) > MOST_SHOWN else "")
    return f"{len(channels)} channel{'' if len(channels) == 1 else 's'} ({shown})"


def _fix(name: str, mine: list[str], theirs: list[str]) -> str:
    if len(mine) == len(theirs) and set(mine) != set(theirs):
        left = [one for one in mine if one not in theirs]
        right = [one for one in theirs if one not in mine]
        return (
            "if these are the same, state which is which in"
            f" `datasets.{name}.rename.channels`, as {{{left[0]}: {right[0]}}}"
        )
    return "keep the same ones in the same order, in a folder with `channels`"
