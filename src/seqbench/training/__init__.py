"""The one loop that pretraining and fine-tuning share, and what it stands on.

For use as a library, a trainer of windows in a `DataLoader` and its losses are
importable from here; they load on first use, so that importing the package
stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbench.library.pretraining import AutoencoderLoss, VariationalLoss
    from seqbench.library.trainers import (
        ContrastiveTrainer,
        SupervisedTrainer,
        UnsupervisedTrainer,
    )
    from seqbench.tasks.detection.losses import EventSpecificLoss, EventTimingLoss

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
    "AutoencoderLoss": "seqbench.library.pretraining",
    "ContrastiveTrainer": "seqbench.library.trainers",
    "EventSpecificLoss": "seqbench.tasks.detection.losses",
    "EventTimingLoss": "seqbench.tasks.detection.losses",
    "SupervisedTrainer": "seqbench.library.trainers",
    "UnsupervisedTrainer": "seqbench.library.trainers",
    "VariationalLoss": "seqbench.library.pretraining",
}


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
