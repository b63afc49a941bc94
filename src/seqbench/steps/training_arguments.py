"""Arguments of the steps that train: machine, memory and the state of an interrupted training."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.config.stages import STATE_EVERY_S
from seqbench.errors import UserError

if TYPE_CHECKING:
    from seqbench.training.state import StateKeeper


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add what says where a model trains; it changes no setting of the run."""
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


@contextmanager
def keeping_state(
    arguments: argparse.Namespace, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> Iterator[StateKeeper | None]:
    """Keep the state of a training, if wanted, until its outputs are in place.

    Parameters
    ----------
    arguments
        Those of `add_state` are taken out; settings, seed, machine and what
        else is left but paths decide whether a state is of the same training.
    inputs, outputs
        Which of them are files that are read, and files that are written.
    """
    taken = vars(arguments)
    folder, every_s = taken.pop("state"), taken.pop("state_every_s")
    code = taken.pop("code")
    if folder is None:
        yield None
        return
    if not code:
        raise UserError("--state needs --code: a training goes on with the same code only")
    from seqbench.process.origin import versions
    from seqbench.training.reproducibility import choose_device
    from seqbench.training.state import file_digest, keeping

    given = dict(taken)

    def identity() -> dict[str, str]:
        told = {
            name: str(value)
            for name, value in given.items()
            if name not in ("tensorboard", "out_of_memory", *outputs)
        }
        told["settings"] = given["settings"].to_json()
        told["device"] = choose_device(given["device"]).type
        told |= {name: file_digest(given[name]) for name in inputs if given[name] is not None}
        return told | {"code": code, "version of torch": versions()["torch"]}

    files = [given[name] for name in outputs]
    with keeping(folder, identity, every_s, files) as keeper:
        yield keeper


def train_in_room(
    run: Callable[..., None], arguments: argparse.Namespace, keeper: StateKeeper | None
) -> None:
    """Run a training with its arguments, and as they say where a GPU has no room for it."""
    from seqbench.training.out_of_memory import train_within_memory

    given = dict(vars(arguments))
    settings, out_of_memory = given.pop("settings"), given.pop("out_of_memory")

    def train(settings: Any, halved: bool) -> None:
        run(settings=settings, halved=halved, **given)

    train_within_memory(train, settings, out_of_memory, keeper)
