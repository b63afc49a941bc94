"""What becomes of a training whose batches a GPU has no room for."""

import gc
import logging
from collections.abc import Callable
from typing import Literal, TypeVar

import torch

from seqbench.errors import UserError
from seqbench.plan.job_settings import FinetuneJobSettings, PretrainJobSettings
from seqbench.training.state import StateKeeper

Job = TypeVar("Job", PretrainJobSettings, FinetuneJobSettings)
LEAST_HALF = 2  # batch norm has nothing to say of a single window
logger = logging.getLogger("seqbench")


def train_within_memory(
    train: Callable[[Job, bool], None],
    settings: Job,
    out_of_memory: Literal["refuse", "halve"],
    keeper: StateKeeper | None,
) -> None:
    """Train; where a GPU has no room, once more from the beginning with half the batch size.

    The second training is the one that half the `batch_size` in the config
    gives; a state of it is told apart from those of the first.

    Parameters
    ----------
    train
        Takes the settings, and whether their batch size was halved.
    settings
        What the config says.
    out_of_memory
        refuse: the first lack of room is the last.
    keeper
        Of the state of the training.

    Raises
    ------
    UserError
        If there is no room, and the batch size may not or cannot be halved, or was.
    """
    if _fits(train, settings, False):
        return
    size = settings.optimizer.batch_size
    half = size // 2
    lower = "lower `batch_size`, cut shorter windows or set `device: cpu`"
    if out_of_memory == "refuse":
        raise UserError(
            f"the GPU has no room for batches of {size} windows; set `out_of_memory: halve` to"
            f" train with half of it, or {lower}"
        )
    if half < LEAST_HALF:
        raise UserError(
            f"the GPU has no room for batches of {size} windows, which cannot be halved; {lower}"
        )
    logger.warning(
        "the GPU has no room for batches of %d windows; training begins anew with %d", size, half
    )
    optimizer = settings.optimizer.model_copy(update={"batch_size": half})
    if keeper is not None:
        keeper.identity["batch_size"] = str(half)
    if not _fits(train, settings.model_copy(update={"optimizer": optimizer}), True):
        raise UserError(
            f"the GPU has no room for batches of {size} windows, nor for {half}; {lower}"
        )


def _fits(train: Callable[[Job, bool], None], settings: Job, halved: bool) -> bool:
    """Train, and return whether there was room; what took it is free again if not."""
    try:
        train(settings, halved)
    except torch.OutOfMemoryError as error:
        logger.warning("%s", " ".join(str(error).split()))
    else:
        return True
    gc.collect()  # the error, gone by now, held all that the training had made
    torch.cuda.empty_cache()
    return False
