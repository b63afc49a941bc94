"""The configuration of a benchmark: closed, bounded, checked before the DAG is built.

`Benchmark` is what a user writes; `seqbench.plan.job_settings` slices it for single jobs.
"""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from seqbench.config.messages import option_problems, sentence
from seqbench.config.options import Count, Fraction, Level, NaturalNumber, Options
from seqbench.config.registry import (
    ARCHITECTURES,
    BASELINES,
    DATASETS,
    OBJECTIVES,
    TASKS,
    Registry,
    suggestion,
)
from seqbench.config.stages import (
    STATE_EVERY_S,
    FinetuneSettings,
    Fold,
    PretrainSettings,
    SplitSettings,
    TransformSettings,
    WindowSettings,
)
from seqbench.config.yaml_files import read_yaml
from seqbench.errors import UserError, one_line

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
BUILT_IN_DATASETS = Path(__file__).parent.parent / "datasets" / "builtin.yaml"


Entry = TypeVar("Entry", bound="Variant")
Settings = TypeVar("Settings", bound=Options)


class ConfigError(UserError):
    """Everything that is wrong with a configuration, one sentence a line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = [one_line(problem) for problem in problems]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            "\n".join([f"the configuration has {count}:", *(f"  {p}" for p in self.problems)])
        )


class RunGrid(Options):
    """Runs to train: every combination of the lists."""

    datasets: list[Name] = Field(min_length=1, description="Names under `datasets` or built in.")
    architectures: list[Name] = Field(min_length=1, description="Registered architectures.")
    arms: list[Name] = Field(
        ["scratch"],
        min_length=1,
        description="How the encoder starts and what may move: scratch, random_frozen,"
        " <objective>_probe or <objective>_finetune.",
    )
    labels: list[Fraction] = Field(
        [1.0], min_length=1, description="Fractions of the labelled train windows, above 0."
    )
    seeds: list[NaturalNumber] = Field(
        [0, 1, 2], min_length=1, description="Seeds of weights, batches and label draws."
    )
    baselines: list[Name] | None = Field(
        None,
        description="Baselines for these datasets alone, where some would take too long; left out:"
        " those of the benchmark.",
    )


# Settings of windows that cover whole recordings.
SLIDING = {"length_samples", "overlap", "step_samples"}


class DatasetEntry(BaseModel):
    """One dataset: a source, its options beside it, and how it is split and cut."""

    model_config = ConfigDict(extra="allow", frozen=True)

    source: str = Field(description="Registered source; its own options stand beside this key.")
    licence: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Under which the data may be used, for the report; empty: what the source says."
        " Changing it trains nothing.",
    )
    citation: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="What to cite for the data, for the report; empty: what the source says.",
    )
    split: SplitSettings = SplitSettings()
    transform: TransformSettings = TransformSettings()
    window: WindowSettings = WindowSettings()
    normalization: Literal["zscore", "robust", "per_recording", "per_window", "none"] = Field(
        "zscore",
        description="zscore and robust take one centre and scale per channel from train;"
        " per_recording and per_window take a mean and deviation from each recording or window,"
        " wherever it belongs. Tokens are never normalised.",
    )

    @model_validator(mode="after")
    def _statistics_are_of_what_they_should_be(self) -> Self:
        if self.window.pad_to_samples and self.normalization == "per_window":
            raise ValueError(
                "pad_to_samples would enter the statistics of per_window; choose another"
                " normalization, or leave the padding out"
            )
        if self.split.by == "time" and self.normalization == "per_recording":
            raise ValueError(
                "a split by time cuts through recordings, so statistics of per_recording would hold"
                " val and test; choose another normalization"
            )
        return self

    @property
    def source_options(self) -> dict[str, Any]:
        """Keys that belong to the source."""
        return dict(self.model_extra or {})


class FoldOf(NamedTuple):
    """A fold, and the dataset it is one of."""

    whole: str
    fold: Fold


class Variant(BaseModel):
    """Options of something registered, under its own name or another."""

    model_config = ConfigDict(extra="allow", frozen=True)

    of: str | None = Field(
        None, description="Registered name whose options these are; empty: the key itself."
    )

    @property
    def options(self) -> dict[str, Any]:
        """Keys that belong to what is registered."""
        return dict(self.model_extra or {})


class ArchitectureEntry(Variant):
    """An architecture or a variant of one, and how its training differs from the others'."""

    embedding_size: Count = Field(
        32, description="Numbers that a token becomes; series are taken as they are."
    )
    pretrain: dict[str, Any] = Field({}, description="Settings of `pretrain` that differ here.")
    finetune: dict[str, Any] = Field({}, description="Settings of `finetune` that differ here.")


