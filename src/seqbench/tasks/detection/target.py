"""Events of windows as tensors, gathered from a timeline."""

from dataclasses import dataclass

import torch
from torch import Tensor

from seqbench.storage.timeline import Timeline
from seqbench.tasks.targets import Rows, TargetTable


@dataclass(frozen=True)
class EventTarget:
    """Events of a batch of windows, in samples from the start of each window.

    Parameters
    ----------
    onset
        (B, M) float32; M is the most events of a window.
    type
        Index of the class, (B, M) int64; -1 where a window has fewer events.
    known
        Samples [start, stop) of each window in which every event is labelled, (B, 2).
    duration
        From onset to end, (B, M) float32; NaN where the end is not known. None: none is.
    """

    onset: Tensor
    type: Tensor
    known: Tensor
    duration: Tensor | None = None


class EventTable(TargetTable):
    """Events of windows, found by position in the signal.

    Parameters
    ----------
    timeline
        Recordings and events of one split.
    device
        Where targets are made.
    """

    def __init__(self, timeline: Timeline, device: torch.device) -> None:
        self.onset, self.type, self.start, self.stop, self.known_start, self.known_stop = (
            torch.from_numpy(getattr(timeline, name)).to(device)
            for name in ("onset", "type", "start", "stop", "known_start", "known_stop")
        )
        self.duration = torch.from_numpy(timeline.duration).float().to(device)

    def bounds(self, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows [first, stop) of the recordings at rows (B,), (B,) each."""
        place = self._place(start)
        return self.start[place], self.stop[place]

    def batch(self, rows: Rows) -> EventTarget:
        """Return the events that begin in the windows of a batch."""
        start, length, within = rows.start, rows.length, rows.within
        stop = start + length
        first = torch.searchsorted(self.onset, start)
        n_events = torch.searchsorted(self.onset, stop) - first
        most = int(n_events.max()) if len(n_events) else 0
        column = torch.arange(most, device=start.device)
        is_event = column < n_events[:, None]
        index = (first[:, None] + column).clamp(max=max(len(self.onset) - 1, 0))
        onset = (self.onset[index] - start[:, None]) if most else index
        place = self._place(start)
        known_start, known_stop = self.known_start[place], self.known_stop[place]
        if within is not None:
            known_start = known_start.maximum(within[0])
            known_stop = known_stop.minimum(within[1]).maximum(known_start)
            row = onset + start[:, None]
            is_event &= (known_start[:, None] <= row) & (row < known_stop[:, None])
        known = torch.stack([known_start, known_stop], dim=1)
        return EventTarget(
            onset=onset.float() * is_event,
            type=torch.where(is_event, self.type[index] if most else index, -1),
            known=torch.minimum((known - start[:, None]).clamp(min=0), length[:, None]),
            duration=self.duration[index] if most else index.float(),
        )

    def _place(self, start: Tensor) -> Tensor:
        return torch.searchsorted(self.start, start, right=True) - 1
