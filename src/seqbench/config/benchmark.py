"""The configuration of a benchmark: closed, bounded, checked before the DAG is built.

`Benchmark` is what a user writes; `seqbench.plan.job_settings` slices it for single jobs.
"""

from functools import cached_property, reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field

from seqbench.config.arms import FILE, MODES, ArmName
from seqbench.config.checks import problems
from seqbench.config.datasets import DatasetEntry, FoldOf, Name, built_in_datasets, folds_of
from seqbench.config.energy import EnergySettings
from seqbench.config.messages import ConfigError, faults
from seqbench.config.options import Fraction, Level, NaturalNumber, Options
from seqbench.config.registry import ARCHITECTURES, DATASETS, OBJECTIVES
from seqbench.config.stages import STATE_EVERY_S, FinetuneSettings, PretrainSettings
from seqbench.config.tuning import TuneSettings
from seqbench.config.variants import (
    ArchitectureEntry,
    BaselineEntry,
    Variant,
    changed,
    with_registered,
)
from seqbench.config.yaml_files import read_yaml
from seqbench.errors import UserError

MOST_NAMED = 6  # datasets in a heading


class RunGrid(Options):
    """Runs to train: every combination of the lists."""

    datasets: list[Name] = Field(min_length=1, description="Names under `datasets` or built in.")
    architectures: list[Name] = Field(min_length=1, description="Registered architectures.")
    arms: list[ArmName] = Field(
        ["scratch"],
        min_length=1,
        description="How the encoder starts and what may move: scratch, random_frozen,"
        " <objective>_finetune (pretrained on the same dataset),"
        " <objective>_from_<dataset>_finetune (on another) or from_file_finetune (`init` of the"
        " architecture); with _probe in place of _finetune the encoder is frozen.",
    )
    labels: list[Fraction] = Field(
        [1.0], min_length=1, description="Fractions of the labelled train windows, above 0."
    )
    seeds: list[NaturalNumber] = Field(
        [0, 1, 2], min_length=1, description="Seeds of weights, batches and label draws."
    )
    test_on: list[Name] = Field(
        [],
        description="Other datasets on whose test the models of this entry are scored too, as they"
        " are: scale, thresholds and all that is chosen on val stay those of their own dataset.",
    )
    baselines: list[Name] | None = Field(
        None,
        description="Baselines for these datasets alone, where some would take too long; left out:"
        " those of the benchmark.",
    )


class Question(Options):
    """A comparison that the report makes of runs with all labels from scratch."""

    ask: str = Field(min_length=1, max_length=200, description="The question, as it is shown.")
    compare: list[Name] = Field(
        min_length=2, description="Architectures or datasets of the runs, or variants of them."
    )


