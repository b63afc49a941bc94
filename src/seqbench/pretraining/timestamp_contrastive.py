"""Contrast of the views of a time point with those of other times and windows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import AugmentationNames, Count, Positive
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder
from seqbench.pretraining.augmentations import Augmentations, lengths_of
from seqbench.pretraining.base import Objective
from seqbench.pretraining.representation import alignment, uniformity

MOST_CUT = 0.25  # largest fraction of a window that a view lacks at one end


@OBJECTIVES.register("timestamp_contrastive", accepts=("series",))
class TimestampContrastiveObjective(Objective):
    """Distinguish frames of one time from those of other times and of other windows.

    One view of a window lacks some of its end, the other some of its beginning,
    and both are changed by augmentations that do not move events. Frames that
    both views have are compared within the window and across windows, and
    again after they are pooled in pairs, up to the window.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    augmentations
        Further changes that make a view; those that move events are refused.
    n_frames
        Frames of a window that are compared, evenly spaced from a random one on.
    projection_size
        Size of the compared vectors.
    temperature
        Divisor of the cosine similarities.

    Raises
    ------
    UserError
        If an augmentation moves events.

    References
    ----------
    Yue et al. (2022). TS2Vec: towards universal representation of time series.
    AAAI. arXiv:2106.10466. Departs from it in the projection, in cosines and
    temperature instead of plain products, and in the choice of frames.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        augmentations: AugmentationNames = ("scaling", "jitter", "time_mask"),
        n_frames: Count = 64,
        projection_size: Count = 64,
        temperature: Positive = 0.2,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.augment = Augmentations(augmentations, keep_time=True)
        self.n_frames = n_frames
        self.temperature = temperature
        self.projection = nn.Linear(encoder.n_features, projection_size)

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean over levels of the cross-entropies within and across windows."""
        return hierarchical(*self._views(x, lengths), self.temperature)

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return alignment of frames of one time, and uniformity of frames of a batch."""
        first, second, is_there = self._views(x, lengths)
        first, second = (F.normalize(view[is_there], dim=1) for view in (first, second))
        return {
            "alignment": alignment(first, second),
            # One frame of every window, as neighbours are alike by right.
            "uniformity": uniformity(F.normalize(self._middle(x, lengths), dim=1)),
        }

    def _middle(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        frames = self.projection(self.encoder.encode(x, lengths)).float()
        steps = self.encoder.frame_lengths(lengths)
        if steps is None:
            return frames[:, frames.shape[1] // 2]
        return frames[torch.arange(len(x), device=x.device), (steps // 2).to(x.device)]

    def _views(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return frames of the same times in two views, (B, P, D) each, and which exist."""
        generator = self.generator(x)
        n_samples = lengths_of(x, lengths)
        share = torch.rand((3, len(x)), generator=generator, device=x.device)
        stride = self.encoder.stride
        cut = (MOST_CUT * share[:2] * n_samples).long()
        shift = cut[0] // stride  # frames that the second view lacks at its beginning
        stop = (n_samples - cut[1]).clamp(min=1)  # of the first view
        views = [self.augment(x, lengths, generator) for _ in range(2)]
        sample = torch.arange(x.shape[1], device=x.device)
        from_shift = (sample + (shift * stride)[:, None]).clamp(max=x.shape[1] - 1)
        late = views[1].gather(1, from_shift[..., None].expand_as(x))
        both_lengths = torch.cat([stop, n_samples - shift * stride])
        both = torch.cat([views[0], late]) * (sample < both_lengths[:, None])[..., None]
        frames = self.projection(self.encoder.encode(both, both_lengths.cpu())).float()
        first, second = frames.chunk(2)
        # Frames [shift, of_first) of the window are in both views.
        of_first = -(-stop // stride)
        n_shared = (of_first - shift).clamp(min=0)
        n_taken = n_shared.clamp(max=self.n_frames)
        order = torch.arange(min(self.n_frames, first.shape[1]), device=x.device)
        spacing = n_shared / n_taken.clamp(min=1)
        place = ((order + share[2][:, None]) * spacing[:, None]).long()
        is_there = order < n_taken[:, None]
        place = torch.where(is_there, place, 0).minimum((n_shared - 1).clamp(min=0)[:, None])
        rows = torch.arange(len(x), device=x.device)[:, None]
        return first[rows, place + shift[:, None]], second[rows, place], is_there


def hierarchical(first: Tensor, second: Tensor, is_there: Tensor, temperature: float) -> Tensor:
    """Compare frames within and across windows at every scale.

    Parameters
    ----------
    first, second
        Frames of the same times in two views, (B, P, D).
    is_there
        Which of them exist, (B, P); at least one.
    temperature
        Divisor of the cosine similarities.

    Returns
    -------
    Tensor
        Mean over scales, shape (). Frames are pooled in pairs by their largest
        values from scale to scale. Chance at one scale, where all frames exist
        and all vectors are the same, is the mean of log(2 P - 1) and
        log(2 B - 1); one of the two is left out where P or B is 1.
    """
    losses = []
    while True:
        one, other = (F.normalize(view, dim=2) for view in (first, second))
        parts = []
        if one.shape[1] > 1:
            parts.append(_cross_entropy(one, other, is_there, temperature))
        if len(one) > 1:
            one, other = one.transpose(0, 1), other.transpose(0, 1)
            parts.append(_cross_entropy(one, other, is_there.T, temperature))
        if parts:
            losses.append(torch.stack(parts).mean())
        if first.shape[1] == 1:
            break
        first, second = (_halved(view, is_there) for view in (first, second))
        is_there = F.max_pool1d(is_there[:, None].float(), 2, ceil_mode=True)[:, 0] > 0
    if not losses:  # a single frame of a single window
        return first.sum() * 0
    return torch.stack(losses).mean()


def _halved(frames: Tensor, is_there: Tensor) -> Tensor:
    lowest = frames.masked_fill(~is_there[..., None], torch.finfo(frames.dtype).min)
    pooled = F.max_pool1d(lowest.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
    return pooled.masked_fill(pooled == torch.finfo(frames.dtype).min, 0.0)


def _cross_entropy(first: Tensor, second: Tensor, is_there: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of finding the partner in the same row, (N, M, D) each."""
    both = torch.cat([first, second], dim=1)  # (N, 2 M, D)
    exists = is_there.repeat(1, 2)
    cosine = both @ both.transpose(1, 2) / temperature
    n = first.shape[1]
    itself = torch.eye(2 * n, dtype=torch.bool, device=both.device)
    cosine = cosine.masked_fill(itself | ~exists[:, None], -torch.inf)
    other = torch.arange(2 * n, device=both.device).roll(n)
    # A row of nothing but absent vectors has no finite cosine; it is not counted.
    cosine = torch.where(exists[..., None], cosine, 0.0)
    loss = F.cross_entropy(cosine.flatten(0, 1), other.repeat(len(both)), reduction="none")
    return (loss * exists.flatten()).sum() / exists.sum().clamp(min=1)
