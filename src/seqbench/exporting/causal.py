"""A causal detector as one function from samples and a state to frames and the next state."""

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from seqbench.exporting.graph import WholeModel, converted
from seqbench.storage.onnx_model import MAX_STATE, OUTPUT, STEP_INPUTS, STEP_OUTPUTS, StreamRecord
from seqbench.tasks.detection.head import DetectionHead


class CausalStep(nn.Module, ABC):
    """A piece of a recording in its units and a state to scores and the next state.

    Parameters
    ----------
    whole
        The model, ready to be traced.
    head
        Its output.

    Attributes
    ----------
    n_state
        Numbers of the state.
    n_traced
        Least pieces that the converter sees, so that it takes none for all that there can be.

    Notes
    -----
    A state of zeros is the start of a recording. A piece has a whole number of hops.
    """

    n_state: int
    n_traced = 1

    def __init__(self, whole: WholeModel, head: DetectionHead) -> None:
        super().__init__()
        self.whole, self.head = whole, head
        self.n_channels = whole.centre.numel()
        self.eval()

    @property
    @abstractmethod
    def record(self) -> StreamRecord:
        """What a caller must know."""

    @abstractmethod
    def step(self, samples: Tensor, inside: Tensor, state: "State") -> Tensor:
        """Return the scores (1, n, 2 or 3, K) of the next n hops; see `forward`."""

    def measure_state(self) -> None:
        """Count the numbers of the state, once all else is known."""
        state = State(torch.zeros(1, 1).expand(1, MAX_STATE))  # takes no memory
        with torch.no_grad():
            self.step(*self.example(), state)
        self.n_state = state.n_taken

    def example(self, n_pieces: int = 1) -> tuple[Tensor, Tensor]:
        """Return samples of so many least pieces, and that they are of the recording."""
        n = n_pieces * self.least_samples
        return torch.zeros(1, n, self.n_channels), torch.ones(1, n, 1)

    @property
    def least_samples(self) -> int:
        """Samples of the least piece."""
        return self.head.hop

    def traced(self, *, is_dynamic: bool = True) -> Any:
        """Return the ONNX graph of a step, an `onnx.ModelProto`, for any piece or the least."""
        example = self.example(self.n_traced if is_dynamic else 1)
        inputs = zip(STEP_INPUTS, (*example, torch.zeros(1, self.n_state)), strict=True)
        axes = {"samples": {1: "T"}, "inside": {1: "T"}, OUTPUT: {1: "F"}} if is_dynamic else None
        return converted(self, dict(inputs), STEP_OUTPUTS, axes)

    def forward(self, samples: Tensor, inside: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores (1, n, 2 or 3, K) and the next state (1, N).

        Parameters
        ----------
        samples
            The next n hops, (1, n * hop, C).
        inside
            1 of samples of the recording, 0 of those before and after, (1, n * hop, 1).
        state
            What the call before returned, (1, N).
        """
        parts = State(state)
        scores = self.step(samples, inside, parts)
        return scores, torch.cat(parts.given, dim=1)


class State:
    """One row of numbers, (1, N), which layers take in turn; and the next one.

    Parameters
    ----------
    row
        (1, N).
    """

    def __init__(self, row: Tensor) -> None:
        self.row = row
        self.n_taken = 0
        self.given: list[Tensor] = []

    def take(self, *shape: int) -> Tensor:
        """Return the next numbers of the row."""
        first = self.n_taken
        self.n_taken += math.prod(shape)
        return self.row[:, first : self.n_taken].reshape(shape)

    def give(self, x: Tensor) -> None:
        """Add numbers to the next row."""
        self.given.append(x.reshape(1, -1))

    def after(self, x: Tensor, n: int, width: int) -> Tensor:
        """Return a signal (1, m, width) behind its last n samples; hold the last n of both."""
        if not n:
            return x
        joined = torch.cat([self.take(1, n, width), x], dim=1)
        self.give(joined[:, -n:])
        return joined
