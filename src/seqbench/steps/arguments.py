"""Arguments that several steps share, and what the fork server loads for them."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqbench.storage.records import RunIdentity

# By name: no step but those that train depends on these.
TRAINING = ("torch", "torch._dynamo", "seqbench.training.finetune", "seqbench.training.loop")


def import_all(*modules: str) -> None:
    """Import in the fork server what its forks would otherwise import one by one."""
    from seqbench.config import registry
    from seqbench.config.datasets import built_in_datasets
    from seqbench.process.origin import origin

    for module in ("h5py", "safetensors.numpy", *modules):
        importlib.import_module(module)
    for one in registry.REGISTRIES:
        list(one)
    built_in_datasets()
    origin()


def path_parser(description: str | None, *names: str) -> argparse.ArgumentParser:
    """Return a parser with a required path for each name."""
    parser = argparse.ArgumentParser(description=description)
    for name in names:
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the identity of a run, which is written into what the step makes."""
    for name in ("dataset", "architecture", "arm"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--labels", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)


def run_identity(arguments: argparse.Namespace) -> RunIdentity:
    """Return what `add_run` added."""
    from seqbench.storage.records import RunIdentity

    return RunIdentity(
        dataset=arguments.dataset,
        architecture=arguments.architecture,
        arm=arguments.arm,
        labels=arguments.labels,
        seed=arguments.seed,
    )
