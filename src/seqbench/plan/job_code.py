"""The code that each job depends on: its step and the registered modules that it uses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from seqbench.config.registry import (
    ARCHITECTURES,
    BASELINES,
    DATASETS,
    EVIDENCE,
    FIGURES,
    METRICS,
    OBJECTIVES,
    TASK_ANALYSES,
    TASK_WINDOWS,
    TASKS,
)
from seqbench.process.code_digest import source_digest

if TYPE_CHECKING:
    from seqbench.config.benchmark import Benchmark

PREDICTORS = {"baseline": "seqbench.baselines.predict", "model": "seqbench.training.model"}


class JobCode:
    """Modules of each job, from which its code digest is made.

    Registries import by name, which no import statement shows: the modules
    behind the names that a job uses stand beside the module of its step.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._digests: dict[tuple[Hashable, ...], str] = {}

    def digest(self, step: str, *arguments: Hashable) -> str:
        """Return the code digest of jobs of a rule, made once for all that agree in `arguments`.

        Parameters
        ----------
        step
            One of the rules below.
        *arguments
            What its method takes.
        """
        key = (step, *arguments)
        if key not in self._digests:
            self._digests[key] = source_digest(*getattr(self, step)(*arguments))
        return self._digests[key]

    def ingest(self, dataset: str) -> list[str]:
        """Modules of the rule `ingest`."""
        source = self.benchmark.all_datasets[dataset].source
        return ["seqbench.steps.ingest", DATASETS.entry(source).module]

    def window(self, dataset: str) -> list[str]:
        """Modules of the rule `window`."""
        task = self.benchmark.task(dataset)
        return ["seqbench.steps.window", TASK_WINDOWS.entry(task).module]

    def overlap(self, dataset: str, source: str) -> list[str]:
        """Modules of the rule `overlap`."""
        tasks = dict.fromkeys(map(self.benchmark.task, (dataset, source)))
        return ["seqbench.steps.overlap", *(TASK_WINDOWS.entry(task).module for task in tasks)]

    def pretrain(self, architecture: str, objective: str) -> list[str]:
        """Modules of the rule `pretrain`."""
        of = str(self.benchmark.all_objectives[objective].of)
        return ["seqbench.steps.pretrain", self._model(architecture), OBJECTIVES.entry(of).module]

    def tune(self, dataset: str, architecture: str) -> list[str]:
        """Modules of the rule `tune`, whose trials are scored."""
        _, *trained = self.finetune(dataset, architecture)
        return ["seqbench.steps.tune", *trained, *self._metrics(dataset)]

    def tune_baseline(self, dataset: str, baseline: str) -> list[str]:
        """Modules of the rule `tune_baseline`, whose trials are scored."""
        _, *fitted = self.fit_baseline(dataset, baseline)
        return ["seqbench.steps.tune_baseline", *fitted, *self._metrics(dataset)]

    def promote(self) -> list[str]:
        """Modules of the rule `promote`."""
        return ["seqbench.steps.promote"]

    def choose(self) -> list[str]:
        """Modules of the rule `choose`."""
        return ["seqbench.steps.choose"]

    def finetune(self, dataset: str, architecture: str) -> list[str]:
        """Modules of the rule `finetune`."""
        of = str(self.benchmark.all_architectures[architecture].of)
        starts_as = ARCHITECTURES.entry(of).tags.get("starts_as")
        start = [BASELINES.entry(starts_as).module] if starts_as else []
        model, task = self._model(architecture), self._task(dataset)
        return ["seqbench.steps.finetune", model, task, *start]

    def refit(self, dataset: str, architecture: str) -> list[str]:
        """Modules of the rule `refit`."""
        _, *trained = self.finetune(dataset, architecture)
        return ["seqbench.steps.refit", *trained]

    def fit_baseline(self, dataset: str, baseline: str) -> list[str]:
        """Modules of the rule `fit_baseline`."""
        return ["seqbench.steps.fit_baseline", self._model(baseline), self._task(dataset)]

    def evaluate(self, dataset: str, architecture: str) -> list[str]:
        """Modules of the rule `evaluate`: no other depends on a metric."""
        return [
            "seqbench.steps.evaluate",
            "seqbench.tasks.scoring",
            PREDICTORS["baseline" if architecture in BASELINES else "model"],
            self._model(architecture),
            self._task(dataset),
            *self._metrics(dataset),
            *self._analysis(dataset),
        ]

    def cross_window(self, dataset: str) -> list[str]:
        """Modules of the rule `cross_window`."""
        task = self.benchmark.task(dataset)
        return ["seqbench.steps.cross_window", TASK_WINDOWS.entry(task).module]

    def best(self, dataset: str, architectures: Iterable[str]) -> list[str]:
        """Modules of the rule `best`, which scores an ensemble of one of the architectures."""
        return [
            "seqbench.steps.best",
            PREDICTORS["model"],
            *map(self._model, architectures),
            self._task(dataset),
            *self._metrics(dataset),
        ]

    def report(self) -> list[str]:
        """Modules of the rule `report`; a figure of another task changes its code digest too."""
        registered = [of.entry(name).module for of in (EVIDENCE, FIGURES) for name in of]
        return ["seqbench.steps.report", *dict.fromkeys(registered)]

    def _metrics(self, dataset: str) -> list[str]:
        task = self.benchmark.task(dataset)
        entries = map(METRICS.entry, METRICS)
        return [entry.module for entry in entries if task in entry.tags["tasks"]]

    def _analysis(self, dataset: str) -> list[str]:
        task = self.benchmark.task(dataset)
        return [TASK_ANALYSES.entry(task).module] if task in TASK_ANALYSES else []

    def _task(self, dataset: str) -> str:
        return TASKS.entry(self.benchmark.task(dataset)).module

    def _model(self, name: str) -> str:
        """Return the module of a baseline, or of an architecture and its variants."""
        if name in BASELINES:
            return BASELINES.entry(name).module
        return ARCHITECTURES.entry(str(self.benchmark.all_architectures[name].of)).module
