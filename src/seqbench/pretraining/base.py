"""The interface of objectives, and a decoder that they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder
from seqbench.models.convolution import Conv1d


class Objective(nn.Module, ABC):
    """An encoder with all that trains it without labels.

    Random numbers come from `generator`: in training one sequence of draws, in
    every evaluation the same draws, so that the loss on held-out windows can be
    compared between epochs. State of the training other than weights, such as a
    count of steps, must be in `memory` and `recall`, or an interrupted training
    would resume without it.

    Parameters
    ----------
    encoder
        The encoder to train; the rest of the module is discarded afterwards.
    n_channels
        Channels C of a window.
    """

    def __init__(self, encoder: Encoder, n_channels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_channels = n_channels
        self._seed = int(torch.randint(2**31, ()))
        self._generators: dict[tuple[bool, torch.device], torch.Generator] = {}

    def prepare(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return windows as the encoder prepares them, up to the end of the longest.

        Padding then costs no draws, and objectives hide, change and reconstruct
        the signal that the encoder's weights read.
        """
        return self.encoder.prepare(x if lengths is None else x[:, : int(lengths.max())], lengths)

    @abstractmethod
    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean loss, shape (), over prepared windows (B, T, C).

        `lengths` are their samples, (B,); None: all have T.
        """

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return signs of collapse besides the loss, shape () each, on prepared windows."""
        return {}

    def train(self, mode: bool = True) -> Self:
        """Switch between training and evaluation, in which the draws start again."""
        if not mode:
            self._generators = {key: source for key, source in self._generators.items() if key[0]}
        return super().train(mode)

    def generator(self, x: Tensor) -> torch.Generator:
        """Return the source of random numbers for a batch, on its device."""
        key = (self.training, x.device)
        if key not in self._generators:
            source = torch.Generator(x.device).manual_seed(self._seed + self.training)
            self._generators[key] = source
        return self._generators[key]

    def memory(self) -> dict[str, Tensor]:
        """Return the state of training besides weights: the draws, and counts of subclasses."""
        return {
            f"draws/{device.type}": source.get_state()
            for (training, device), source in self._generators.items()
            if training
        }

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Restore the `memory` of an objective with the same arguments."""
        device = next(self.parameters()).device
        if (draws := memory.get(f"draws/{device.type}")) is not None:
            self._generators[True, device] = torch.Generator(device).set_state(draws)


class SampleDecoder(nn.Module):
    """Frames to samples: a small convolution over three frames, then linearly to those of each.

    Parameters
    ----------
    encoder
        Its features D and stride are used.
    n_channels
        Channels C of a window.
    size
        Hidden units.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, encoder: Encoder, n_channels: int, size: int) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.hidden = Conv1d(encoder.n_features, size, kernel_size=3, padding=1)
        self.to_samples = nn.Linear(size, encoder.stride * n_channels)

    def forward(self, frames: Tensor, n_samples: int) -> Tensor:
        """Return windows (B, n_samples, C) from frames (B, F, D)."""
        hidden = self.hidden(frames.transpose(1, 2)).relu().transpose(1, 2)
        samples: Tensor = self.to_samples(hidden)
        return samples.reshape(len(frames), -1, self.n_channels)[:, :n_samples]