class Question(Options):
    """What the report is to answer from runs with all labels from scratch."""

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
    baseline_options: dict[Name, dict[str, Any]] = Field({}, description="Options by baseline.")
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
        {}, description="Options by task: losses of its head, and how scores become answers."
    )
    pretrain: PretrainSettings = PretrainSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    questions: list[Question] = Field(
        [], description="Questions that the report answers from its numbers."
    )
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = Field(
        "auto", description="Where models train: auto takes a GPU when there is one."
    )
    out_of_memory: Literal["refuse", "halve"] = Field(
        "refuse",
        description="What a training does whose batches a GPU has no room for: refuse stops with a"
        " sentence, halve begins anew with half of batch_size, once; log and report tell it.",
    )
    state_every_s: Level = Field(
        STATE_EVERY_S,
        description="Seconds between two states of a training, from which it goes on after an"
        " interruption; 0: after every step.",
    )
    tensorboard: bool = Field(True, description="Write TensorBoard logs beside the histories.")
    title: str = Field("seqbench", max_length=200, description="Heading of the report.")

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
        try:
            benchmark = cls.model_validate(raw)
        except ValidationError as error:
            raise ConfigError([sentence(cls, problem) for problem in error.errors()]) from None
        problems = list(benchmark._unknown_names())
        if problems:
            raise ConfigError(problems)
        return benchmark

    @classmethod
    def read(cls, *paths: Path) -> Self:
        """Read and check YAML files, merged in turn: mappings key by key, the rest replaced."""
        merged: dict[str, Any] = {}
        for path in paths:
            merged = _merged(merged, _yaml_mapping(path))
        return cls.load(merged)

    def to_yaml(self) -> str:
        """Return the whole configuration, defaults included."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @cached_property
    def named_datasets(self) -> dict[str, DatasetEntry]:
        """Built-in datasets and the user's, the user's first in case of conflict."""
        return built_in_datasets() | self.datasets

    @cached_property
    def folds(self) -> dict[str, FoldOf]:
        """Folds by name, of every dataset that has some."""
        return {
            _fold_name(whole, fold): FoldOf(whole, fold)
            for whole, entry in self.named_datasets.items()
            for fold in _folds(entry.split)
        }

    @cached_property
    def all_datasets(self) -> dict[str, DatasetEntry]:
        """Named datasets, and folds with the entry of the dataset that they are of."""
        entries = self.named_datasets
        return entries | {name: entries[one.whole] for name, one in self.folds.items()}

    def whole(self, dataset: str) -> str:
        """Return the dataset that a fold is of; any other is itself."""
        return self.folds[dataset].whole if dataset in self.folds else dataset

    def parts(self, dataset: str) -> list[str]:
        """Return the folds of a dataset, or itself where it has none."""
        return [name for name, one in self.folds.items() if one.whole == dataset] or [dataset]

    @cached_property
    def all_architectures(self) -> dict[str, ArchitectureEntry]:
        """Registered architectures and variants of them, `of` filled in."""
        return _with_registered(ARCHITECTURES, self.architectures, ArchitectureEntry())

    @cached_property
    def all_objectives(self) -> dict[str, Variant]:
        """Registered objectives and variants of them, `of` filled in."""
        return _with_registered(OBJECTIVES, self.objectives, Variant())

    def pretraining(self, architecture: str) -> PretrainSettings:
        """Return how encoders of an architecture are pretrained."""
        return _changed(self.pretrain, self.all_architectures[architecture].pretrain)

    def finetuning(self, architecture: str) -> FinetuneSettings:
        """Return how models of an architecture are trained."""
        return _changed(self.finetune, self.all_architectures[architecture].finetune)

    def arm_names(self) -> list[str]:
        """Return every legal arm."""
        modes = ("probe", "finetune")
        pretrained = [f"{name}_{mode}" for name in self.all_objectives for mode in modes]
        return ["scratch", "random_frozen", *pretrained]

    def _unknown_names(self) -> Iterator[str]:
        for place, registry, names in (
            ("baselines", BASELINES, self.baselines),
            ("baseline_options", BASELINES, list(self.baseline_options)),
            ("tasks", TASKS, list(self.tasks)),
        ):
            yield from (f"{place}: {registry.unknown(n)}" for n in names if n not in registry)
        yield from _unknown_variants("architectures", ARCHITECTURES, self.architectures)
        yield from _unknown_variants("objectives", OBJECTIVES, self.objectives)
        for name in sorted(self.named_datasets.keys() & self.folds.keys()):
            yield f"datasets.{name}: a fold of '{self.whole(name)}' is called so; take another name"
        for name in self.architectures.keys() & set(BASELINES):
            yield f"architectures.{name}: a baseline is called so; take another name"
        for index, grid in enumerate(self.runs):
            for name in grid.datasets:
                if name not in self.all_datasets:
                    known = suggestion(name, list(self.named_datasets))
                    yield f"runs.{index}.datasets: unknown dataset '{name}'; {known}"
            for name in grid.architectures:
                if name not in self.all_architectures:
                    known = suggestion(name, list(self.all_architectures))
                    yield f"runs.{index}.architectures: unknown architecture '{name}'; {known}"
            for arm in grid.arms:
                if arm not in self.arm_names():
                    known = suggestion(arm, self.arm_names())
                    yield f"runs.{index}.arms: unknown arm '{arm}'; {known}"
            for name in grid.baselines or []:
                if name not in BASELINES:
                    yield f"runs.{index}.baselines: {BASELINES.unknown(name)}"
        yield from self._bad_questions()
        yield from self._bad_options()

    def _bad_questions(self) -> Iterator[str]:
        datasets = {name for grid in self.runs for name in grid.datasets}
        architectures = {name for grid in self.runs for name in grid.architectures}
        for index, question in enumerate(self.questions):
            place = f"questions.{index}.compare"
            for name in question.compare:
                if name not in datasets | architectures:
                    known = suggestion(name, sorted(datasets | architectures))
                    yield f"{place}: no run has '{name}'; {known}"
            named = set(question.compare)
            if named <= datasets | architectures and not (
                named <= datasets or named <= architectures
            ):
                yield f"{place}: compare architectures or datasets, not one with the other"

    def _bad_options(self) -> Iterator[str]:
        for name, dataset in self.datasets.items():
            if dataset.source not in DATASETS:
                yield f"datasets.{name}.source: {DATASETS.unknown(dataset.source)}"
            else:
                place, options = f"datasets.{name}", dataset.source_options
                found = list(option_problems(place, DATASETS, dataset.source, options))
                yield from found or self._bad_windows(name)
        for place, registry, chosen in (
            ("tasks", TASKS, self.tasks),
            ("baseline_options", BASELINES, self.baseline_options),
        ):
            for name, options in chosen.items():
                if name in registry:
                    yield from option_problems(f"{place}.{name}", registry, name, options)
        yield from _variant_problems("architectures", ARCHITECTURES, self.architectures)
        yield from _variant_problems("objectives", OBJECTIVES, self.objectives)
        for name, entry in self.architectures.items():
            place = f"architectures.{name}"
            yield from _setting_problems(f"{place}.pretrain", self.pretrain, entry.pretrain)
            yield from _setting_problems(f"{place}.finetune", self.finetune, entry.finetune)

    def _bad_windows(self, dataset: str) -> Iterator[str]:
        window = self.all_datasets[dataset].window
        unused = [
            name
            for name, field in WindowSettings.model_fields.items()
            if name not in SLIDING and getattr(window, name) != field.default
        ]
        task = self.task(dataset)
        if "horizon_samples" in unused:
            unused.remove("horizon_samples")
            if task != "forecasting":
                yield f"datasets.{dataset}.window.horizon_samples: {task} has none; take that out"
        if task in ("detection", "forecasting") and unused:
            yield (
                f"datasets.{dataset}.window: windows of {task} slide over whole recordings,"
                f" which leaves no part to {' and '.join(unused)}; take that out"
            )
        if self.sample(dataset) == "tokens":
            yield from self._bad_tokens(dataset)
        if task == "detection" and self.all_datasets[dataset].normalization == "per_recording":
            yield (
                f"datasets.{dataset}.normalization: events are found in recordings of any length"
                " while they last, before per_recording could know their mean; choose another one"
            )
        if task == "forecasting":
            yield from self._bad_forecasts(dataset)
        elif self.all_datasets[dataset].transform != TransformSettings():
            yield f"datasets.{dataset}.transform: only forecasts come back from it; take it out"

    def _bad_tokens(self, dataset: str) -> Iterator[str]:
        normalization = self.all_datasets[dataset].normalization
        # The default cannot be told from a choice of it, and does nothing to tokens.
        if normalization not in ("none", DatasetEntry.model_fields["normalization"].default):
            yield (
                f"datasets.{dataset}.normalization: tokens are never normalised, and"
                f" {normalization} has no part in them; take it out"
            )

    def _bad_forecasts(self, dataset: str) -> Iterator[str]:
        entry = self.all_datasets[dataset]
        if entry.window.length_samples is None:
            yield (
                f"datasets.{dataset}.window.length_samples: forecasting looks at so many samples"
                " before each horizon; give a number"
            )
        if entry.normalization in ("per_recording", "per_window"):
            yield (
                f"datasets.{dataset}.normalization: forecasts do not come back from"
                f" {entry.normalization}; choose another one"
            )
        if self.sample(dataset) == "video" and entry.transform != TransformSettings():
            yield (
                f"datasets.{dataset}.transform: frames of video are forecast as they are; take it"
                " out"
            )

    def sample(self, dataset: str) -> str:
        """Return the kind of sample that a dataset holds: series, tokens or video."""
        return str(DATASETS.entry(self.all_datasets[dataset].source).tags["sample"])

    def task(self, dataset: str) -> str:
        """Return the task of a dataset: its own `task` option, else what its source is made for."""
        entry = self.all_datasets[dataset]
        options = DATASETS.entry(entry.source).options.model_validate(entry.source_options)
        return str(getattr(options, "task", DATASETS.entry(entry.source).tags["task"]))


class Arm(BaseModel):
    """How the encoder starts and what may move."""

    model_config = ConfigDict(frozen=True)

    objective: str | None
    frozen: bool

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read an arm's name, which must be one of `Benchmark.arm_names`."""
        if name in ("scratch", "random_frozen"):
            return cls(objective=None, frozen=name == "random_frozen")
        objective, _, mode = name.rpartition("_")
        return cls(objective=objective, frozen=mode == "probe")


