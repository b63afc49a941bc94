"""Joined results in sentences, for the page and for the terminal."""

from collections.abc import Iterator

from seqbench.datasets.base import counted
from seqbench.reporting.scores.merging import Merged
from seqbench.reporting.text.leaks import leak_warnings, overlap_warnings

NAMED = ("seqbench", "commit", "python", "torch", "numpy", "processor", "cores", "system", "device")


def lede(merged: Merged) -> str:
    """Return what was joined in one or two sentences."""
    datasets = [boards[0] for boards in merged.boards if boards]
    models = {row.model for board in datasets for row in board.rows if not row.is_ceiling}
    text = (
        f"{counted(len(merged.sources), 'folder')} of results together:"
        f" {counted(len(models), 'model')} on {counted(len(datasets), 'dataset')},"
        f" {counted(len(merged.results), 'run')}."
    )
    if n := merged.n_shared:
        stand = "stands" if n == 1 else "stand"
        text += f" {counted(n, 'run')} {stand} in several, with the same scores to the last digit."
    return text


def warnings(merged: Merged) -> list[str]:
    """Return sentences on what makes the comparison doubtful."""
    found = []
    for boards in merged.boards:
        board = boards[0]
        found += [f"{board.dataset}: {sentence}" for sentence in _leaks(merged, board.dataset)]
        runs = {row.name: len(row.results) for row in board.rows if not row.is_baseline}
        if len(set(runs.values())) > 1:
            fewest, most = min(runs.values()), max(runs.values())
            found.append(
                f"{board.dataset}: models have {fewest} to {most} runs. Of many runs the mean is"
                " surer, of few it is easily the luckiest."
            )
    for source in merged.sources:
        if n := len(source.plan.unfinished):
            found.append(f"{source.name}: {counted(n, 'run')} of its configuration did not finish.")
    if len({source.origin.get("processor") for source in merged.sources}) > 1:
        found.append("Costs were measured on different machines, and are not comparable.")
    return found


def _leaks(merged: Merged, dataset: str) -> list[str]:
    """Return what splits share and pretraining has seen; all sources have the same windows."""
    folds = {one.run.dataset for one in merged.results if one.dataset == dataset}
    checks = {
        name: check
        for source in merged.sources
        for name, check in source.leakchecks.items()
        if name in folds
    }
    overlaps = {
        (one.dataset, one.source): one
        for source in merged.sources
        for one in source.overlaps
        if one.dataset in folds
    }
    return [*leak_warnings([*checks.values()]), *overlap_warnings([*overlaps.values()])]


def origins(merged: Merged) -> Iterator[tuple[str, list[str]]]:
    """Yield versions and machine, each with its value in every source; those that differ first."""
    found = {key: [one.origin.get(key, "") for one in merged.sources] for key in NAMED}
    yield from sorted(found.items(), key=lambda item: len(set(item[1])) == 1)
