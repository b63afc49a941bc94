"""Arguments of the steps that train: machine, memory and the state of an interrupted training."""

import argparse
from pathlib import Path

from seqbench.config.stages import STATE_EVERY_S
from seqbench.steps.arguments import add_memory_limit


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options of the machine and of the state; they change no setting of the run."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one training")
    parser.add_argument("--tensorboard", type=Path, help="folder for TensorBoard logs")
    parser.add_argument(
        "--out-of-memory",
        choices=("refuse", "halve"),
        default="refuse",
        help="where a GPU has no room for a batch: stop, or train once more with half of it",
    )
    add_memory_limit(parser)
    parser.add_argument(
        "--state",
        type=Path,
        help="folder from which an interrupted training goes on; without, it begins anew",
    )
    parser.add_argument(
        "--state-every-s", type=float, default=STATE_EVERY_S, help="seconds between two states"
    )
    parser.add_argument(
        "--code", default="", help="digest of the code: training goes on with the same code only"
    )
