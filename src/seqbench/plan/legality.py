"""Which datasets, models and settings of a configuration cannot come together, and why."""

from collections.abc import Iterator
from itertools import product

from seqbench.config.arms import Arm
from seqbench.config.benchmark import Benchmark, RunGrid
from seqbench.config.options import MOVING
from seqbench.config.registry import ARCHITECTURES, OBJECTIVES, TASKS, Entry
from seqbench.config.search_space import trainings_of
from seqbench.plan.baseline_fit import misfit
from seqbench.plan.crossed import unfit_tests
from seqbench.plan.pretrained_arms import unfit_starts, unused_files


def illegal(benchmark: Benchmark) -> Iterator[str]:
    """Yield a sentence for each combination of a configuration that cannot run."""
    yield from unused_files(benchmark)
    for index, grid in enumerate(benchmark.runs):
        for check in (
            _unsuited_trainings,
            unfit_starts,
            unfit_tests,
            _unfit_samples,
            _unfit_tasks,
            _unfit_causal_models,
            _unfit_fitted_starts,
        ):
            yield from (f"runs.{index}: {one}" for one in check(benchmark, grid))
        yield from (f"runs.{index}.baselines: {one}" for one in _misfits(benchmark, grid))


def _unsuited_trainings(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield what the training of an entry of `runs` has no targets or samples for."""
    trainings = [
        settings for name in grid.architectures for settings in trainings_of(benchmark, name)
    ]
    for dataset, settings in product(grid.datasets, trainings):
        task = benchmark.task(dataset)
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
        if (sample := benchmark.sample(dataset)) != "series":
            yield (
                f"`finetune.augment` changes series, but dataset '{dataset}' holds {sample};"
                " take it out, or set it under `architectures` for those it suits"
            )


def _unfit_samples(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield which architectures and arms cannot read the samples of a dataset."""
    objectives = benchmark.all_objectives
    takers = [
        (f"architecture '{name}' takes", _architecture(benchmark, name))
        for name in grid.architectures
    ]
    takers += [
        (f"arm '{arm}' pretrains on", OBJECTIVES.entry(str(objectives[objective].of)))
        for arm in grid.arms
        if (objective := Arm.parse(arm).objective)
    ]
    for dataset, (what, entry) in product(grid.datasets, takers):
        sample, accepts = benchmark.sample(dataset), entry.tags["accepts"]
        if sample not in accepts:
            yield (
                f"{what} {' or '.join(accepts)}, but dataset '{dataset}' holds {sample}; put them"
                " in separate entries"
            )


def _unfit_tasks(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield which architectures are made for other tasks."""
    for dataset, name in product(grid.datasets, grid.architectures):
        tasks, task = _architecture(benchmark, name).tags.get("tasks"), benchmark.task(dataset)
        if tasks is not None and task not in tasks:
            yield (
                f"architecture '{name}' is made for {' and '.join(tasks)}, but the task of dataset"
                f" '{dataset}' is {task}; put them in separate entries"
            )


def _unfit_causal_models(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield which models read a signal as it comes, but get windows normalized as wholes."""
    for dataset, name in product(grid.datasets, grid.architectures):
        has_events = TASKS.entry(benchmark.task(dataset)).tags.get("labels") == "events"
        if (
            has_events
            and benchmark.all_datasets[dataset].normalization == "per_window"
            and benchmark.is_causal(name)
        ):
            yield (
                f"architecture '{name}' is causal and reads recordings as they come, but windows"
                f" of dataset '{dataset}' are normalized one by one; set another `normalization`,"
                " or an architecture that is not causal"
            )


def _unfit_fitted_starts(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield why architectures cannot start as the baseline that they start as."""
    for name in grid.architectures:
        starts_as = _architecture(benchmark, name).tags.get("starts_as")
        if starts_as is None:
            continue
        what = f"architecture '{name}' starts as the baseline '{starts_as}'"
        if benchmark.finetuning(name).refit:
            yield (
                f"{what} and is compared with it on val, which `finetune.refit` would train on;"
                f" set `architectures.{name}.finetune.refit: false`"
            )
        if arms := [arm for arm in grid.arms if arm != "scratch"]:
            yield (
                f"{what}, not as the arm '{arms[0]}' has it; give it `arms: [scratch]` in an entry"
                " of its own"
            )
        for dataset in grid.datasets:
            if benchmark.all_datasets[dataset].normalization == "per_window":
                yield (
                    f"{what}, which is fitted on whole recordings, but windows of dataset"
                    f" '{dataset}' are normalized one by one; set another `normalization`"
                )
            if reason := misfit(benchmark, starts_as, dataset):
                yield f"{what}, which does not fit dataset '{dataset}', as {reason.reason}"


def _misfits(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield which baselines that an entry names are not made for its datasets."""
    for dataset, name in product(grid.datasets, grid.baselines or []):
        if reason := misfit(benchmark, name, dataset):
            hint = "" if reason.key else "; put them in separate entries"
            yield f"'{name}' is not made for dataset '{dataset}', as {reason.reason}{hint}"


def _architecture(benchmark: Benchmark, name: str) -> Entry:
    """Return what is registered of an architecture, by its name in the config."""
    return ARCHITECTURES.entry(str(benchmark.all_architectures[name].of))
