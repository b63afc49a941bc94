"""Which encoders, of other datasets or from files, runs cannot start from."""

from collections.abc import Iterator
from itertools import product

from seqbench.config.arms import FILE, MODES, Arm
from seqbench.config.benchmark import Benchmark, RunGrid
from seqbench.config.search_space import options_of_encoder


def unfit_starts(benchmark: Benchmark, grid: RunGrid) -> Iterator[str]:
    """Yield why runs of one entry cannot start from another dataset's encoder, or from a file.

    What is known only once data are read, such as channels and sampling rates, is compared
    before a training starts.
    """
    arms = {name: Arm.parse(name) for name in grid.arms}
    for name, architecture in product(grid.arms, grid.architectures):
        arm = arms[name]
        if arm.from_file and benchmark.all_architectures[architecture].init is None:
            yield (
                f"arm '{name}' starts from a file; name it as `init` under"
                f" `architectures.{architecture}`"
            )
        if not (arm.from_file or arm.dataset):
            continue
        if searched := options_of_encoder(benchmark, architecture):
            yield (
                f"arm '{name}' starts from an encoder whose options are fixed, but"
                f" `{searched[0]}` of architecture '{architecture}' is searched; give `tune` of"
                " the architecture a `space` of training alone, or take the arm out"
            )
    for (name, arm), dataset in product(arms.items(), grid.datasets):
        if (source := arm.dataset) is None:
            continue
        if source == dataset:
            own = f"{arm.objective}_{name.rpartition('_')[2]}"
            yield f"arm '{name}' of dataset '{dataset}' is called '{own}'; write that"
            continue
        if (folds := benchmark.folds_of(source)) != [source]:
            yield (
                f"arm '{name}': dataset '{source}' has folds, each with a train of its own; name"
                f" one of them, as '{folds[0]}'"
            )
        own_sample, other = benchmark.sample(dataset), benchmark.sample(source)
        if own_sample != other:
            yield (
                f"arm '{name}': dataset '{source}' holds {other}, but dataset '{dataset}' holds"
                f" {own_sample}, which its encoder cannot take; name another dataset"
            )


def unused_files(benchmark: Benchmark) -> Iterator[str]:
    """Yield a sentence for each file that no run starts from."""
    used = {
        architecture
        for grid in benchmark.runs
        if any(Arm.parse(arm).from_file for arm in grid.arms)
        for architecture in grid.architectures
    }
    arms = " or ".join(f"{FILE}_{mode}" for mode in reversed(MODES))
    for name, entry in benchmark.architectures.items():
        if entry.init is not None and name not in used:
            yield (
                f"architectures.{name}.init: no run starts from it; give a run of '{name}' the arm"
                f" {arms}, or take it out"
            )
