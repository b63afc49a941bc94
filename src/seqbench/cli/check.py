"""Check a config as `seqbench run` would run it, and count its runs."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from seqbench.cli.arguments import read_config
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.plan import Plan


def add_arguments(parser: ArgumentParser) -> None:
    """Add the config files."""
    parser.add_argument(
        "configs",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="merged in turn into the default config, as Snakemake does",
    )


def run(configs: list[Path]) -> None:
    """Print the number of runs by dataset, and the baselines that go unused."""
    plan = Plan(read_config(*configs))
    print(
        f"{configs[-1]}: valid; {len(plan.trained)} models to train,"
        f" {len(plan.baselines)} baselines to fit"
    )
    for dataset, n in Counter(
        plan.benchmark.base_dataset(run.dataset) for run in plan.runs
    ).items():
        print(f"  {dataset:<24} {n:>5} runs")
    for sentence in unused_baselines(plan.benchmark):
        print(f"  {sentence}")
