"""A causal `event_pursuit` as one function: the state is the signal that its blocks still read."""

import torch
from torch import Tensor

from seqbench.exporting.causal import CausalStep, State
from seqbench.exporting.graph import WholeModel
from seqbench.models.event_pursuit import EventPursuitEncoder
from seqbench.storage.onnx_model import StreamRecord
from seqbench.tasks.detection.head import DetectionHead


class CausalEventPursuit(CausalStep):
    """A step of `event_pursuit`: one block or more, each complete with its last sample."""

    n_traced = 2

    def __init__(
        self, whole: WholeModel, head: DetectionHead, encoder: EventPursuitEncoder
    ) -> None:
        super().__init__(whole, head)
        self.encoder = encoder
        self.measure_state()

    @property
    def record(self) -> StreamRecord:
        """What a caller must know."""
        size, step = self.encoder.block_samples - self.encoder.behind_samples, self.least_samples
        n_pieces = -(-size // step)  # with which the first block is complete
        return StreamRecord(
            hop_samples=self.head.hop,
            first_centre=self.head.first_centre,
            n_together=self.encoder.n_together,
            n_before=n_pieces * step - size,
            n_warm_up=0,
            delay_frames=(n_pieces - 1) * self.encoder.n_together,
            n_state=self.n_state,
        )

    @property
    def least_samples(self) -> int:
        """Samples of the least piece."""
        return self.encoder.step_samples

    def step(self, samples: Tensor, inside: Tensor, state: State) -> Tensor:
        """Return the scores of the next hops; see `CausalStep.step`."""
        size, step = self.encoder.block_samples, self.encoder.step_samples
        x = self.whole.normalized(samples) * inside
        x = state.after(x, size - step, self.n_channels)[0]
        marks = state.after(inside, size - step, 1)[0, :, 0]
        is_before = marks.cumsum(dim=0) == 0
        x = torch.where(is_before[:, None], x[marks.argmax(dim=0, keepdim=True)], x)
        n_blocks_before = torch.ones_like(inside[0, ::step, 0]).cumsum(dim=0) - 1
        at = (step * n_blocks_before).long()[:, None] + torch.arange(size)
        is_behind = ((marks == 0) & ~is_before)[at]
        frames = self.encoder.of_blocks(x[at], size - is_behind.long().sum(dim=1))
        scores: Tensor = self.head.scores(self.head(frames.flatten(0, 1)[None]))
        return scores
