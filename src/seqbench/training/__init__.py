"""The one loop that pretraining and fine-tuning share, and what it stands on.

For use as a library, a trainer of windows in a `DataLoader` and its losses are
importable from here; they load on first use, so that importing the package
stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbench.pretraining.library import AutoencoderLoss, VariationalLoss
    from seqbench.tasks.detection.losses import EventSpecificLoss, EventTimingLoss
    from seqbench.training.trainers import (
        ContrastiveTrainer,
        SupervisedTrainer,
        UnsupervisedTrainer,
    )

__all__ = [
    "AutoencoderLoss",
    "ContrastiveTrainer",
    "EventSpecificLoss",
    "EventTimingLoss",
    "SupervisedTrainer",
    "UnsupervisedTrainer",
    "VariationalLoss",
]

HOMES = {
    "AutoencoderLoss": "seqbench.pretraining.library",
    "ContrastiveTrainer": "seqbench.training.trainers",
    "EventSpecificLoss": "seqbench.tasks.detection.losses",
    "EventTimingLoss": "seqbench.tasks.detection.losses",
    "SupervisedTrainer": "seqbench.training.trainers",
    "UnsupervisedTrainer": "seqbench.training.trainers",
    "VariationalLoss": "seqbench.pretraining.library",
}


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
