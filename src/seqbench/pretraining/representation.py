"""Signs of collapse of a representation."""

import torch
from torch import Tensor

from seqbench.models.base import inside

MOST_VECTORS = 2048  # of which a rank is taken
NEGLIGIBLE = 1e-3  # of the norm of all vectors: rounding errors have every direction


def pooled(frames: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean of the frames (B, F, D) of each window, (B, D)."""
    if lengths is None:
        return frames.mean(dim=1)
    mask = inside(lengths, frames.shape[1], frames.device)[..., None]
    return (frames * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def effective_rank(representation: Tensor) -> Tensor:
    """Return the effective number of directions of vectors (N, D), shape (), 1 to min(N, D).

    The exponential of the entropy of the singular values, centred and
    normalised to one. Vectors that are all the same, but for rounding, have
    rank 1. Of more than 2,048 vectors evenly spaced ones are used. Not finite if
    one of the vectors is not.

    References
    ----------
    Roy, Vetterli (2007). The effective rank: a measure of effective
    dimensionality. EUSIPCO.
    """
    representation = representation.float()[:: -(-len(representation) // MOST_VECTORS)]
    if not representation.isfinite().all():  # of which there are no singular values
        return representation.sum()
    centred = representation - representation.mean(dim=0)
    # Of two forms with the same singular values, the smaller matrix.
    tall = len(centred) >= centred.shape[1]
    product = centred.T @ centred if tall else centred @ centred.T
    values = torch.linalg.eigvalsh(product).clamp(min=0).sqrt()
    values = torch.where(values > NEGLIGIBLE * representation.norm(), values, 0.0)
    total = values.sum()
    share = torch.where(total > 0, values / total.clamp(min=1e-30), 0.0)
    return (-(share * share.clamp(min=1e-30).log()).sum()).exp()


def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean squared distance of unit vectors (N, D) that belong together, shape ().

    References
    ----------
    Wang, Isola (2020). Understanding contrastive representation learning
    through alignment and uniformity on the hypersphere. ICML, equation 4.
    """
    return (first - second).square().sum(dim=1).mean()


def uniformity(vectors: Tensor) -> Tensor:
    """Return how evenly unit vectors (N, D) fill the sphere, shape (): 0 if all are one, else less.

    References
    ----------
    Wang, Isola (2020), equation 5.
    """
    if len(vectors) < 2:
        return torch.zeros((), device=vectors.device)
    squared = torch.pdist(vectors.float()).square()
    return (-2 * squared).exp().mean().log()
