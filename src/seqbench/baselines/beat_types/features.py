"""Features of the beats of a recording, against its own ordinary beats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.beat_types import shapes
from seqbench.baselines.beat_types.rhythm import rhythm

LIMIT = 20.0  # of a feature of shape
SHARE = 0.5  # of the range usual in train that joins that of a recording: it may be very steady

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BeatFeatures:
    """Rhythm and shape of the beats of one recording.

    Parameters
    ----------
    rhythm, shape
        (n_beats, n_features) each.
    middle, width
        Median and range of eight in ten of each feature of shape over the ordinary
        beats, (n_features,).
    """

    rhythm: Floats
    shape: Floats
    middle: Floats
    width: Floats

    def values(self, usual_width: Floats) -> Floats:
        """Return all features, those of shape in widths of the recording's ordinary beats.

        Parameters
        ----------
        usual_width
            Median over recordings, (n_features of shape,).
        """
        width = self.width + SHARE * usual_width + 1e-3
        shape = np.clip((self.shape - self.middle) / width, -LIMIT, LIMIT)
        return np.concatenate([self.rhythm, shape], axis=1)


def beat_features(ecg: Floats, time: Floats, rate_hz: float) -> BeatFeatures:
    """Return the features of beats.

    Parameters
    ----------
    ecg
        In physical units, (n_samples,).
    time
        Of the beats in samples, rising, (n_beats,).
    rate_hz
        Samples per second.
    """
    own = rhythm(time / rate_hz)
    beats = shapes.cut(shapes.filtered(ecg, rate_hz), np.rint(time).astype(np.int64), rate_hz)
    shape, is_ordinary = shapes.shapes(beats, own[:, 0])
    return BeatFeatures(own, shape, *shapes.spread(shape, is_ordinary))
