"""What several steps share: arguments, and what a warm process loads for them."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.config.stages import STATE_EVERY_S
from seqbench.errors import UserError

if TYPE_CHECKING:
    from seqbench.training.state import StateKeeper

TRAINING = ("torch", "torch._dynamo", "seqbench.training.finetune", "seqbench.training.loop")


def load(*modules: str) -> None:
    """Load in a warm process what its forks would otherwise load one by one."""
    from seqbench.config import registry
    from seqbench.config.benchmark import built_in_datasets
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
