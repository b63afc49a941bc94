"""What is wrong with a configuration beyond its types: unknown names, options, lost settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from seqbench.config.arms import FILE, FROM, MODES
from seqbench.config.datasets import DatasetEntry
from seqbench.config.messages import faults, option_problems
from seqbench.config.registry import (
    ARCHITECTURES,
    BASELINES,
    DATASETS,
    OBJECTIVES,
    TASK_PROFILES,
    TASKS,
    Registry,
    suggestion,
)
from seqbench.config.search_space import tune_problems
from seqbench.config.variants import Entry, Variant

if TYPE_CHECKING:
    from seqbench.config.benchmark import Benchmark


def problems(benchmark: Benchmark) -> Iterator[str]:
    """Yield a sentence for each problem of a configuration whose types are right."""
    checks = (_unknown_names, _unknown_in_runs, _bad_questions, _bad_options)
    found = [problem for check in checks for problem in check(benchmark)]
    found = found or list(_bad_gpus(benchmark))
    yield from found or tune_problems(benchmark)


def _unknown_names(benchmark: Benchmark) -> Iterator[str]:
    for place, registry, names in (
        ("baselines", BASELINES, benchmark.baselines),
        ("baseline_options", BASELINES, list(benchmark.baseline_options)),
        ("tasks", TASKS, list(benchmark.tasks)),
    ):
        yield from (f"{place}: {registry.unknown(n)}" for n in names if n not in registry)
    yield from _unknown_variants("architectures", ARCHITECTURES, benchmark.architectures)
    yield from _unknown_variants("objectives", OBJECTIVES, benchmark.objectives)
    for name in sorted(benchmark.named_datasets.keys() & benchmark.folds.keys()):
        yield (
            f"datasets.{name}: a fold of '{benchmark.base_dataset(name)}' is called so; take"
            " another name"
        )
    for name in benchmark.objectives:
        if FROM in name or name == FILE:
            yield (
                f"objectives.{name}: arms of other meaning would be called so; take another name,"
                f" without '{FROM}'"
            )
    for name in benchmark.architectures.keys() & set(BASELINES):
        yield f"architectures.{name}: a baseline is called so; take another name"


def _unknown_in_runs(benchmark: Benchmark) -> Iterator[str]:
    arms = benchmark.arm_names()
    for index, grid in enumerate(benchmark.runs):
        for kind, names, known, suggested in (
            ("dataset", grid.datasets, benchmark.all_datasets, benchmark.named_datasets),
            ("test_on", grid.test_on, benchmark.all_datasets, benchmark.named_datasets),
            ("architecture", grid.architectures, *[benchmark.all_architectures] * 2),
            ("baseline", grid.baselines or [], BASELINES, BASELINES),
        ):
            for name in names:
                if name not in known:
                    hint = suggestion(name, list(suggested))
                    place, what = (f"{kind}s", kind) if kind != "test_on" else (kind, "dataset")
                    yield f"runs.{index}.{place}: unknown {what} '{name}'; {hint}"
        for name in grid.arms:
            if name not in arms and (problem := _arm_problem(benchmark, name)):
                yield f"runs.{index}.arms: unknown arm '{name}'; {problem}"


def _arm_problem(benchmark: Benchmark, name: str) -> str | None:
    """Return what is wrong with an arm, or None if it pretrains on another dataset as it may."""
    start, _, mode = name.rpartition("_")
    objective, _, dataset = start.partition(FROM)
    if not dataset or mode not in MODES:
        return suggestion(name, benchmark.arm_names())
    if objective not in benchmark.all_objectives:
        return f"no objective '{objective}': {suggestion(objective, [*benchmark.all_objectives])}"
    if dataset not in benchmark.all_datasets:
        return f"no dataset '{dataset}': {suggestion(dataset, [*benchmark.named_datasets])}"
    return None


def _bad_questions(benchmark: Benchmark) -> Iterator[str]:
    datasets = {name for grid in benchmark.runs for name in grid.datasets}
    architectures = {name for grid in benchmark.runs for name in grid.architectures}
    for index, question in enumerate(benchmark.questions):
        place = f"questions.{index}.compare"
        for name in question.compare:
            if name not in datasets | architectures:
                known = suggestion(name, sorted(datasets | architectures))
                yield f"{place}: no run has '{name}'; {known}"
        named = set(question.compare)
        if named <= datasets | architectures and not (named <= datasets or named <= architectures):
            yield f"{place}: compare architectures or datasets, not one with the other"


def _bad_options(benchmark: Benchmark) -> Iterator[str]:
    for name, dataset in benchmark.datasets.items():
        place, options = f"datasets.{name}", dataset.source_options
        if dataset.source not in DATASETS:
            yield f"{place}.source: {DATASETS.unknown(dataset.source)}"
        elif found := list(
            option_problems(place, DATASETS, dataset.source, options, DatasetEntry.model_fields)
        ):
            yield from found
        elif (task := benchmark.task(name)) not in TASKS:
            yield f"{place}.task: {TASKS.unknown(task)}"
        else:
            if (sample := benchmark.sample(name)) == "tokens":
                yield from _bad_tokens(name, dataset)
            yield from TASK_PROFILES[task]().problems(name, dataset, sample)
    for place, registry, chosen in (
        ("tasks", TASKS, benchmark.tasks),
        ("baseline_options", BASELINES, benchmark.baseline_options),
        ("architectures", ARCHITECTURES, benchmark.architectures),
        ("objectives", OBJECTIVES, benchmark.objectives),
    ):
        for name, given in chosen.items():
            of = getattr(given, "of", None) or name
            options = given.options if isinstance(given, Entry) else given
            beside = list(type(given).model_fields) if isinstance(given, Entry) else []
            if of in registry:
                yield from option_problems(f"{place}.{name}", registry, of, options, beside)
    for name, entry in benchmark.architectures.items():
        for stage in ("pretrain", "finetune"):
            settings = getattr(benchmark, stage)
            changed = settings.model_dump() | getattr(entry, stage)
            yield from faults(type(settings), changed, f"architectures.{name}.{stage}")


def _bad_gpus(benchmark: Benchmark) -> Iterator[str]:
    """Yield a sentence for each setting that one training on several GPUs cannot have."""
    places = {
        f"{stage}.gpus": getattr(benchmark, stage).gpus for stage in ("pretrain", "finetune")
    } | {
        f"architectures.{name}.{stage}.gpus": getattr(entry, stage).get("gpus", 1)
        for name, entry in benchmark.architectures.items()
        for stage in ("pretrain", "finetune")
    }
    for place, n in places.items():
        if n > 1 and ":" in benchmark.device:
            yield f"{place}: {n}, and device: {benchmark.device} is one; write `device: cuda`"
        if n > 1 and benchmark.out_of_memory == "halve":
            yield (
                f"{place}: {n}, and out_of_memory: halve is of trainings in one process; write"
                " `out_of_memory: refuse`"
            )


def _bad_tokens(dataset: str, entry: DatasetEntry) -> Iterator[str]:
    # The default looks the same whether it is written or left out, and has no effect on tokens.
    if entry.normalization not in ("none", DatasetEntry.model_fields["normalization"].default):
        yield (
            f"datasets.{dataset}.normalization: tokens are never normalised, and"
            f" {entry.normalization} has no effect; take it out"
        )


def _unknown_variants(
    place: str, registry: Registry, entries: Mapping[str, Variant]
) -> Iterator[str]:
    """Yield a sentence for each variant of something that is not registered."""
    for name, entry in entries.items():
        if name in registry and entry.of not in (None, name):
            yield (
                f"{place}.{name}: this is itself a registered {registry.kind}; give the variant of"
                f" '{entry.of}' another name"
            )
        elif name not in registry and entry.of is None:
            yield (
                f"{place}: {registry.unknown(name)}; a variant names it with `of`, as in"
                f" `{name}: {{of: {next(iter(registry))}}}`"
            )
        elif (entry.of or name) not in registry:
            yield f"{place}.{name}.of: {registry.unknown(str(entry.of))}"
