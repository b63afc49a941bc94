"""Trainings that benchmarks measure: one of each architecture, on data that need no internet."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES, DATASETS
from seqbench.config.stages import FinetuneSettings
from seqbench.datasets.base import cache_folder
from seqbench.plan.job_settings import FinetuneJobSettings
from seqbench.plan.plan import Plan
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import WindowSet
from seqbench.training.batches import WindowTable, labelled_subset
from seqbench.training.finetune import LabelledJob, TrainedNetwork, network_header, start
from seqbench.training.finetune import trained_network as trained
from seqbench.training.model import Model, build_model
from seqbench.windowing.windows import make_windows

CONFIG = Path(__file__).with_name("gpu.yaml")
CHANCE = ("dropout", "jitter")  # options of architectures that draw in every step


@dataclass(frozen=True)
class Case:
    """A run of `gpu.yaml`, and the windows that it learns from."""

    run: RunIdentity
    settings: FinetuneJobSettings
    train: WindowSet
    val: WindowSet

    @property
    def name(self) -> str:
        """Architecture and dataset."""
        return f"{self.run.architecture} on {self.run.dataset}"

    @cached_property
    def drawn(self) -> Tensor:
        """The windows of train that have labels, (n,) int64."""
        return torch.from_numpy(labelled_subset(self.train, 1.0, self.run.seed))

    def with_optimizer(self, **changes: Any) -> "Case":
        """Return the same with other settings of the training."""
        optimizer = FinetuneSettings(**{**self.settings.optimizer.model_dump(), **changes})
        return replace(self, settings=self.settings.model_copy(update={"optimizer": optimizer}))

    def without_chance(self) -> "Case":
        """Return the same without dropout and noise, which differ from device to device."""
        options = self.settings.architecture_options
        calm = options | {name: 0.0 for name in CHANCE if name in options}
        settings = self.settings.model_copy(update={"architecture_options": calm})
        return replace(self, settings=settings).with_optimizer(head_dropout=0.0)

    def model(self, seed: int = 0) -> Model:
        """Return the network on the CPU as it is before the first step."""
        torch.manual_seed(seed)
        model = build_model(network_header(self.settings, self.train))
        starts_as = ARCHITECTURES.entry(self.settings.architecture).tags.get("starts_as")
        if starts_as:
            start(model.encoder, starts_as, self.train, self.drawn.numpy(), seed)
        return model

    def table(self, device: torch.device) -> WindowTable:
        """Return the windows of train on a device; they do not move."""
        return WindowTable(self.train, device)

    def trained(self, device: torch.device, threads: int = 1) -> TrainedNetwork:
        """Train as the step `finetune` does, on windows in memory."""
        job = LabelledJob(
            windows=Path(),
            settings=self.settings,
            run=self.run,
            device=str(device),
            threads=threads,
        )
        return trained(job, self.train, self.val, device, keeper=None)


def cases(*, one_each: bool = False, only: tuple[str, ...] = ()) -> Iterator[Case]:
    """Yield the runs of `gpu.yaml` in their order.

    Parameters
    ----------
    one_each
        Leave out runs whose architecture was there before.
    only
        Architectures; without any, all.
    """
    plan = Plan(Benchmark.read(CONFIG))
    slices = plan.job_settings
    windows: dict[str, dict[Any, WindowSet]] = {}
    seen = set()
    for run in plan.trained:
        if (one_each and run.architecture in seen) or (only and run.architecture not in only):
            continue
        seen.add(run.architecture)
        if run.dataset not in windows:
            source = slices.ingest(run.dataset)
            recordings = DATASETS[source.source](cache_folder(), **source.options)
            windows = {run.dataset: dict(make_windows(recordings, slices.window(run.dataset)))}
        yield Case(
            RunIdentity(
                dataset=run.dataset,
                architecture=run.architecture,
                arm=run.arm,
                labels=float(run.labels),
                seed=run.seed,
            ),
            slices.finetune(run.dataset, run.architecture, run.arm, float(run.labels)),
            windows[run.dataset]["train"],
            windows[run.dataset]["val"],
        )


def picked(target: Any, rows: Tensor) -> Any:
    """Return some rows of a target of a task: a tensor, or tensors in a dataclass."""
    if isinstance(target, Tensor):
        return target[rows]
    if is_dataclass(target) and not isinstance(target, type):
        return replace(
            target, **{one.name: picked(getattr(target, one.name), rows) for one in fields(target)}
        )
    return target


def finish(device: torch.device) -> None:
    """Wait until a device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
