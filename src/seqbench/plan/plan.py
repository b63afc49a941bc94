"""From a checked configuration to the list of legal runs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from seqbench import layout
from seqbench.config.arms import Arm
from seqbench.config.benchmark import Benchmark, RunGrid
from seqbench.config.messages import ConfigError
from seqbench.config.options import MOVING
from seqbench.config.registry import ARCHITECTURES, BASELINES, OBJECTIVES, TASKS
from seqbench.config.rungs import Rung
from seqbench.config.search_space import points_of, rungs_of, trainings_of
from seqbench.config.tuning import Point
from seqbench.plan.baseline_fit import misfit
from seqbench.plan.crossed import is_comparable, unfit_tests
from seqbench.plan.job_settings import BestJobSettings, JobSettings
from seqbench.plan.pretrained_arms import unfit_starts, unused_files

BASELINE = "baseline"  # in place of an arm


class Model(NamedTuple):
    """An architecture or baseline, and its arm."""

    architecture: str
    arm: str

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.arm == BASELINE

    @property
    def name(self) -> str:
        """Architecture and arm, as figures and sentences name the model."""
        return f"{self.architecture} · {self.arm}"


@dataclass(frozen=True, order=True)
class Run:
    """Identity of one trained and evaluated model."""

    dataset: str
    architecture: str
    arm: str
    labels: str
    seed: int

    @property
    def model(self) -> Model:
        """What is trained or fitted, on whatever data."""
        return Model(self.architecture, self.arm)

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.model.is_baseline

    def fill(self, pattern: str) -> str:
        """Fill the wildcards of a path pattern."""
        return pattern.format_map(vars(self))


class Pretraining(NamedTuple):
    """Identity of one encoder that is trained without labels, on the train windows of `dataset`."""

    dataset: str
    architecture: str
    objective: str
    seed: int

    def fill(self, pattern: str) -> str:
        """Fill the wildcards of a path pattern."""
        return pattern.format(**self._asdict())


class Pair(NamedTuple):
    """A dataset, and another that models were trained on before they came to it."""

    dataset: str
    source: str


class Crossing(NamedTuple):
    """A run, and another dataset on whose test its model is scored."""

    run: Run
    tested_on: str

    def fill(self, pattern: str) -> str:
        """Fill the wildcards of a path pattern."""
        return pattern.format_map(vars(self.run) | {"tested_on": self.tested_on})


class Plan:
    """What a benchmark trains, fits and scores, each run once.

    Parameters
    ----------
    benchmark
        A checked configuration.
    unfinished
        Runs of the configuration that are left out, as they have no results yet.

    Raises
    ------
    ConfigError
        If a named combination is illegal; the sentence gives the reason.
    """

    def __init__(self, benchmark: Benchmark, unfinished: Collection[Run] = ()) -> None:
        self.benchmark = benchmark
        self.unfinished = frozenset(unfinished)
        self.job_settings = JobSettings(benchmark)
        self._trials: dict[str, list[Point]] = {}
        self._rungs: dict[str, list[Rung]] = {}
        problems = sorted(set(self._illegal()))
        if problems:
            raise ConfigError(problems)

    @cached_property
    def requested(self) -> "Plan":
        """The plan with nothing left out."""
        return Plan(self.benchmark) if self.unfinished else self

    @cached_property
    def trained(self) -> list[Run]:
        """Runs of architectures."""
        runs = dict.fromkeys(run for grid in self.benchmark.runs for run in self._of_grid(grid))
        return [run for run in runs if run not in self.unfinished]

    @cached_property
    def baselines(self) -> list[Run]:
        """Runs of baselines on every dataset they fit, with all seeds if chance plays a part."""
        runs = dict.fromkeys(run for one in self.benchmark.runs for run in self._baselines_of(one))
        return [run for run in runs if run not in self.unfinished]

    def _baselines_of(self, grid: RunGrid) -> Iterator[Run]:
        """Yield the baselines on the datasets of one entry of `runs`, on every fold."""
        names = self.benchmark.baselines if grid.baselines is None else grid.baselines
        of_grid = dict.fromkeys((run.dataset, run.seed) for run in self._of_grid(grid))
        fitting = {
            dataset: [name for name in names if not misfit(self.benchmark, name, dataset)]
            for dataset in dict.fromkeys(dataset for dataset, _ in of_grid)
        }
        for dataset, seed in of_grid:
            for name in fitting[dataset]:
                own_seed = seed if BASELINES.entry(name).tags.get("stochastic") else 0
                yield Run(dataset, name, BASELINE, "1", own_seed)

    @property
    def runs(self) -> list[Run]:
        """Every run, baselines last."""
        return [*self.trained, *self.baselines]

    @cached_property
    def datasets(self) -> list[str]:
        """Datasets that some run uses, each fold one, in the order of the config."""
        return list(dict.fromkeys(run.dataset for run in self.trained))

    @cached_property
    def base_datasets(self) -> list[str]:
        """Datasets that some run uses as the report shows them: folds together."""
        return list(dict.fromkeys(map(self.benchmark.base_dataset, self.datasets)))

    @cached_property
    def windowed(self) -> list[str]:
        """Datasets of which windows are cut, each fold one: those of runs and of pretraining."""
        others = [name for pair in self.overlaps for name in pair]
        return list(dict.fromkeys([*self.datasets, *others]))

    @cached_property
    def ingested(self) -> list[str]:
        """Datasets that are read, folds together."""
        return list(dict.fromkeys(map(self.benchmark.base_dataset, self.windowed)))

    @cached_property
    def overlaps(self) -> list[Pair]:
        """Datasets, and others that models learned from that are scored on their test."""
        pretrained = [pair for run in self.trained if (pair := self.overlap(run))]
        crossed = [pair for one in self.crossings for pair in self.pairs_of(one)]
        return list(dict.fromkeys([*pretrained, *crossed]))

    @cached_property
    def crossings(self) -> list[Crossing]:
        """Runs that are scored on other datasets too, and these, baselines last."""
        found = [
            Crossing(run, name)
            for fitted in (False, True)
            for grid in self.benchmark.runs
            for name in grid.test_on
            for run in (self._baselines_of(grid) if fitted else self._of_grid(grid))
            if name != run.dataset
            and (not fitted or is_comparable(self.benchmark, run.architecture, name))
        ]
        return [one for one in dict.fromkeys(found) if one.run not in self.unfinished]

    def overlap(self, run: Run) -> Pair | None:
        """Return the dataset of a run and the other one that it was pretrained on, if it was."""
        one = self.pretraining(run)
        if one is None or one.dataset == run.dataset:
            return None
        return Pair(run.dataset, one.dataset)

    def pairs_of(self, crossing: Crossing) -> list[Pair]:
        """Return the dataset that a model is tested on, with each that the model learned from.

        The first of those is the one it was trained on; one it was pretrained on may follow.
        """
        run, tested_on = crossing
        sources = [run.dataset]
        if (pretrained := self.overlap(run)) is not None and pretrained.source != tested_on:
            sources.append(pretrained.source)
        return [Pair(tested_on, source) for source in sources]

    def runs_on(self, base_dataset: str) -> list[Run]:
        """Return the runs on a dataset, those on all of its folds."""
        return list(self._by_dataset.get(base_dataset, ()))

    def architectures_on(self, base_dataset: str) -> list[str]:
        """Return the architectures that are trained on a dataset."""
        runs = (run for run in self.runs_on(base_dataset) if not run.is_baseline)
        return list(dict.fromkeys(run.architecture for run in runs))

    def best_settings(self, base_dataset: str) -> BestJobSettings:
        """Return the slice of the rule `best`."""
        entry = self.benchmark.all_datasets[base_dataset]
        runs = sorted("/".join(map(str, vars(run).values())) for run in self.runs_on(base_dataset))
        return BestJobSettings(runs=runs, dataset=entry.model_dump(mode="json"))

    @cached_property
    def tuned(self) -> list[tuple[str, str]]:
        """Datasets, each fold one, and the architectures and baselines that are searched there."""
        pairs = dict.fromkeys((run.dataset, run.architecture) for run in self.runs)
        return [pair for pair in pairs if self.trials(pair[1])]

    def trials(self, architecture: str) -> list[Point]:
        """Return the options of the trials of an architecture or baseline; none without search."""
        if architecture not in self._trials:
            self._trials[architecture] = points_of(self.benchmark, architecture)
        return self._trials[architecture]

    def rungs(self, architecture: str) -> list[Rung]:
        """Return the rungs of the search of an architecture or baseline, for all datasets alike."""
        if architecture not in self._rungs:
            self._rungs[architecture] = rungs_of(self.benchmark, architecture)
        return self._rungs[architecture]

    @cached_property
    def _by_dataset(self) -> dict[str, list[Run]]:
        runs: dict[str, list[Run]] = {}
        for run in self.runs:
            runs.setdefault(self.benchmark.base_dataset(run.dataset), []).append(run)
        return runs

    @cached_property
    def template_runs(self) -> list[Run]:
        """Runs whose model file holds the shape of each class, which a figure draws."""
        return [
            run
            for run in self.runs
            if self.benchmark.task(run.dataset) in self._tags(run).get("templates_of", ())
        ]

    def _tags(self, run: Run) -> dict[str, Any]:
        """Return the registry's tags of the architecture or baseline of a run."""
        if run.is_baseline:
            return BASELINES.entry(run.architecture).tags
        of = self.benchmark.all_architectures[run.architecture].of
        return ARCHITECTURES.entry(str(of)).tags

    def is_causal(self, architecture: str) -> bool:
        """Return whether an architecture, by its name in the config, reads a signal as it comes."""
        entry = self.benchmark.all_architectures[architecture]
        options = ARCHITECTURES.entry(str(entry.of)).tags.get("causal_with")
        chosen = entry.options
        return options is not None and all(chosen.get(key) == options[key] for key in options)

    def pretraining(self, run: Run) -> Pretraining | None:
        """Return the encoder that a run starts from; None: it was not pretrained here."""
        arm = Arm.parse(run.arm) if not run.is_baseline else None
        if arm is None or arm.objective is None:
            return None
        return Pretraining(arm.dataset or run.dataset, run.architecture, arm.objective, run.seed)

    def init(self, run: Run) -> str | None:
        """Return the file that the encoder of a run starts from; None: it starts from none."""
        if run.is_baseline or not Arm.parse(run.arm).from_file:
            return None
        return self.benchmark.all_architectures[run.architecture].init

    def is_refit(self, run: Run) -> bool:
        """Return whether the model of a run is trained once more, on train and val."""
        return not run.is_baseline and self.benchmark.finetuning(run.architecture).refit

    def model_file(self, run: Run) -> str:
        """Return the file of the model of a run that predicts test and new recordings."""
        return run.fill(layout.REFIT if self.is_refit(run) else layout.MODEL)

    def _of_grid(self, grid: RunGrid) -> Iterator[Run]:
        """Yield the runs of one entry of `runs`, on every fold of its datasets."""
        datasets = [fold for name in grid.datasets for fold in self.benchmark.folds_of(name)]
        for dataset, architecture, arm, labels, seed in product(
            datasets, grid.architectures, grid.arms, grid.labels, grid.seeds
        ):
            yield Run(dataset, architecture, arm, f"{labels:g}", seed)

    def _unsuited_training(self, grid: RunGrid) -> Iterator[str]:
        """Yield what the training of an entry of `runs` has no targets or samples for."""
        trainings = [
            settings
            for name in grid.architectures
            for settings in trainings_of(self.benchmark, name)
        ]
        for dataset, settings in product(grid.datasets, trainings):
            task = self.benchmark.task(dataset)
            tags = TASKS.entry(task).tags
            where = (
                f"but the task of dataset '{dataset}' is {task}; take it out, or set it under"
                " `architectures` for those it suits"
            )
            if settings.label_smoothing and tags.get("labels", "classes") != "classes":
                yield f"`finetune.label_smoothing` is of classes, {where}"
            if not settings.augment:
                continue
            if "augmented" not in tags:
                yield f"`finetune.augment` changes windows and not what is predicted, {where}"
            elif tags["augmented"] == "in_place" and (moving := set(settings.augment) & {*MOVING}):
                yield f"`finetune.augment`: {min(moving)} moves samples away from labels, {where}"
            if (sample := self.benchmark.sample(dataset)) != "series":
                yield (
                    f"`finetune.augment` changes series, but dataset '{dataset}' holds {sample};"
                    " take it out, or set it under `architectures` for those it suits"
                )

    def _illegal(self) -> Iterator[str]:
        architectures, objectives = self.benchmark.all_architectures, self.benchmark.all_objectives
        yield from unused_files(self.benchmark)
        for index, grid in enumerate(self.benchmark.runs):
            yield from (f"runs.{index}: {one}" for one in self._unsuited_training(grid))
            yield from (f"runs.{index}: {one}" for one in unfit_starts(self.benchmark, grid))
            yield from (f"runs.{index}: {one}" for one in unfit_tests(self.benchmark, grid))
            takers = [
                (f"architecture '{name}' takes", ARCHITECTURES.entry(str(architectures[name].of)))
                for name in grid.architectures
            ]
            takers += [
                (f"arm '{arm}' pretrains on", OBJECTIVES.entry(str(objectives[objective].of)))
                for arm in grid.arms
                if (objective := Arm.parse(arm).objective)
            ]
            for dataset, (what, entry) in product(grid.datasets, takers):
                sample, accepts = self.benchmark.sample(dataset), entry.tags["accepts"]
                if sample not in accepts:
                    yield (
                        f"runs.{index}: {what} {' or '.join(accepts)}, but dataset '{dataset}'"
                        f" holds {sample}; put them in separate entries"
                    )
            for dataset, name in product(grid.datasets, grid.architectures):
                tags = ARCHITECTURES.entry(str(architectures[name].of)).tags
                tasks, task = tags.get("tasks"), self.benchmark.task(dataset)
                if tasks is not None and task not in tasks:
                    yield (
                        f"runs.{index}: architecture '{name}' is made for {' and '.join(tasks)},"
                        f" but the task of dataset '{dataset}' is {task}; put them in separate"
                        " entries"
                    )
                normalization = self.benchmark.all_datasets[dataset].normalization
                has_events = (
                    TASKS.entry(self.benchmark.task(dataset)).tags.get("labels") == "events"
                )
                if has_events and normalization == "per_window" and self.is_causal(name):
                    yield (
                        f"runs.{index}: architecture '{name}' is causal and reads recordings as"
                        f" they come, but windows of dataset '{dataset}' are normalized one by one;"
                        " set another `normalization`, or an architecture that is not causal"
                    )
            for name in grid.architectures:
                starts_as = ARCHITECTURES.entry(str(architectures[name].of)).tags.get("starts_as")
                if starts_as is None:
                    continue
                if self.benchmark.finetuning(name).refit:
                    yield (
                        f"runs.{index}: architecture '{name}' starts as the baseline"
                        f" '{starts_as}' and is compared with it on val, which `finetune.refit`"
                        f" would train on; set `architectures.{name}.finetune.refit: false`"
                    )
                if arms := [arm for arm in grid.arms if arm != "scratch"]:
                    yield (
                        f"runs.{index}: architecture '{name}' starts as the baseline"
                        f" '{starts_as}', not as the arm '{arms[0]}' has it; give it"
                        " `arms: [scratch]` in an entry of its own"
                    )
                for dataset in grid.datasets:
                    if self.benchmark.all_datasets[dataset].normalization == "per_window":
                        yield (
                            f"runs.{index}: architecture '{name}' starts as the baseline"
                            f" '{starts_as}', which is fitted on whole recordings, but windows of"
                            f" dataset '{dataset}' are normalized one by one; set another"
                            " `normalization`"
                        )
                    if reason := misfit(self.benchmark, starts_as, dataset):
                        yield (
                            f"runs.{index}: architecture '{name}' starts as the baseline"
                            f" '{starts_as}', which does not fit dataset '{dataset}', as"
                            f" {reason.reason}"
                        )
            for dataset, name in product(grid.datasets, grid.baselines or []):
                if reason := misfit(self.benchmark, name, dataset):
                    hint = "" if reason.key else "; put them in separate entries"
                    yield (
                        f"runs.{index}.baselines: '{name}' is not made for dataset '{dataset}',"
                        f" as {reason.reason}{hint}"
                    )
