"""Contrast of the views of a window with those of others."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import AugmentationNames, Count, Positive
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder
from seqbench.pretraining.augmentations import Augmentations
from seqbench.pretraining.base import Objective
from seqbench.pretraining.representation import alignment, pooled, uniformity


@OBJECTIVES.register("contrastive", accepts=("series",))
class ContrastiveObjective(Objective):
    """Find the two of all views that are of one window, from the mean of their frames.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    augmentations
        Changes that make a view, in this order. `shift` and `time_warp` move
        events: representations learned with them depend less on time.
    projection_size
        Size of the compared vectors.
    temperature
        Divisor of the cosine similarities; lower gives more weight to the most
        similar negatives.

    References
    ----------
    Chen, Kornblith, Norouzi, Hinton (2020). A simple framework for contrastive
    learning of visual representations. ICML. arXiv:2002.05709
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        augmentations: AugmentationNames = ("shift", "scaling", "jitter", "time_mask"),
        projection_size: Count = 64,
        temperature: Positive = 0.2,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.augment = Augmentations(augmentations)
        self.temperature = temperature
        self.projection = nn.Sequential(
            nn.Linear(encoder.n_features, encoder.n_features),
            nn.ReLU(),
            nn.Linear(encoder.n_features, projection_size),
        )

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the cross-entropy of finding the other view among 2 B - 1; chance is its log."""
        return nt_xent(*self._views(x, lengths), self.temperature)

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return alignment and uniformity of the projections."""
        first, second = self._views(x, lengths)
        return {"alignment": alignment(first, second), "uniformity": uniformity(first)}

    def _views(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return unit vectors of two views of each window, (B, projection_size) each."""
        generator = self.generator(x)
        both = torch.cat([self.augment(x, lengths, generator) for _ in range(2)])
        first, second = self.projected(both, None if lengths is None else lengths.repeat(2)).chunk(
            2
        )
        return first, second

    def projected(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the unit vectors (B, projection_size) by which windows are compared."""
        frames = self.encoder.encode(x, lengths)
        vectors = self.projection(pooled(frames, self.encoder.frame_lengths(lengths)))
        return F.normalize(vectors.float(), dim=1)


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the normalised, temperature-scaled cross-entropy of pairs of unit vectors.

    Parameters
    ----------
    first, second
        Row i of one belongs to row i of the other, (B, D).
    temperature
        Divisor of the cosine similarities.

    Returns
    -------
    Tensor
        Mean over all 2 B vectors, shape (); log(2 B - 1) if all are the same.
    """
    both = torch.cat([first, second])
    cosine = both @ both.T / temperature
    cosine.fill_diagonal_(-torch.inf)
    n = len(first)
    other = torch.arange(2 * n, device=both.device).roll(n)
    return F.cross_entropy(cosine, other)
