"""What several steps share: arguments, and what a warm process loads for them."""

import argparse
import importlib
from pathlib import Path
from typing import Any

TRAINING = ("torch", "torch._dynamo", "seqbench.training.finetune", "seqbench.training.loop")


def load(*modules: str) -> None:
    """Load in a warm process what its forks would otherwise load one by one."""
    from seqbench import config, provenance, registry

    for module in ("h5py", "safetensors.numpy", *modules):
        importlib.import_module(module)
    for one in registry.REGISTRIES:
        list(one)
    config.built_in_datasets()
    provenance.origin()


def path_parser(description: str | None, *names: str) -> argparse.ArgumentParser:
    """Return a parser with a required path for each name."""
    parser = argparse.ArgumentParser(description=description)
    for name in names:
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add what says where a model trains; it changes no setting of the run."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one training")
    parser.add_argument("--tensorboard", type=Path, help="folder for TensorBoard logs")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the identity of a run, which is written into what the step makes."""
    for name in ("dataset", "architecture", "arm"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--labels", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)


def parse_run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Take the identity of a run out of the arguments."""
    taken = vars(arguments)
    return {key: taken.pop(key) for key in ("dataset", "architecture", "arm", "labels", "seed")}
