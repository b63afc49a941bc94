"""Everything registered trains and predicts on a device that is not the CPU.

No GPU is needed: `OTHER` stands for one, and refuses what a GPU refuses; see the fixture.
"""

import numpy as np
import pytest
import torch
from torch import nn

from fixtures.other_device import OTHER, MixedDevicesError
from seqbench.config.arms import Arm
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES, DATASETS, OBJECTIVES, TASKS
from seqbench.datasets.base import cache_folder
from seqbench.plan.plan import Plan
from seqbench.storage.records import RunIdentity
from seqbench.training.batches import WindowTable
from seqbench.training.finetune import LabelledJob, trained_network
from seqbench.training.loop import fit
from seqbench.training.pretrain import Pretraining, build_objective
from seqbench.training.state import StateKeeper
from seqbench.training.supervised import Finetuning
from seqbench.windowing.windows import make_windows

SHORT = {"epochs": 1, "min_steps_per_epoch": 2, "max_steps_per_epoch": 2, "batch_size": 8}
ALL_ELSE = {
    "augment": ("jitter", "shift"),
    "class_weights": "balanced",
    "ema": 0.9,
    "label_smoothing": 0.1,
}


@pytest.fixture(scope="module")
def plan(pytestconfig):
    """The smoke benchmark, which has every registered name."""
    return Plan(Benchmark.read(pytestconfig.rootpath / "tests/data/config.smoke.yaml"))


@pytest.fixture(scope="module")
def windows(plan):
    """Return a function that makes the windows of a dataset, once."""
    made = {}

    def of(dataset):
        if dataset not in made:
            source = plan.job_settings.ingest(dataset)
            recordings = DATASETS[source.source](cache_folder(), **source.options)
            made[dataset] = make_windows(recordings, plan.job_settings.window(dataset))
        return made[dataset]

    return of


def job_of(plan, run, **changes):
    labels = float(run.labels)
    settings = plan.job_settings.finetune(run.dataset, run.architecture, run.arm, labels)
    optimizer = settings.optimizer.model_copy(update=SHORT | changes)
    identity = RunIdentity(
        dataset=run.dataset,
        architecture=run.architecture,
        arm=run.arm,
        labels=labels,
        seed=run.seed,
    )
    return LabelledJob(
        windows=None,
        settings=settings.model_copy(update={"optimizer": optimizer}),
        run=identity,
        device=str(OTHER),
    )


def train_and_predict(job, splits, device):
    trained = trained_network(job, splits["train"], splits["val"], device, None)
    predicted = trained.predicted()
    task = TASKS[job.settings.task](**job.settings.task_options)
    task.tune(splits["val"], predicted, are_probabilities=True, data=trained.header)
    return trained.network


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_a_training_and_its_predictions_mix_no_devices(architecture, plan, windows, other_device):
    one_of_each_task = {
        plan.benchmark.task(run.dataset): run
        for run in reversed(plan.trained)
        if run.architecture == architecture and run.arm == "scratch"
    }
    for run in one_of_each_task.values():
        splits = windows(run.dataset)
        with other_device() as device:
            network = train_and_predict(job_of(plan, run), splits, device)

            assert {weights.device for weights in network.parameters()} <= {device}


@pytest.mark.parametrize("option", list(ALL_ELSE))
def test_options_of_a_training_mix_no_devices(option, plan, windows, other_device):
    run = next(run for run in plan.trained if run.architecture == "cnn1d")
    with other_device() as device:
        train_and_predict(
            job_of(plan, run, **{option: ALL_ELSE[option]}), windows("tiny_waves"), device
        )


def test_a_training_goes_on_from_its_state(plan, windows, other_device, tmp_path, monkeypatch):
    run = next(run for run in plan.trained if run.architecture == "lstm")
    job, splits = job_of(plan, run, epochs=2, ema=0.9), windows(run.dataset)
    own, n_steps = Finetuning.loss, []

    def stopping(finetuning, batch):
        n_steps.append(1)
        if len(n_steps) == 4:
            raise KeyboardInterrupt
        return own(finetuning, batch)

    def train(device, folder):
        keeper = StateKeeper(tmp_path / folder, dict, every_s=0.0)
        trained = trained_network(job, splits["train"], splits["val"], device, keeper)
        return [weights.tolist() for weights in trained.network.state_dict().values()]

    with other_device() as device:
        whole = train(device, "whole")
        monkeypatch.setattr(Finetuning, "loss", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(device, "stopped")

        assert train(device, "stopped") == whole


@pytest.mark.parametrize("objective", list(OBJECTIVES))
def test_pretraining_mixes_no_devices(objective, plan, windows, other_device):
    run = next(run for run in plan.trained if Arm.parse(run.arm).objective == objective)
    train = windows(run.dataset)["train"]
    settings = plan.job_settings.pretrain(run.architecture, objective)
    with other_device() as device:
        table = WindowTable(train, device, with_targets=False)
        built = build_objective(settings, len(train.channels), train.sampling_rate_hz).to(device)
        index = torch.arange(8)
        fit(
            Pretraining(built),
            table,
            index,
            lambda: table.batches(8, index),
            settings.optimizer.model_copy(update=SHORT),
            loss_name="monitor_loss",
            generator=torch.Generator().manual_seed(0),
            label=objective,
        )


REFUSED = {
    "sum": lambda here, there: here + there,
    "stack": lambda here, there: torch.stack([here.sum(), there.sum()]),
    "layer": lambda here, there: nn.Linear(3, 2)(there),
    "index": lambda here, there: here[there.long()],
    "array": lambda here, there: there.numpy(),
    "asarray": lambda here, there: np.asarray(there),
    "generator": lambda here, there: torch.rand(3, generator=torch.Generator(), device=OTHER),
    "new": lambda here, there: there * torch.arange(3),
}
ALLOWED = {
    "number": lambda here, there: there * here.sum(),
    "index": lambda here, there: there[here.long()],
    "move": lambda here, there: there + here.to(there.device),
    "like": lambda here, there: there * torch.arange(3, device=there.device),
    "copy": lambda here, there: there.copy_(here),
    "layer": lambda here, there: nn.Linear(3, 2).to(OTHER)(there),
    "array": lambda here, there: torch.from_numpy(there.cpu().numpy()).to(OTHER),
    "generator": lambda here, there: torch.rand(3, generator=torch.Generator(OTHER), device=OTHER),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_a_gpu_refuses_is_refused(name, other_device):
    with other_device(), pytest.raises(MixedDevicesError):
        REFUSED[name](torch.zeros(3), torch.zeros(3).to(OTHER))


@pytest.mark.parametrize("name", list(ALLOWED))
def test_what_a_gpu_does_lies_on_it(name, other_device):
    with other_device():
        assert ALLOWED[name](torch.zeros(3), torch.zeros(3).to(OTHER)).device == OTHER
