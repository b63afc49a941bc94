"""Where a GPU has no room for a batch, a training stops with a sentence or halves it once."""

import logging
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from fixtures.trainings import finetune_settings
from seqbench.config.stages import FinetuneSettings
from seqbench.errors import UserError
from seqbench.training.job import TrainingJob, run_training


def job(batch_size, out_of_memory="halve", **state):
    return TrainingJob(
        windows=Path("windows.h5"),
        settings=finetune_settings(FinetuneSettings(batch_size=batch_size)),
        device="cpu",
        out_of_memory=out_of_memory,
        **state,
    )


class Gpu:
    """Has room for batches of so many windows; trainings on it are noted."""

    def __init__(self, room):
        self.room = room
        self.trained = []
        self.made = []

    def train(self, job, keeper):
        self.keeper = keeper
        size = job.settings.optimizer.batch_size
        network = nn.Linear(2, 2)
        self.made.append(weakref.ref(network))
        if size > self.room:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} GiB.")
        self.trained.append((size, job.halved))


def test_a_training_that_fits_is_left_alone():
    gpu = Gpu(room=32)

    run_training(job(32), gpu.train)

    assert gpu.trained == [(32, False)]


def test_a_batch_is_halved_once_where_the_user_chose_so(caplog, tmp_path):
    gpu, windows = Gpu(room=16), tmp_path / "windows.h5"
    windows.touch()

    run_training(replace(job(32, state=tmp_path, code="c"), windows=windows), gpu.train)

    assert gpu.trained == [(16, True)]
    assert "no room for batches of 32 windows; training begins anew with 16" in caplog.text
    assert gpu.keeper.identity["batch_size"] == "16"


def test_what_the_first_training_made_is_gone_before_the_second_begins():
    gpu = Gpu(room=16)

    def train(job, keeper):
        assert all(made() is None for made in gpu.made)
        gpu.train(job, keeper)

    run_training(job(32), train)

    assert gpu.trained == [(16, True)]


@pytest.mark.parametrize(
    ("size", "room", "choice", "sentence"),
    [
        (32, 16, "refuse", "no room for batches of 32 windows; set `out_of_memory: halve`"),
        (32, 8, "halve", "no room for batches of 32 windows, nor for 16; lower `batch_size`"),
        (3, 1, "halve", "no room for batches of 3 windows, which cannot be halved; lower"),
    ],
)
def test_else_the_error_has_the_fix(size, room, choice, sentence, caplog):
    caplog.set_level(logging.WARNING)

    with pytest.raises(UserError) as caught:
        run_training(job(size, choice), Gpu(room).train)

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Tried to allocate" in caplog.text
