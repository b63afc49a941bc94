"""Templates that models have learned, read from their files without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import commonest_shapes
from seqbench.baselines.matched_filter.whitening import Whitener
from seqbench.errors import FormatError
from seqbench.reporting.read.results import Result
from seqbench.statistics.event_shapes import similarity
from seqbench.storage.models import StoredModel, read_model
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.floating]

MAX_DELAY_SAMPLES = 10  # bound of the delays that `event_specific` learns
BANK = "encoder.template_bank"


@dataclass(frozen=True)
class Shapes:
    """A template for each type and channel, (K, C, L), and the sample of it where events begin."""

    values: Floats
    onset: float


@dataclass(frozen=True, kw_only=True)
class Bank:
    """The templates of one model.

    Parameters
    ----------
    name
        Of the model, with its seed.
    learned
        Templates; of a type of several shapes, that of most of its events.
    delays_samples
        How much later an event sets in on each channel, (K, C); None: the
        templates hold it themselves.
    truth
        Those of the generator, as the model would see them, of two of a type the one
        more like that learned; None: not known. All shapes of `matched_filter` are those
        behind its filter that makes noise white.
    """

    name: str
    learned: Shapes
    delays_samples: Floats | None
    truth: Shapes | None


def read_bank(result: Result, windows: WindowSet, path: Path) -> Bank:
    """Read the templates of a model.

    Parameters
    ----------
    result
        Of `event_specific` or `matched_filter`.
    windows
        For the truth, where it is known: the shapes of a generator, normalised as the signal is.
    path
        File of its model.

    Raises
    ------
    FormatError
        If the file holds no templates.
    """
    stored: StoredModel[Any] = read_model(path)
    delays = None
    true = [
        windows.truth[name] / windows.normalization.scale[:, None]
        for name in ("templates", "second_templates")
        if name in windows.truth
    ]
    try:
        if result.is_baseline:
            arrays = stored.arrays
            whiten = Whitener(arrays["filters"], arrays["mixing"])
            true = [whiten(values, extend=True) for values in true]
            shape = commonest_shapes(arrays, len(windows.classes))
            learned = Shapes(arrays["templates"][shape], float(arrays["onset"][0]))
        else:
            n_types = len(stored.header.classes)  # templates beyond are of no event
            learned = Shapes(stored.arrays[f"{BANK}.templates"][:n_types], 0.0)
            unbounded = stored.arrays[f"{BANK}.onset_delays"][:n_types]
            delays = MAX_DELAY_SAMPLES * np.tanh(unbounded / MAX_DELAY_SAMPLES)
    except KeyError as error:
        raise FormatError(f"{path}: holds no templates ({error}); train it again") from None
    truth = None
    if true:
        values = _likest(learned.values, true)
        truth = Shapes(values, float(windows.truth["template_onset"]))
    name = f"{result.run.architecture} · {result.run.arm}, seed {result.run.seed}"
    return Bank(name=name, learned=learned, delays_samples=delays, truth=truth)


def _likest(learned: Floats, true: Sequence[Floats]) -> Floats:
    """Return for each type that of several shapes which is most like the learned one, (K, C, L)."""
    if len(true) == 1:
        return true[0]
    length = max(one.shape[2] for one in (learned, *true))
    padded = [np.pad(one, [(0, 0), (0, 0), (0, length - one.shape[2])]) for one in (learned, *true)]
    n_types = len(learned)
    likeness = similarity(np.concatenate(padded), length - 1)[:n_types, n_types:]
    of_own = np.diagonal(likeness.reshape(n_types, len(true), n_types), axis1=0, axis2=2)
    return np.asarray(np.stack(true)[of_own.argmax(axis=0), np.arange(n_types)])
