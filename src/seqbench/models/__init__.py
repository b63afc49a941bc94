"""Encoders, one family a file, and the classifiers built from them.

The classifiers and their parts are importable from here as a library: ``from
seqbench.models import LSTMClassifier``. They load on first use, so that
importing the package stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbench.models.classifiers import CNN1D, CNNLSTM1D, LSTMClassifier
    from seqbench.models.event_specific import (
        EventSpecificClassifier,
        EventSpecificCNN,
        EventSpecificTimingHeads,
        EventTemplateBank,
    )
    from seqbench.models.lstm_event import LSTMEventClassifier

__all__ = [
    "CNN1D",
    "CNNLSTM1D",
    "EventSpecificCNN",
    "EventSpecificClassifier",
    "EventSpecificTimingHeads",
    "EventTemplateBank",
    "LSTMClassifier",
    "LSTMEventClassifier",
]

HOMES = {
    "EventSpecificCNN": "event_specific",
    "EventSpecificClassifier": "event_specific",
    "EventSpecificTimingHeads": "event_specific",
    "EventTemplateBank": "event_specific",
    "LSTMEventClassifier": "lstm_event",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.{HOMES.get(name, 'classifiers')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
