"""Which datasets and models form a table without gaps: known from the plan alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from seqbench import layout
from seqbench.plan.plan import Model, Plan
from seqbench.reporting.scores.metrics import ceiling_of
from seqbench.statistics.attainable import ALPHA, smallest_adjusted_p


@dataclass(frozen=True, kw_only=True)
class Block:
    """Datasets of one task, and the models that were run on every one of them with all labels.

    Parameters
    ----------
    datasets, models
        In the order of the plan; folds of a dataset are one.
    other_datasets
        Datasets of the task that stand outside.
    other_models
        Models that stand outside, with the datasets of the block that they lack.
    """

    task: str
    datasets: tuple[str, ...]
    models: tuple[Model, ...]
    other_datasets: tuple[str, ...]
    other_models: Mapping[Model, tuple[str, ...]]

    @property
    def place(self) -> str:
        """What stands in place of a dataset in the paths of its figures."""
        return layout.ACROSS.format(task=self.task)

    @property
    def can_tell(self) -> bool:
        """Whether the datasets are enough to distinguish any two of the models."""
        return can_tell(len(self.datasets), len(self.models))


def can_tell(n_datasets: int, n_models: int) -> bool:
    """Return whether a test on so many datasets can distinguish any two of so many models."""
    return smallest_adjusted_p(n_datasets, n_models) <= ALPHA


def blocks(plan: Plan) -> list[Block]:
    """Return the blocks of the runs of a plan, see `blocks_of`."""
    tasks = {whole: plan.benchmark.task(whole) for whole in plan.base_datasets}
    runs = [run for run in plan.runs if float(run.labels) == 1]
    return blocks_of(tasks, ((plan.benchmark.base_dataset(run.dataset), run.model) for run in runs))


def blocks_of(tasks: Mapping[str, str], ran: Iterable[tuple[str, Model]]) -> list[Block]:
    """Return a block for each task of which two datasets or more have a trained model in common.

    Trained models decide which datasets those are, and baselines that were run
    on all of them come along. Looked at are the datasets of each trained model
    and those that two have in common, as what any number of them have would be
    too many to try; taken is the table that is largest, datasets counting twice
    as tests rest on them: n_datasets² times n_models of the trained ones.
    One in which a test can distinguish models goes before any other.

    Parameters
    ----------
    tasks
        By dataset.
    ran
        Datasets, and models that were run on them with all labels.
    """
    runs_of: dict[str, dict[Model, set[str]]] = {}
    for whole, model in ran:
        if whole not in tasks:  # so far only baselines have finished there
            continue
        task = tasks[whole]
        if not (model.is_baseline and model.architecture == ceiling_of(task)):
            runs_of.setdefault(task, {}).setdefault(model, set()).add(whole)
    found = (
        _block(task, [name for name in tasks if tasks[name] == task], datasets_of)
        for task, datasets_of in runs_of.items()
    )
    return [block for block in found if block is not None]


def _block(task: str, datasets: list[str], datasets_of: Mapping[Model, set[str]]) -> Block | None:
    trained = [frozenset(of) for model, of in datasets_of.items() if not model.is_baseline]

    def size(chosen: frozenset[str]) -> tuple[bool, int, list[str]]:
        n_models = sum(chosen <= of for of in datasets_of.values())
        n_trained = sum(chosen <= of for of in trained)
        # The names decide between equals, so that one plan always gives the same block.
        return can_tell(len(chosen), n_models), len(chosen) ** 2 * n_trained, sorted(chosen)

    candidates = [
        chosen
        for chosen in {*trained, *(one & other for one, other in combinations(set(trained), 2))}
        if len(chosen) > 1 and sum(chosen <= of for of in datasets_of.values()) > 1
    ]
    if not candidates:
        return None
    chosen = max(candidates, key=size)
    return Block(
        task=task,
        datasets=tuple(name for name in datasets if name in chosen),
        models=tuple(model for model, of in datasets_of.items() if chosen <= of),
        other_datasets=tuple(name for name in datasets if name not in chosen),
        other_models={
            model: tuple(name for name in datasets if name in chosen - of)
            for model, of in datasets_of.items()
            if not chosen <= of
        },
    )
