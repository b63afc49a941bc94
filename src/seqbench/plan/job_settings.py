"""The settings of single jobs: slices of a benchmark as canonical JSON.

A job re-runs when its own slice changes and at no other time. Identity (names,
seeds) and paths are separate arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqbench.config.arms import Arm
from seqbench.config.options import Fraction, Options, canonical_json
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, OBJECTIVES, TASKS, Registry
from seqbench.config.rungs import shortened
from seqbench.config.stages import (
    FinetuneSettings,
    Fold,
    PretrainSettings,
    RenameSettings,
    SplitSettings,
    TransformSettings,
    WindowSettings,
)
from seqbench.config.tuning import Point
from seqbench.config.variants import BaselineEntry, changed

if TYPE_CHECKING:
    from seqbench.config.benchmark import Benchmark


class IngestJobSettings(Options):
    """Where recordings come from."""

    source: str
    options: dict[str, Any]


class WindowJobSettings(Options):
    """How one dataset is named, split, cut and normalised."""

    rename: RenameSettings = RenameSettings()
    split: SplitSettings
    fold: Fold | None = None
    transform: TransformSettings = TransformSettings()
    window: WindowSettings
    normalization: str


class CrossWindowJobSettings(Options):
    """How test of a dataset is told apart, and how a model of another one takes its windows."""

    own: WindowJobSettings
    like: WindowJobSettings


class OverlapJobSettings(Options):
    """How the windows of a dataset and of another one were made, whose recordings are compared."""

    own: WindowJobSettings
    source: WindowJobSettings


class PretrainJobSettings(Options):
    """One encoder to train without labels."""

    architecture: str
    architecture_options: dict[str, Any]
    objective: str
    objective_options: dict[str, Any]
    optimizer: PretrainSettings


class FinetuneJobSettings(Options):
    """One run to train with labels; only tokens have an `embedding_size`."""

    task: str
    task_options: dict[str, Any]
    architecture: str
    architecture_options: dict[str, Any]
    embedding_size: int | None = None
    frozen: bool
    labels: Fraction
    optimizer: FinetuneSettings


class BaselineJobSettings(Options):
    """One floor or ceiling to fit."""

    task: str
    task_options: dict[str, Any]
    baseline: str
    options: dict[str, Any]


class TrialJobSettings(Options):
    """One trial of a network: its options among those that are searched, and its training."""

    options: dict[str, Any]
    training: FinetuneJobSettings


class BaselineTrialJobSettings(Options):
    """The same of a baseline."""

    options: dict[str, Any]
    fit: BaselineJobSettings


class EvaluateJobSettings(Options):
    """One model to score."""

    task: str


class BestJobSettings(Options):
    """The runs that a model is selected from, and what its card says of the data."""

    runs: list[str]
    dataset: dict[str, Any]


class JobSettings:
    """Slices of a benchmark, one for each kind of job, with every default filled in."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._texts: dict[tuple[str, str], str] = {}

    def text(self, step: str, *arguments: Any) -> str:
        """Return the slice of a rule as JSON, one text for all jobs that agree in `arguments`.

        Parameters
        ----------
        step
            One of the rules below.
        *arguments
            What its method takes.
        """
        key = (step, canonical_json(arguments))
        if key not in self._texts:
            self._texts[key] = getattr(self, step)(*arguments).to_json()
        return self._texts[key]

    def ingest(self, dataset: str) -> IngestJobSettings:
        """Slice of the rule `ingest`."""
        entry = self.benchmark.all_datasets[dataset]
        options = _filled(DATASETS, entry.source, entry.source_options)
        return IngestJobSettings(source=entry.source, options=options)

    def window(self, dataset: str) -> WindowJobSettings:
        """Slice of the rule `window`."""
        entry = self.benchmark.all_datasets[dataset]
        one = self.benchmark.folds.get(dataset)
        return WindowJobSettings(
            rename=entry.rename,
            split=entry.split.of_fold(),
            fold=None if one is None else one.fold,
            transform=entry.transform,
            window=entry.window,
            normalization=entry.normalization,
        )

    def cross_window(self, dataset: str, tested_on: str) -> CrossWindowJobSettings:
        """Slice of the rule `cross_window`."""
        return CrossWindowJobSettings(own=self.window(tested_on), like=self.window(dataset))

    def overlap(self, dataset: str, source: str) -> OverlapJobSettings:
        """Slice of the rule `overlap`."""
        return OverlapJobSettings(own=self.window(dataset), source=self.window(source))

    def pretrain(
        self, architecture: str, objective: str, point: Point | None = None
    ) -> PretrainJobSettings:
        """Slice of the rule `pretrain`; a point holds the options that a search has chosen."""
        encoder = self.benchmark.all_architectures[architecture].at(point or {})
        chosen = self.benchmark.all_objectives[objective]
        return PretrainJobSettings(
            architecture=str(encoder.of),
            architecture_options=_filled(ARCHITECTURES, str(encoder.of), encoder.options),
            objective=str(chosen.of),
            objective_options=_filled(OBJECTIVES, str(chosen.of), chosen.options),
            optimizer=self.benchmark.pretraining(architecture),
        )

    def finetune(
        self, dataset: str, architecture: str, arm: str, labels: float, point: Point | None = None
    ) -> FinetuneJobSettings:
        """Slice of the rule `finetune`; a point holds the options that a search has chosen."""
        encoder = self.benchmark.all_architectures[architecture].at(point or {})
        return FinetuneJobSettings(
            task=self.benchmark.task(dataset),
            task_options=self._task_options(dataset),
            architecture=str(encoder.of),
            architecture_options=_filled(ARCHITECTURES, str(encoder.of), encoder.options),
            # Runs on series do not depend on it, so changing it must not train them again.
            embedding_size=encoder.embedding_size
            if self.benchmark.sample(dataset) == "tokens"
            else None,
            frozen=Arm.parse(arm).frozen,
            labels=labels,
            # A first training is the same whether another follows it.
            optimizer=changed(self.benchmark.finetune, encoder.finetune | {"refit": False}),
        )

    def refit(
        self, dataset: str, architecture: str, arm: str, labels: float, point: Point | None = None
    ) -> FinetuneJobSettings:
        """Slice of the rule `refit`: that of the training before."""
        first = self.finetune(dataset, architecture, arm, labels, point)
        return first.model_copy(update={"optimizer": changed(first.optimizer, {"refit": True})})

    def tune(
        self, dataset: str, architecture: str, point: Point, divisor: int = 1
    ) -> TrialJobSettings:
        """Slice of the rule `tune`: a training from scratch with all labels.

        Of its epochs it takes the part that `divisor` gives.
        """
        whole = self.finetune(dataset, architecture, "scratch", 1.0, point)
        optimizer = shortened(whole.optimizer, divisor)
        training = whole.model_copy(update={"optimizer": optimizer})
        return TrialJobSettings(options=point, training=training)

    def tune_baseline(self, dataset: str, baseline: str, point: Point) -> BaselineTrialJobSettings:
        """Slice of the rule `tune_baseline`."""
        return BaselineTrialJobSettings(
            options=point, fit=self.fit_baseline(dataset, baseline, point)
        )

    def fit_baseline(
        self, dataset: str, baseline: str, point: Point | None = None
    ) -> BaselineJobSettings:
        """Slice of the rule `fit_baseline`; a point holds the options that a search has chosen."""
        entry = self.benchmark.baseline_options.get(baseline, BaselineEntry()).at(point or {})
        return BaselineJobSettings(
            task=self.benchmark.task(dataset),
            task_options=self._task_options(dataset),
            baseline=baseline,
            options=_filled(BASELINES, baseline, entry.options),
        )

    def evaluate(self, dataset: str) -> EvaluateJobSettings:
        """Slice of the rule `evaluate`."""
        return EvaluateJobSettings(task=self.benchmark.task(dataset))

    def _task_options(self, dataset: str) -> dict[str, Any]:
        task = self.benchmark.task(dataset)
        return _filled(TASKS, task, self.benchmark.tasks.get(task, {}))


def _filled(registry: Registry, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return `options` with the registered defaults, as JSON values."""
    return registry.entry(name).options.model_validate(options).model_dump(mode="json")
