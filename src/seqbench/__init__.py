"""Sequence models on sensor and physiological recordings, compared under one protocol."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as of `typing`, whose import is a third of the start of a job
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.2.0.dev0"


def __getattr__(name: str) -> Any:
    """Load `seqbench.load` and `seqbench.predict` on first use: the package itself stays light.

    By name, so that what a job depends on does not seem to hold all of it.
    """
    if name in ("load", "predict"):
        return getattr(importlib.import_module("seqbench.prediction.predictor"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
