"""Whitened shapes of the types of events: those of a generator, or learned by `matched_filter`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import commonest_shapes
from seqbench.baselines.matched_filter.whitening import Whitener
from seqbench.errors import FormatError
from seqbench.statistics import event_shapes
from seqbench.storage.models import read_model
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EventShapes:
    """What an event of each type adds to a signal of white noise, and what follows from it.

    Parameters
    ----------
    whitened
        (K, C, L), for noise of variance 1.
    rate_hz
        Samples per second.
    origin
        Where shapes and noise are from, in words.
    """

    whitened: Floats
    rate_hz: float
    origin: str

    @property
    def snr_db(self) -> Floats:
        """Signal-to-noise ratio of each type, (K,); minus infinity of a type without a shape."""
        return event_shapes.snr_db(self.whitened)

    @property
    def bound_ms(self) -> Floats:
        """Least standard deviation of the onset of each type, (K,); infinite without a shape."""
        return event_shapes.timing_bound_samples(self.whitened) * 1000 / self.rate_hz

    @property
    def least_mean_error_ms(self) -> Floats:
        """Mean absolute error of normal errors at the bound, (K,)."""
        return event_shapes.MEAN_OF_NORMAL * self.bound_ms

    def similarity(self, tolerance_ms: float) -> Floats:
        """Return the cosine of each two shapes, the greatest within the tolerance, (K, K)."""
        return event_shapes.similarity(self.whitened, int(tolerance_ms * self.rate_hz / 1000))


def read_event_shapes(windows: WindowSet, matched_filter: Path | None) -> EventShapes | None:
    """Return the shapes of the types of a dataset; None where nothing knows them.

    A generator that knows its templates and noise is believed first: of two templates
    of a type the first one. Templates whose noise is not known are whitened as
    `matched_filter` has learned, and without a generator its templates take their place:
    of a type of several shapes that of most of its events.

    Parameters
    ----------
    windows
        For the truth and the normalisation; their signal is not looked at.
    matched_filter
        Its model file; None: it did not run.

    Raises
    ------
    FormatError
        If the file holds no templates.
    """
    truth, rate_hz = windows.truth, windows.required_rate_hz
    if "templates" in truth and {"noise_sd", "noise_lag_one"} <= truth.keys():
        if not (truth["noise_sd"] > 0).all():
            return None  # without noise every ratio is infinite
        first = "first true templates of each type"
        which = first if "second_templates" in truth else "true templates"
        return EventShapes(
            whitened=_whitened(truth["templates"], truth["noise_sd"], truth["noise_lag_one"]),
            rate_hz=rate_hz,
            origin=f"{which} and noise of the generator",
        )
    if matched_filter is None:
        return None
    arrays = read_model(matched_filter).arrays
    try:
        if "templates" in truth:
            whiten = Whitener(arrays["filters"], arrays["mixing"])
            scaled = truth["templates"] / windows.normalization.scale[:, None]
            return EventShapes(
                whitened=whiten(scaled, extend=True),
                rate_hz=rate_hz,
                origin="true templates, noise as matched_filter learned it from train",
            )
        shape = commonest_shapes(arrays, len(windows.classes))
        return EventShapes(
            whitened=arrays["templates"][shape] * arrays["amplitude"][shape, None, None],
            rate_hz=rate_hz,
            origin="templates and noise as matched_filter learned them from train",
        )
    except KeyError as error:
        raise FormatError(f"{matched_filter}: holds no {error}; fit the baseline again") from None


def _whitened(templates: Floats, noise_sd: Floats, lag_one: Floats) -> Floats:
    """Whiten templates (K, C, L) for a first-order autoregression on each channel, (K, C, L + 1).

    The slow sway that a generator may add lies below the events and is left out.
    """
    padded = np.pad(templates.astype(np.float64), [(0, 0), (0, 0), (1, 1)])
    innovations = padded[..., 1:] - lag_one * padded[..., :-1]
    scale = noise_sd * np.sqrt(1 - lag_one**2)
    return np.asarray(innovations / scale[:, None], dtype=np.float64)
