"""Arguments that several steps share, and what the fork server loads for them."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.process.memory import AUTO

if TYPE_CHECKING:
    from seqbench.storage.records import RunIdentity

# By name: no step but those that train depends on these.
TRAINING = (
    "torch",
    "seqbench.training.finetune",
    "seqbench.training.loop",
    "seqbench.training.torchrun",
)


def import_all(*modules: str) -> None:
    """Import in the fork server what its forks would otherwise import one by one."""
    from seqbench.config import registry
    from seqbench.config.datasets import built_in_datasets
    from seqbench.process.origin import origin

    importlib.import_module("h5py")
    importlib.import_module("safetensors.numpy")
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError):  # the step names the extra that is missing
            importlib.import_module(module)
    if "seqbench.models.recurrent_layers" in sys.modules:
        # Compiled when first imported on a machine; no step imports it before it trains.
        with contextlib.suppress(ImportError):  # then torch's own layers do it
            importlib.import_module("seqbench.models.recurrent_kernels")
    for one in registry.REGISTRIES:
        list(one)
    built_in_datasets()
    origin()


def registered(architecture: str, task: str | None = None) -> list[str]:
    """Return the modules of a network and, where one is given, of a task."""
    from seqbench.config.registry import ARCHITECTURES, TASKS

    modules = [ARCHITECTURES.entry(architecture).module]
    return modules if task is None else [*modules, TASKS.entry(task).module]


def curves(arguments: list[str]) -> list[str]:
    """Return the module that draws curves, if the arguments of a step request them."""
    return ["torch.utils.tensorboard"] if "--tensorboard" in arguments else []


def settings_of(arguments: list[str]) -> Any:
    """Return the settings among the arguments of a step, unchecked."""
    return json.loads(arguments[arguments.index("--settings") + 1])


def path_parser(module: str, *names: str) -> argparse.ArgumentParser:
    """Return a parser for the module of a step, with a required path for each name."""
    package, _, step = module.rpartition(".")
    description = sys.modules[module].__doc__
    parser = argparse.ArgumentParser(f"python -m {package} {step}", description=description)
    for name in names:
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser


def add_memory_limit(parser: argparse.ArgumentParser) -> None:
    """Add the size from which on data stay on disk; it changes no result."""
    parser.add_argument(
        "--memory-limit",
        default=AUTO,
        help="larger data stay on disk, such as 4GB; auto: half of the memory that is available;"
        " auto/4: the share of that of each of four jobs at once",
    )


def add_trial(parser: argparse.ArgumentParser) -> None:
    """Add which trial of what it is."""
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--number", type=int, required=True, help="of the trial, from 0")


def parsed_run(
    parser: argparse.ArgumentParser, argv: list[str] | None
) -> tuple[RunIdentity, dict[str, Any]]:
    """Parse the identity of a run, which is written into what the step makes, and the rest."""
    from seqbench.storage.records import RunIdentity

    for name in ("dataset", "architecture", "arm"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--labels", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    rest = vars(parser.parse_args(argv))
    return RunIdentity(**{name: rest.pop(name) for name in RunIdentity.model_fields}), rest
