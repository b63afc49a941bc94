"""Encoders, one family a file, and the classifiers built from them.

The classifiers are importable from here as a library: ``from seqbench.models
import LSTMClassifier``. They load on first use, so that importing the package
stays free of torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbench.models.classifiers import CNN1D, CNNLSTM1D, LSTMClassifier

__all__ = ["CNN1D", "CNNLSTM1D", "LSTMClassifier"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from seqbench.models import classifiers

        return getattr(classifiers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
