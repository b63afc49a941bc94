"""Packages of extras that a plan needs and that are not installed."""

from collections.abc import Iterator

from seqbench.config.registry import BASELINES, DATASETS
from seqbench.extras import absent
from seqbench.plan.plan import Plan


def missing_packages(plan: Plan) -> Iterator[str]:
    """Yield a sentence on each source of data and each baseline that cannot run here."""
    sources = [plan.benchmark.all_datasets[name].source for name in plan.ingested]
    baselines = [run.architecture for run in plan.baselines]
    for registry, names in ((DATASETS, sources), (BASELINES, baselines)):
        for name in dict.fromkeys(names):
            if sentence := absent(registry.entry(name).tags.get("imports", ())):
                yield f"{registry.kind} '{name}': {sentence}"
