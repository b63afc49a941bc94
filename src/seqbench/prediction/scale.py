"""Whether a recording is on the scale of those that a model learned from."""

import logging

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.model_header import PredictorHeader
from seqbench.storage.normalization import Normalization
from seqbench.windowing.normalize import normalize

FAR = 5.0  # deviations of train that a mean may lie from that of train
LOUD, QUIET = 8.0, 0.01  # ratio to the deviation of train; quiet recordings are no rarity
N_SAMPLES = 1 << 20  # of a recording that are looked at
N_OF_STREAM = 1 << 14  # of a stream, which are soon there
SCALED = ("zscore", "robust")  # normalisations by which other scales remain

logger = logging.getLogger("seqbench")


def warn_of_scale(header: PredictorHeader, name: str, normal: NDArray[np.float32]) -> None:
    """Warn of each channel that is unlike train; of tokens, if most of them were never seen.

    Parameters
    ----------
    header
        Of the model.
    name
        Of the recording.
    normal
        Samples as the model sees them, (n, C, ...).
    """
    if header.sample == "tokens":
        n_other = int((normal == 0).sum())  # the first of the vocabulary stands for all others
        if n_other > normal.size / 2:
            logger.warning("%s: %d of %d characters are none of train", name, n_other, normal.size)
        return
    if header.normalization.mode not in SCALED:
        return
    others = (0, *range(2, normal.ndim))
    means, deviations = normal.mean(axis=others), normal.std(axis=others)
    deviations[np.ptp(normal, axis=others) == 0] = 0  # which rounding leaves above 0
    columns = zip(header.channels, means.tolist(), deviations.tolist(), strict=True)
    for channel, mean, deviation in columns:
        if abs(mean) > FAR or deviation > LOUD or 0 < deviation < QUIET:
            logger.warning(
                "%s: channel '%s' varies by %.3g around %.3g, and train by 1 around 0, after"
                " normalisation; check units and channels", name, channel, deviation, mean,
            )  # fmt: skip


class ScaleWatch:
    """Warns once of the scale of a stream, after its first samples or at its end."""

    def __init__(self, header: PredictorHeader, name: str) -> None:
        self._header, self._name = header, name
        self._seen: list[NDArray[np.float32]] = []
        self._is_done = False

    def look_at(self, chunk: NDArray[np.float32]) -> None:
        """Take the next samples, (n, C)."""
        if not self._is_done:
            self._seen.append(chunk)
            if sum(map(len, self._seen)) >= N_OF_STREAM:
                self.finish()

    def finish(self) -> None:
        """Warn of the samples so far, if it has not yet."""
        if self._seen and not self._is_done:
            normalization = Normalization.of(self._header.normalization)
            normal = normalize(np.concatenate(self._seen), normalization)
            warn_of_scale(self._header, self._name, normal)
        self._seen, self._is_done = [], True
