"""What a training in several processes refuses before it starts, and what each process is given."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from fixtures.trainings import finetune_settings
from seqbench.config.stages import FinetuneSettings
from seqbench.errors import UserError
from seqbench.training import job as training_job
from seqbench.training.job import TrainingJob, run_training
from seqbench.training.ranks import Ranks
from seqbench.training.torchrun import train_in_processes

SETTINGS = finetune_settings(FinetuneSettings(gpus=2))


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("auto", "`gpus: 2` for one training, and 1 can be used here"),
        ("cuda:0", "`device: cuda:0` is one GPU"),
    ],
)
def test_gpus_that_are_not_there_are_refused_before_anything_starts(monkeypatch, device, sentence):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    job = SimpleNamespace(settings=SETTINGS, device=device, threads=1)

    with pytest.raises(UserError, match=sentence):
        train_in_processes(pytest.fail, job, [])


def test_a_training_by_itself_is_refused_where_its_settings_request_several(tmp_path):
    job = TrainingJob(windows=tmp_path / "windows.h5", settings=SETTINGS, device="cpu")

    with pytest.raises(UserError, match="`gpus: 2` is a training in 2 processes, and this is one"):
        run_training(job, pytest.fail)


@pytest.mark.parametrize("n_here", [4, 2])
def test_threads_are_shared_by_all_processes_and_memory_by_those_of_a_machine(
    tmp_path, monkeypatch, n_here
):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(n_here))
    monkeypatch.setattr(training_job, "joined", lambda n, device: nullcontext(Ranks(1, n)))
    settings = finetune_settings(FinetuneSettings(gpus=4))
    job = TrainingJob(
        windows=tmp_path, settings=settings, device="cpu", threads=8, memory_limit="8B"
    )
    given = []

    run_training(job, lambda one, keeper: given.append((one.threads, one.memory_limit)))

    assert given == [(2, f"{8 // n_here}B")]
