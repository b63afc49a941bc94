"""Which baselines a dataset can take, and why it cannot take the others."""

from typing import NamedTuple

from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import BASELINES, DATASETS


class Misfit(NamedTuple):
    """Why a baseline does not run on a dataset.

    Parameters
    ----------
    reason
        Continues a sentence on the baseline.
    is_of_other_kind
        Whether it is made for other tasks or samples.
    key
        Of the config, which would let it run; None: nothing would.
    """

    reason: str
    is_of_other_kind: bool = False
    key: str | None = None


def misfit(benchmark: Benchmark, baseline: str, dataset: str) -> Misfit | None:
    """Return why a baseline does not run on a dataset; None if it does.

    A source offers what its tag ``offers`` lists, and what ``offered_by`` maps
    to an option once the configuration sets that option.
    """
    made_for = BASELINES.entry(baseline).tags
    if benchmark.task(dataset) not in made_for["tasks"]:
        return Misfit(f"it is made for {' and '.join(made_for['tasks'])}", is_of_other_kind=True)
    if benchmark.sample(dataset) not in made_for["accepts"]:
        return Misfit(f"it takes {' or '.join(made_for['accepts'])}", is_of_other_kind=True)
    entry = benchmark.all_datasets[dataset]
    source = DATASETS.entry(entry.source).tags
    offered = set(source.get("offers", ()))
    for thing in made_for.get("needs", ()):
        option = source.get("offered_by", {}).get(thing)
        if thing in offered or entry.source_options.get(option) is not None:
            continue
        if option is None:
            return Misfit(f"it needs '{thing}', which the source does not offer")
        key = f"datasets.{benchmark.base_dataset(dataset)}.{option}"
        return Misfit(f"it needs '{thing}'; set `{key}`", key=key)
    return None


def unused_baselines(benchmark: Benchmark) -> list[str]:
    """Return sentences on the listed baselines that run on no dataset.

    Where a key of the config would let it run on one dataset more, there is a
    sentence too. Baselines that stand in no list are not looked at: the default
    holds floors of every task.
    """
    if "baselines" not in benchmark.model_fields_set:
        return []
    datasets = dict.fromkeys(
        name for grid in benchmark.runs if grid.baselines is None for name in grid.datasets
    )
    of_other_kind, sentences = [], []
    for baseline in benchmark.baselines if datasets else ():
        found = {name: misfit(benchmark, baseline, name) for name in datasets}
        misfits = {name: one for name, one in found.items() if one is not None}
        with_key = {name: one for name, one in misfits.items() if one.key is not None}
        if all(name in misfits and misfits[name].is_of_other_kind for name in datasets):
            of_other_kind.append(baseline)
        elif len(misfits) == len(datasets) and not with_key:
            near = (one.reason for one in misfits.values() if not one.is_of_other_kind)
            reasons = dict.fromkeys(near)
            sentences.append(f"baseline '{baseline}' runs on no dataset: {'; '.join(reasons)}")
        sentences += [
            f"baseline '{baseline}' does not run on dataset '{name}': {one.reason}"
            for name, one in with_key.items()
        ]
    if of_other_kind:
        sentences.append(
            f"no dataset is of the kind of these baselines: {', '.join(of_other_kind)}"
        )
    return sentences
