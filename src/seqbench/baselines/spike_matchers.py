"""Template matching of SpikeInterface, the tool of those who sort spikes of neurons."""

from abc import abstractmethod
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.baselines.matched_filter.detector import TemplateDetector, scores
from seqbench.baselines.matched_filter.interpolation import Floats, Integers, fast_size
from seqbench.baselines.matched_filter.joined import JoinedSignal, pieces_of
from seqbench.baselines.matched_filter.pursuit import FLOOR, MARGIN
from seqbench.config.options import Fraction, Level, Positive
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.extras import install
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

LEAST_DROP = 10.0  # of the squared error, in variances of noise, of a spike of `wobble`
MODULES = ("core", "sortingcomponents.matching.method_list")


class SpikeMatcherBaseline(Baseline):
    """A matcher of SpikeInterface with the templates, noise and amplitudes of `matched_filter`.

    Signals and templates are whitened, and each recording is searched by
    itself. A spike lies on a sample. SpikeInterface gives spikes no score: here
    it is that of `matched_filter`, the log-odds of the event beside all others
    that were found, whose amplitudes are fitted together.
    """

    method: ClassVar[str]  # as SpikeInterface calls it

    def __init__(self, length_ms: float, before_ms: float) -> None:
        self.learned = MatchedFilterBaseline(length_ms=length_ms, before_ms=before_ms)

    @abstractmethod
    def settings(self, detector: TemplateDetector) -> dict[str, Any]:
        """Return the arguments of the matcher."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn what `matched_filter` learns.

        Raises
        ------
        UserError
            If SpikeInterface is not installed.
        """
        _spikeinterface(MODULES[0])  # before the work, not after it
        return self.learned.fit(splits, seed)

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return the spikes of every recording."""
        detector = TemplateDetector.of(arrays)
        kept = np.flatnonzero(np.isfinite(detector.norms))
        if not len(kept):
            return Candidates.joined([])
        match = self._matcher(detector, kept, windows.required_rate_hz, len(windows.channels))
        products = _products(detector.templates)
        lead = int(np.rint(detector.onset))
        found = []
        for place, piece in enumerate(pieces_of(windows, known=False)):
            if not piece.shape[1]:
                continue
            white = detector.whitener(piece, extend=False)
            joined = JoinedSignal.of([white], len(piece), MARGIN * detector.length)
            for first, last, core_first, core_last in joined.blocks(MARGIN * detector.length):
                block = joined.signal[:, first:last]
                start, kind = match(block)
                inside = (start >= 0) & (start + detector.length <= block.shape[1])
                start, kind = start[inside], kind[inside]
                odds = _log_odds(detector, products, block, start, kind)
                time = start + first + lead - joined.start[0] - detector.bias[kind]
                is_core = (start + first + lead >= core_first) & (start + first + lead < core_last)
                is_inside = (time >= 0) & (time < piece.shape[1])
                chosen = is_core & is_inside & (odds > FLOOR)
                found.append(
                    Candidates.at(
                        time[chosen],
                        place=np.int64(place),
                        type=detector.parent[kind[chosen]],
                        score=scores(odds[chosen]),
                    )
                )
        return Candidates.joined(found)

    def _matcher(
        self, detector: TemplateDetector, kept: Integers, rate_hz: float, n_channels: int
    ) -> Any:
        """Return a function from a whitened block (C, T) to starts and types of spikes, (n,)."""
        core, methods = map(_spikeinterface, MODULES)
        # At the amplitudes of train, because a matcher expects an amplitude of 1.
        scaled = detector.templates[kept] * detector.amplitude[kept, None, None]
        templates = core.Templates(
            scaled.transpose(0, 2, 1).astype(np.float32), sampling_frequency=rate_hz, nbefore=0
        )
        silence = np.zeros((2 * detector.length, n_channels), dtype=np.float32)
        recording = core.NumpyRecording([silence], rate_hz)
        matcher = methods.matching_methods[self.method](
            recording, templates, shared_memory=False, **self.settings(detector)
        )

        def match(block: NDArray[np.float32]) -> tuple[Integers, Integers]:
            traces = np.ascontiguousarray(block.T, dtype=np.float32)
            spikes = matcher.compute_matching(traces, 0, len(traces), 0)
            start, kind = spikes["sample_index"], kept[spikes["cluster_index"]]
            chosen = np.unique(np.stack([start, kind]), axis=1)  # once, if it was found twice
            return chosen[0], chosen[1]

        return match


@BASELINES.register(
    "wobble",
    accepts=("series",),
    tasks=("detection",),
    imports=(
        "scipy.ndimage",
        "spikeinterface.core",
        "spikeinterface.sortingcomponents.matching.method_list",
    ),
)
class WobbleBaseline(SpikeMatcherBaseline):
    """Wobble of SpikeInterface (extra experts): templates moved in time and scaled.

    Parameters
    ----------
    length_ms
        Length of a template in milliseconds.
    before_ms
        What of it lies before the onset.

    References
    ----------
    Buccino et al. (2020). SpikeInterface, a unified framework for spike
    sorting. eLife 9:e61834. Boussard et al. (2023). DARTsort: a modular drift
    tracking spike sorter for high-density multi-electrode probes. bioRxiv
    2023.08.11.553023.
    """

    method = "wobble"

    def __init__(self, *, length_ms: Positive = 60.0, before_ms: Level = 15.0) -> None:
        super().__init__(length_ms, before_ms)

    def settings(self, detector: TemplateDetector) -> dict[str, Any]:
        """Return its parameters: the spread of amplitudes, and templates of full rank.

        One template a type: its eight between samples are made for waves that are slow beside
        the rate, and placed fast ones a sample off (F1 .86 instead of .94 at noise 0.6).
        """
        relative = detector.spread / detector.amplitude
        return {
            "parameters": {
                "amplitude_variance": float((relative**2).mean()),
                "approx_rank": detector.templates.shape[1],
                "jitter_factor": 1,
                "threshold": LEAST_DROP,
                "visibility_threshold": 0.0,
                "refractory_period_frames": detector.apart,
                "shared_memory": False,
            }
        }


@BASELINES.register(
    "circus_omp",
    accepts=("series",),
    tasks=("detection",),
    imports=(
        "scipy.ndimage",
        "spikeinterface.core",
        "spikeinterface.sortingcomponents.matching.method_list",
    ),
)
class CircusOmpBaseline(SpikeMatcherBaseline):
    """Orthogonal matching pursuit of Spyking Circus in SpikeInterface (extra experts).

    Parameters
    ----------
    length_ms
        Length of a template in milliseconds.
    before_ms
        What of it lies before the onset.
    least_amplitude
        Of a spike, relative to the mean of its type in train.

    References
    ----------
    Buccino et al. (2020). SpikeInterface, a unified framework for spike
    sorting. eLife 9:e61834. Yger et al. (2018). A spike sorting toolbox for up
    to thousands of electrodes validated with ground truth recordings in vitro
    and in vivo. eLife 7:e34518.
    """

    method = "circus-omp"

    def __init__(
        self,
        *,
        length_ms: Positive = 60.0,
        before_ms: Level = 15.0,
        least_amplitude: Fraction = 0.6,
    ) -> None:
        super().__init__(length_ms, before_ms)
        self.least_amplitude = least_amplitude

    def settings(self, detector: TemplateDetector) -> dict[str, Any]:
        """Return its arguments: the amplitudes of spikes, and templates of full rank."""
        return {
            "amplitudes": [self.least_amplitude, np.inf],
            "rank": detector.templates.shape[1],
        }


def _spikeinterface(module: str) -> Any:
    """Import a module of SpikeInterface; raise `UserError` with the extra if it is missing."""
    try:
        return import_module(f"spikeinterface.{module}")
    except ModuleNotFoundError as error:
        raise UserError(
            f"`wobble` and `circus_omp` run in the package spikeinterface, and {error.name} is"
            f" missing; {install('spikeinterface')}, or leave them out"
        ) from None


def _products(templates: Floats) -> Floats:
    """Return the product of each two templates (K, C, L) at each lag, (K, K, 2 L - 1).

    Entry (i, j, L - 1 + m): of template i and template j that starts m samples later.
    """
    length = templates.shape[2]
    size = fast_size(2 * length)
    spectra = np.fft.rfft(templates, size)
    lags = np.fft.irfft(np.einsum("icf,jcf->ijf", spectra, spectra.conj()), size)
    return np.concatenate([lags[..., size - length + 1 :], lags[..., :length]], axis=2)


def _log_odds(
    detector: TemplateDetector,
    products: Floats,
    block: NDArray[np.float32],
    start: Integers,
    kind: Integers,
) -> Floats:
    """Return the log-odds of spikes beside all the others of a whitened block (C, T), (n,)."""
    if not len(start):
        return np.zeros(0)
    length = detector.length
    seen = np.lib.stride_tricks.sliding_window_view(block, length, axis=1)[:, start]  # (C, n, L)
    heard = np.einsum("cnl,ncl->n", seen, detector.templates[kind], optimize=True)
    lag = start[None, :] - start[:, None]
    near = np.abs(lag) < length
    gram = np.where(near, products[kind[:, None], kind, np.where(near, lag, 0) + length - 1], 0.0)
    weight = 1 / detector.spread[kind] ** 2
    mean = detector.amplitude[kind]
    amplitude = np.linalg.solve(gram + np.diag(weight), heard + weight * mean)
    alone = heard - gram @ amplitude + gram.diagonal() * amplitude
    return detector.log_odds((alone / detector.norms[kind])[:, None], kind)[:, 0]
