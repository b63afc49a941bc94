"""The files of searches of options: trials, rung by rung, which of them go on, and the choice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from seqbench import layout
from seqbench.plan.plan import Plan, Run

# Numbers of the trials that go on from a rung, by dataset, architecture and rung: only trials
# that have run tell them, so a plan by itself knows none.
Promotions = Mapping[tuple[str, str, int], Sequence[int]]


def searched(plan: Plan, runs: Iterable[Run]) -> list[tuple[str, str]]:
    """Return the datasets and architectures of those runs whose options are searched."""
    pairs = dict.fromkeys((run.dataset, run.architecture) for run in runs)
    return [pair for pair in pairs if plan.trials(pair[1])]


def trials_of_rung(
    plan: Plan, dataset: str, architecture: str, rung: int, promotions: Promotions
) -> Sequence[int] | None:
    """Return the numbers of the trials that reach a rung; None: nobody knows yet."""
    if rung == 0:
        return range(len(plan.trials(architecture)))
    return promotions.get((dataset, architecture, rung - 1))


def trial_files(dataset: str, architecture: str, rung: int, trials: Iterable[int]) -> list[str]:
    """Return the files that some trials of a model leave in a rung."""
    names = {"dataset": dataset, "architecture": architecture, "rung": rung}
    return [layout.TRIAL.format(**names, trial=trial) for trial in trials]


def promotion_files(dataset: str, architecture: str, n_rungs: int) -> list[str]:
    """Return the files which say what goes on from each of the first rungs."""
    names = {"dataset": dataset, "architecture": architecture}
    return [layout.PROMOTION.format(**names, rung=rung) for rung in range(n_rungs)]


def choice_file(dataset: str, architecture: str) -> str:
    """Return the file with the options that a search has chosen for a model."""
    return layout.CHOICE.format(dataset=dataset, architecture=architecture)


def choice_files(plan: Plan, runs: Iterable[Run]) -> list[str]:
    """Return the files with the options that searches have chosen for runs."""
    return [choice_file(*pair) for pair in searched(plan, runs)]


def search_files(plan: Plan, runs: Iterable[Run], promotions: Promotions) -> list[str]:
    """Return the same, and the trials from which these were chosen, as far as they are known."""
    return [path for pair in searched(plan, runs) for path in _files_of(plan, *pair, promotions)]


def _files_of(plan: Plan, dataset: str, architecture: str, promotions: Promotions) -> Iterator[str]:
    n_rungs = len(plan.rungs(architecture))
    for rung in range(n_rungs):
        trials = trials_of_rung(plan, dataset, architecture, rung, promotions)
        yield from trial_files(dataset, architecture, rung, trials or ())
    yield from promotion_files(dataset, architecture, n_rungs - 1)
    yield choice_file(dataset, architecture)
