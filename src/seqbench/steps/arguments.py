"""Arguments that several steps share."""

import argparse
from pathlib import Path
from typing import Any

TRAINING_IMPORTS = (
    "h5py",
    "safetensors.numpy",
    "torch",
    "torch._dynamo",
    "torch.nn.utils.rnn",
    "seqbench.training.loop",
)


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
