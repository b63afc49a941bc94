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
from seqbench.config.registry import ARCHITECTURES, BASELINES
from seqbench.config.rungs import Rung
from seqbench.config.search_space import points_of, rungs_of
from seqbench.config.tuning import Point
from seqbench.plan.baseline_fit import misfit
from seqbench.plan.crossed import is_comparable
from seqbench.plan.job_settings import BestJobSettings, JobSettings
from seqbench.plan.legality import illegal

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
        problems = sorted(set(illegal(benchmark)))
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
