"""The models of the descriptions."""

from seqbench.library.models.classifiers import CNN1D, CNNLSTM1D, LSTMClassifier
from seqbench.library.models.events import (
    EventSpecificClassifier,
    EventSpecificTimingHeads,
    LSTMEventClassifier,
)
from seqbench.library.models.pretraining import (
    ContrastiveLSTM,
    LSTMAutoencoder,
    TemporalAugmentation,
    VariationalLSTMAutoencoder,
)
from seqbench.models.conv_lstm import ConvLSTM, ConvLSTMCell
from seqbench.models.event_specific import EventSpecificCNN, EventTemplateBank

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
