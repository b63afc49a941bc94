"""Frames of whole recordings from overlapping windows, in one pass and bounded memory.

Windows of one length begin at multiples of a step from the start of the
recording. Where two overlap, their frames are averaged with weights that fade
towards a window's edge, where an encoder has seen least. Frames within
`edge_samples` of it count where no other window has them. Files and streams go
the same way, so they give the same events.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError
from seqbench.storage.detections import Pace

Frames = NDArray[np.float32]
OVERLAP = 0.25  # fraction of a window that the next one shares, at least
AT_EDGE = 1e-6  # weight of frames that count where no other window has them


@dataclass(frozen=True)
class Layout:
    """Where windows begin, and how their frames lie.

    Parameters
    ----------
    window_samples
        Length of a window; the last one of a recording may be shorter.
    hop_samples
        Samples from frame to frame.
    first_centre
        Frame f stands for the samples around ``first_centre + f * hop_samples``.
    edge_samples
        At either edge of a window, without what its frames need to see.

    Raises
    ------
    UserError
        If a window is shorter than a frame: samples between windows would be lost.
    """

    window_samples: int
    hop_samples: int
    first_centre: float
    edge_samples: int = 0

    def __post_init__(self) -> None:
        if self.window_samples < self.hop_samples:
            raise UserError(
                f"a window of {self.window_samples} samples is shorter than a frame of"
                f" {self.hop_samples}; set `window.length_samples` to more, or lower the strides"
                " of the architecture"
            )

    @property
    def step_samples(self) -> int:
        """Samples from window to window, a whole number of frames."""
        whole = self.window_samples
        largest = min(int(whole * (1 - OVERLAP)), whole - 2 * self.edge_samples)
        return max(1, largest // self.hop_samples) * self.hop_samples

    @property
    def pace(self) -> Pace:
        """When the frames of a recording become final."""
        return Pace(
            hop_samples=self.hop_samples,
            first_centre=self.first_centre,
            first_samples=self.window_samples,
            n_together=self.step_samples // self.hop_samples,
        )

    def complete(self, n_samples: int) -> int:
        """Return how many whole windows fit into the first samples of a recording."""
        return max(0, (n_samples - self.window_samples) // self.step_samples + 1)

    def spans(self, n_samples: int) -> list[tuple[int, int]]:
        """Return start and stop of each window of a recording, the last one perhaps shorter."""
        n = self.complete(n_samples)
        starts = range(0, n * self.step_samples, self.step_samples)
        whole = [(start, start + self.window_samples) for start in starts]
        if not whole or whole[-1][1] < n_samples:
            whole.append((n * self.step_samples, n_samples))
        return whole


class Blend:
    """Joins the frames of windows as they come, in order.

    Parameters
    ----------
    layout
        Of the windows.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.n_step = layout.step_samples // layout.hop_samples  # frames from window to window
        self._sum: Frames | None = None  # of frames that a later window may still touch
        self._weight = np.zeros(0, dtype=np.float32)

    def add(self, frames: Frames) -> Frames:
        """Take the frames (F, ...) of the next window, give those that no later one touches."""
        n = len(frames)
        weight = self._fade(n)
        total = frames * weight.reshape(-1, *[1] * (frames.ndim - 1))
        if self._sum is not None:
            n_shared = min(len(self._sum), n)
            total[:n_shared] += self._sum[:n_shared]
            weight[:n_shared] += self._weight[:n_shared]
        n_final = min(self.n_step, n)
        self._sum, self._weight = total[n_final:], weight[n_final:]
        return _mean(total[:n_final], weight[:n_final])

    def finish(self) -> Frames:
        """Give the frames that are left."""
        if self._sum is None:
            raise ValueError("no window was added")
        rest = _mean(self._sum, self._weight)
        self._sum = None
        return rest

    def _fade(self, n: int) -> NDArray[np.float32]:
        """Return the weight of each frame of a window: 1 inside, falling towards the edges."""
        whole = -(-self.layout.window_samples // self.layout.hop_samples)
        n_ramp = max(1, whole - self.n_step)
        from_start = np.arange(n) + 0.5
        to_end = whole - from_start  # of a whole window: a short one ends with its recording
        inwards = np.minimum(from_start, to_end)
        if edge := self.layout.edge_samples / self.layout.hop_samples:
            ramp = (inwards - edge) / max(1.0, n_ramp - 2 * edge)
            return np.clip(ramp, AT_EDGE, 1).astype(np.float32)
        return np.minimum(1, inwards / n_ramp).astype(np.float32)


def _mean(total: Frames, weight: NDArray[np.float32]) -> Frames:
    return total / weight.reshape(-1, *[1] * (total.ndim - 1))