def _folds(split: SplitSettings) -> list[Fold]:
    """Return all folds of a dataset, repeat by repeat."""
    n_folds = split.folds or 0
    return [
        Fold(n_folds=n_folds, repeat=repeat, index=index)
        for repeat in range(split.repeats)
        for index in range(n_folds)
    ]


def _fold_name(dataset: str, fold: Fold) -> str:
    """Return a name that sorts by fold; it does not depend on how many repeats there are."""
    number = f"{fold.index + 1:0{len(str(fold.n_folds))}d}"
    return f"{dataset}-repeat{fold.repeat + 1}-fold{number}"


def _with_registered(
    registry: Registry, entries: dict[str, Entry], plain: Entry
) -> dict[str, Entry]:
    found = dict.fromkeys(registry, plain) | entries
    return {name: one.model_copy(update={"of": one.of or name}) for name, one in found.items()}


def _unknown_variants(
    place: str, registry: Registry, entries: Mapping[str, Variant]
) -> Iterator[str]:
    for name, entry in entries.items():
        if name in registry and entry.of not in (None, name):
            yield (
                f"{place}.{name}: this is itself a registered {registry.kind}; give the variant of"
                f" '{entry.of}' another name"
            )
        elif name not in registry and entry.of is None:
            yield (
                f"{place}: {registry.unknown(name)}; a variant says what of, as in"
                f" `{name}: {{of: {next(iter(registry))}}}`"
            )
        elif (entry.of or name) not in registry:
            yield f"{place}.{name}.of: {registry.unknown(str(entry.of))}"


def _variant_problems(
    place: str, registry: Registry, entries: Mapping[str, Variant]
) -> Iterator[str]:
    for name, entry in entries.items():
        if (of := entry.of or name) in registry:
            yield from option_problems(f"{place}.{name}", registry, of, entry.options)


def _changed(settings: Settings, change: dict[str, Any]) -> Settings:
    """Return settings with some of them changed, checked anew."""
    return type(settings).model_validate(settings.model_dump() | change)


def _setting_problems(place: str, settings: Options, change: dict[str, Any]) -> Iterator[str]:
    try:
        _changed(settings, change)
    except ValidationError as error:
        for problem in error.errors():
            yield sentence(type(settings), problem, place=f"{place}.")


@cache
def built_in_datasets() -> dict[str, DatasetEntry]:
    """Return the datasets that need no entry in the config."""
    raw = yaml.safe_load(BUILT_IN_DATASETS.read_text(encoding="utf-8"))
    return {name: DatasetEntry.model_validate(entry) for name, entry in raw.items()}


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
