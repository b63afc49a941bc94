"""Arguments of the steps that train: machine, memory and the state of an interrupted training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.config.stages import STATE_EVERY_S

if TYPE_CHECKING:
    from seqbench.training.job import Machine, StateSettings


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options of the machine; they change no setting of the run."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one training")
    parser.add_argument("--tensorboard", type=Path, help="folder for TensorBoard logs")
    parser.add_argument(
        "--out-of-memory",
        choices=("refuse", "halve"),
        default="refuse",
        help="where a GPU has no room for a batch: stop, or train once more with half of it",
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """Add what keeps the state of a training under way; it changes no setting of the run."""
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


def machine(arguments: argparse.Namespace) -> Machine:
    """Return what `add_machine` added."""
    from seqbench.training.job import Machine

    return Machine(
        device=arguments.device,
        threads=arguments.threads,
        tensorboard=arguments.tensorboard,
        out_of_memory=arguments.out_of_memory,
    )


def state_settings(arguments: argparse.Namespace) -> StateSettings:
    """Return what `add_state` added."""
    from seqbench.training.job import StateSettings

    return StateSettings(
        folder=arguments.state, every_s=arguments.state_every_s, code=arguments.code
    )
