"""What goes with what: the built-in datasets of a model, and the models of a dataset."""

from functools import cache
from typing import Any

from seqbench.config.benchmark import Benchmark
from seqbench.config.datasets import built_in_datasets
from seqbench.config.messages import ConfigError
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, TASKS
from seqbench.plan.baseline_fit import misfit
from seqbench.plan.plan import Plan


def datasets_of(architecture: str) -> list[str]:
    """Return the built-in datasets that an architecture is trained on as it is."""
    return [name for name in sorted(built_in_datasets()) if _is_legal(name, architecture)]


def architectures_of(dataset: str) -> list[str]:
    """Return the architectures that are trained on a built-in dataset as they are."""
    return [name for name in sorted(ARCHITECTURES) if _is_legal(dataset, name)]


def datasets_of_baseline(baseline: str) -> list[str]:
    """Return the built-in datasets that a baseline runs on."""
    return [
        name
        for name in sorted(built_in_datasets())
        if misfit(_any_benchmark(), baseline, name) is None
    ]


def baselines_of(dataset: str) -> list[str]:
    """Return the baselines that run on a built-in dataset."""
    return [name for name in sorted(BASELINES) if misfit(_any_benchmark(), name, dataset) is None]


def task_of(dataset: str) -> str:
    """Return the task of a built-in dataset."""
    return _any_benchmark().task(dataset)


def sample_of(dataset: str) -> str:
    """Return the kind of sample of a built-in dataset."""
    return _any_benchmark().sample(dataset)


def tasks_of(tags: dict[str, Any]) -> list[str]:
    """Return the tasks of an architecture or baseline, by its tags."""
    return sorted(tags.get("tasks", TASKS))


def sources_with(thing: str) -> tuple[list[str], dict[str, str]]:
    """Return the sources that offer what a baseline needs, and those that do once an option is set.

    Returns
    -------
    offering
        Names of sources.
    on_request
        By source, the option.
    """
    tags = {name: DATASETS.entry(name).tags for name in DATASETS}
    offering = [name for name, of in tags.items() if thing in of.get("offers", ())]
    on_request = {
        name: of["offered_by"][thing]
        for name, of in tags.items()
        if thing in of.get("offered_by", {})
    }
    return offering, on_request


@cache
def _is_legal(dataset: str, architecture: str) -> bool:
    try:
        _plan(dataset, architecture)
    except ConfigError:
        return False
    return True


def _plan(dataset: str, architecture: str) -> Plan:
    grid = {"datasets": [dataset], "architectures": [architecture]}
    return Plan(Benchmark.load({"runs": [grid], "baselines": []}))


@cache
def _any_benchmark() -> Benchmark:
    """Return a benchmark without datasets of its own, which knows the built-in ones."""
    return _plan("waves", "cnn1d").benchmark
