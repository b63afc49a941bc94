"""A training whose batches may not fit on a GPU."""

import gc
import logging
from dataclasses import replace

import torch

from seqbench.errors import UserError
from seqbench.training.job import Job, Train, keeping_state
from seqbench.training.state import StateKeeper

LEAST_HALF = 2  # batch norm needs two windows
logger = logging.getLogger("seqbench")


def run_training(job: Job, train: Train[Job]) -> None:
    """Train, keeping the state; where a GPU has no room, once more with half the batch size.

    The second training is the one that half the `batch_size` in the
    configuration gives; its states differ from those of the first.

    Parameters
    ----------
    job
        `machine.out_of_memory` decides whether there is a second training.
    train
        Trains a job and writes its outputs.

    Raises
    ------
    UserError
        If there is no room, and the batch size may not or cannot be halved, or was.
    """
    with keeping_state(job) as keeper:
        if _fits(job, train, keeper):
            return
        size = job.settings.optimizer.batch_size
        half = size // 2
        lower = "lower `batch_size`, cut shorter windows or set `device: cpu`"
        if job.machine.out_of_memory == "refuse":
            raise UserError(
                f"the GPU has no room for batches of {size} windows; set `out_of_memory: halve` to"
                f" train with half of it, or {lower}"
            )
        if half < LEAST_HALF:
            raise UserError(
                f"the GPU has no room for batches of {size} windows, which cannot be halved;"
                f" {lower}"
            )
        logger.warning(
            "the GPU has no room for batches of %d windows; training begins anew with %d",
            size,
            half,
        )
        if keeper is not None:
            keeper.identity["batch_size"] = str(half)
        optimizer = job.settings.optimizer.model_copy(update={"batch_size": half})
        settings = job.settings.model_copy(update={"optimizer": optimizer})
        if not _fits(replace(job, settings=settings, halved=True), train, keeper):
            raise UserError(
                f"the GPU has no room for batches of {size} windows, nor for {half}; {lower}"
            )


def _fits(job: Job, train: Train[Job], keeper: StateKeeper | None) -> bool:
    """Train, and return whether there was room; what took it is free again if not."""
    try:
        train(job, keeper)
    except torch.OutOfMemoryError as error:
        logger.warning("%s", " ".join(str(error).split()))
    else:
        return True
    gc.collect()  # the error, gone by now, held all that the training had made
    torch.cuda.empty_cache()
    return False
