"""Which datasets the models of others cannot be scored on."""

from collections.abc import Iterator
from itertools import product

from seqbench.config.benchmark import Benchmark, RunGrid
from seqbench.config.registry import BASELINES
from seqbench.plan.baseline_fit import misfit


def unfit_tests(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield why runs of one entry cannot be scored on a dataset of its `test_on`.

    What is known only once data are read, such as channels and classes, is compared before
    anything is scored.
    """
    if grid.test_on and set(grid.test_on) == set(grid.datasets) and len(grid.datasets) == 1:
        yield f"test_on names '{grid.test_on[0]}' alone, which has its own test anyway; name others"
    for name in dict.fromkeys((*grid.test_on, *(grid.datasets if grid.test_on else ()))):
        if benchmark.folds_of(name) != [name] or name in benchmark.folds:
            yield (
                "test_on compares datasets with one test each, but"
                f" '{benchmark.base_dataset(name)}' has folds; take the folds out, or leave it out"
            )
    for own, name in product(grid.datasets, grid.test_on):
        for what, of in (("task", benchmark.task), ("kind of sample", benchmark.sample)):
            if of(own) != of(name):
                yield (
                    f"test_on: the {what} of dataset '{name}' is {of(name)}, but that of '{own}',"
                    f" on which the models are trained, is {of(own)}; put them in separate entries"
                )


def is_comparable(benchmark: Benchmark, baseline: str, tested_on: str) -> bool:
    """Return whether a baseline of one dataset means anything on another, with the same task.

    One that needs the truth of a generator would be scored with that of the other dataset.
    """
    needs = BASELINES.entry(baseline).tags.get("needs", ())
    return "truth" not in needs and misfit(benchmark, baseline, tested_on) is None
