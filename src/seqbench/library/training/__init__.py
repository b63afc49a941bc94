"""The losses and trainers of the descriptions."""

from seqbench.library.training.losses import (
    AutoencoderLoss,
    EventSpecificLoss,
    EventTimingLoss,
    VariationalLoss,
)
from seqbench.library.training.trainers import (
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
