"""Encoders, one family a file, and the classifiers built from them.

The classifiers and their parts are importable from here as a library: ``from
seqbench.models import LSTMClassifier``. They load on first use, so that
importing the package stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbench.library.pretraining import (
        ContrastiveLSTM,
        LSTMAutoencoder,
        TemporalAugmentation,
        VariationalLSTMAutoencoder,
    )
    from seqbench.models.classifiers import CNN1D, CNNLSTM1D, LSTMClassifier
    from seqbench.models.conv_lstm import ConvLSTM, ConvLSTMCell
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
    "ContrastiveLSTM",
    "ConvLSTM",
    "ConvLSTMCell",
    "EventSpecificCNN",
    "EventSpecificClassifier",
    "EventSpecificTimingHeads",
    "EventTemplateBank",
    "LSTMAutoencoder",
    "LSTMClassifier",
    "LSTMEventClassifier",
    "TemporalAugmentation",
    "VariationalLSTMAutoencoder",
]

HOMES = {
    "ContrastiveLSTM": "seqbench.library.pretraining",
    "ConvLSTM": f"{__name__}.conv_lstm",
    "ConvLSTMCell": f"{__name__}.conv_lstm",
    "EventSpecificCNN": f"{__name__}.event_specific",
    "EventSpecificClassifier": f"{__name__}.event_specific",
    "EventSpecificTimingHeads": f"{__name__}.event_specific",
    "EventTemplateBank": f"{__name__}.event_specific",
    "LSTMAutoencoder": "seqbench.library.pretraining",
    "LSTMEventClassifier": f"{__name__}.lstm_event",
    "TemporalAugmentation": "seqbench.library.pretraining",
    "VariationalLSTMAutoencoder": "seqbench.library.pretraining",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(HOMES.get(name, f"{__name__}.classifiers")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