class Benchmark(BaseModel):
    """A complete benchmark, as `config.yaml` states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: list[RunGrid] = Field(min_length=1, description="Grids of runs.")
    baselines: list[Name] = Field(
        ["majority", "mean", "persistence", "metronome"],
        description="Floors and ceilings, run on every dataset they fit.",
    )
    baseline_options: dict[Name, BaselineEntry] = Field({}, description="Options by baseline.")
    datasets: dict[Name, DatasetEntry] = Field(
        {}, description="Datasets by name; they add to the built-in ones or override them."
    )
    architectures: dict[Name, ArchitectureEntry] = Field(
        {},
        description="Options by architecture, what is not named keeps its default; under a name of"
        " its own with `of`, a variant.",
    )
    objectives: dict[Name, Variant] = Field(
        {}, description="Options by pretraining objective; under a name of its own, a variant."
    )
    tasks: dict[Name, dict[str, Any]] = Field(
        {}, description="Options by task: losses of its head, and how scores become predictions."
    )
    pretrain: PretrainSettings = PretrainSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    tune: TuneSettings = TuneSettings()
    questions: list[Question] = Field([], description="Comparisons that the report makes.")
    energy: EnergySettings = EnergySettings()
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = Field(
        "auto", description="Where models train: auto takes a GPU when there is one."
    )
    out_of_memory: Literal["refuse", "halve"] = Field(
        "refuse",
        description="What a training does whose batches a GPU has no room for: refuse stops with a"
        " sentence, halve begins anew with half of batch_size, once; log and report note it.",
    )
    memory_limit: Annotated[str, Field(pattern=r"^(auto|\d+(\.\d+)? ?[KMGT]?B)$")] = Field(
        "auto",
        description="Size such as 4GB above which data are read from disk as they are needed: auto"
        " is half of the memory that is available when a step starts, divided by the jobs that may"
        " run at once (`--cores`). It changes no result.",
    )
    state_every_s: Level = Field(
        STATE_EVERY_S,
        description="Seconds between two states of a training, from which it goes on after an"
        " interruption; 0: after every step.",
    )
    tensorboard: bool = Field(
        False,
        description="Write TensorBoard logs beside the histories; needs the extra of its name.",
    )
    title: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Heading of the report; empty: the names of its datasets.",
    )

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Self:
        """Check a configuration as YAML or Snakemake hands it over.

        Parameters
        ----------
        raw
            Keys as in `config.yaml`; built-in datasets are added.

        Raises
        ------
        ConfigError
            With one sentence for each problem found.
        """
        if found := list(faults(cls, raw)):
            raise ConfigError(found)
        benchmark = cls.model_validate(raw)
        if found := list(problems(benchmark)):
            raise ConfigError(found)
        return benchmark

    @classmethod
    def read(cls, *paths: Path) -> Self:
        """Read and check YAML files, merged in turn: mappings key by key, the rest replaced."""
        return cls.load(reduce(_merged, map(_yaml_mapping, paths), {}))

    def to_yaml(self) -> str:
        """Return the whole configuration, defaults included."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @property
    def heading(self) -> str:
        """Heading of the report."""
        names = list(dict.fromkeys(name for grid in self.runs for name in grid.datasets))
        shown = names if len(names) <= MOST_NAMED else names[: MOST_NAMED - 1]
        more = [f"{len(names) - len(shown)} more"] if len(shown) < len(names) else []
        return self.title or ", ".join([*shown, *more])

    @cached_property
    def named_datasets(self) -> dict[str, DatasetEntry]:
        """Built-in datasets and the user's, the user's first in case of conflict."""
        return built_in_datasets() | self.datasets

    @cached_property
    def folds(self) -> dict[str, FoldOf]:
        """Folds by name, of every dataset that has some."""
        return folds_of(self.named_datasets)

    @cached_property
    def all_datasets(self) -> dict[str, DatasetEntry]:
        """Named datasets, and folds with the entry of the dataset that they are of."""
        entries = self.named_datasets
        return entries | {name: entries[one.dataset] for name, one in self.folds.items()}

    def base_dataset(self, dataset: str) -> str:
        """Return the dataset that a fold is of; any other is itself."""
        return self.folds[dataset].dataset if dataset in self.folds else dataset

    def folds_of(self, dataset: str) -> list[str]:
        """Return the folds of a dataset, or itself where it has none."""
        return [name for name, one in self.folds.items() if one.dataset == dataset] or [dataset]

    @cached_property
    def all_architectures(self) -> dict[str, ArchitectureEntry]:
        """Registered architectures and variants of them, `of` filled in."""
        return with_registered(ARCHITECTURES, self.architectures, ArchitectureEntry())

    @cached_property
    def all_objectives(self) -> dict[str, Variant]:
        """Registered objectives and variants of them, `of` filled in."""
        return with_registered(OBJECTIVES, self.objectives, Variant())

    def pretraining(self, architecture: str) -> PretrainSettings:
        """Return how encoders of an architecture are pretrained."""
        if architecture not in self._pretrainings:
            own = self.all_architectures[architecture].pretrain
            self._pretrainings[architecture] = changed(self.pretrain, own)
        return self._pretrainings[architecture]

    @cached_property
    def _pretrainings(self) -> dict[str, PretrainSettings]:
        """Those that were requested before: a plan requests one for each run."""
        return {}

    def finetuning(self, architecture: str) -> FinetuneSettings:
        """Return how models of an architecture are trained."""
        if architecture not in self._finetunings:
            own = self.all_architectures[architecture].finetune
            self._finetunings[architecture] = changed(self.finetune, own)
        return self._finetunings[architecture]

    @cached_property
    def _finetunings(self) -> dict[str, FinetuneSettings]:
        """Those that were requested before: a plan requests one for each run."""
        return {}

    def arm_names(self) -> list[str]:
        """Return every legal arm but those that pretrain on another dataset."""
        starts = (*self.all_objectives, FILE)
        pretrained = [f"{name}_{mode}" for name in starts for mode in MODES]
        return ["scratch", "random_frozen", *pretrained]

    def is_causal(self, architecture: str) -> bool:
        """Return whether an architecture reads a signal as it comes."""
        entry = self.all_architectures[architecture]
        options = ARCHITECTURES.entry(str(entry.of)).tags.get("causal_with")
        chosen = entry.options
        return options is not None and all(chosen.get(key) == options[key] for key in options)

    def sample(self, dataset: str) -> str:
        """Return the kind of sample that a dataset holds: series, tokens or video."""
        return str(DATASETS.entry(self.all_datasets[dataset].source).tags["sample"])

    def task(self, dataset: str) -> str:
        """Return the task of a dataset: its own `task` option, else what its source is made for."""
        if dataset not in self._tasks:
            entry = self.all_datasets[dataset]
            source = DATASETS.entry(entry.source)
            options = source.options.model_validate(entry.source_options)
            self._tasks[dataset] = str(getattr(options, "task", source.tags["task"]))
        return self._tasks[dataset]

    @cached_property
    def _tasks(self) -> dict[str, str]:
        """Those that were requested before: a plan requests one for each run."""
        return {}


def _yaml_mapping(path: Path) -> dict[str, Any]:
    try:
        raw = read_yaml(path)
    except UserError as error:
        raise ConfigError([str(error)]) from None
    if not isinstance(raw, dict):
        raise ConfigError([f"{path}: holds no keys; it must at least have `runs`"])
    return raw


def _merged(first: Any, second: Any) -> Any:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    both = {key: _merged(first[key], second[key]) for key in first.keys() & second.keys()}
    return first | second | both
