"""Changed copies of windows, for objectives that compare views and for training with labels.

Every augmentation works on a whole batch at once and draws from a given
generator. Its first arguments are windows (B, T, C), zero after each end and
left as they are, their lengths (B,), None where all have T, and a generator on
their device; it returns changed windows, zero after each end. Shapes: B
windows, T samples, C channels.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from seqbench.errors import UserError
from seqbench.models.base import ended

Lengths = Tensor | None


def jitter(x: Tensor, lengths: Lengths, generator: Generator, deviation: float = 0.2) -> Tensor:
    """Add white noise of a standard deviation, in units of the signal."""
    return ended(x + deviation * _normal(x.shape, x, generator), lengths)


def band_noise(x: Tensor, lengths: Lengths, generator: Generator, deviation: float = 0.3) -> Tensor:
    """Add noise of one octave, drawn for each window, such as that of a machine nearby.

    It lies between a frequency and its double, up to the Nyquist frequency;
    its standard deviation is in units of the signal.
    """
    n_samples = x.shape[1]
    n_bins = n_samples // 2 + 1
    if n_bins < 3:  # a window too short to hold a wave
        return x.clone()
    octaves = torch.log2(torch.tensor(float(n_bins - 1)))
    low = 2 ** (_uniform((len(x), 1, 1), x, generator) * (octaves - 1))
    low = low.floor().clamp(1, n_bins - 1)
    bins = torch.arange(n_bins, device=x.device)[None, :, None]
    in_band = (bins >= low) & (bins <= 2 * low)
    spectrum = torch.fft.rfft(_normal(x.shape, x, generator), dim=1) * in_band
    noise = torch.fft.irfft(spectrum, n=n_samples, dim=1)
    noise = noise / noise.std(dim=1, keepdim=True, correction=0).clamp(min=1e-6)
    return ended(x + deviation * noise, lengths)


def scaling(x: Tensor, lengths: Lengths, generator: Generator, deviation: float = 0.3) -> Tensor:
    """Multiply every channel by a factor of its own.

    The deviation is that of the natural logarithm of the factor, so that the sign stays.
    """
    return x * (deviation * _normal((len(x), 1, x.shape[2]), x, generator)).exp()


def channel_drop(
    x: Tensor, lengths: Lengths, generator: Generator, probability: float = 0.2
) -> Tensor:
    """Set channels to zero, each with a probability, but never all of a window."""
    draw = _uniform((len(x), 1, x.shape[2]), x, generator)
    is_last_one = draw == draw.amax(dim=2, keepdim=True)
    return x * ((draw >= probability) | is_last_one)


def channel_mix(
    x: Tensor, lengths: Lengths, generator: Generator, deviation: float = 0.1
) -> Tensor:
    """Mix a little of every channel into the others, by a matrix near the identity.

    The deviation is that of the share of each channel in each other one.
    """
    n_channels = x.shape[2]
    leak = deviation * _normal((len(x), n_channels, n_channels), x, generator)
    whole = torch.eye(n_channels, device=x.device, dtype=x.dtype)
    return torch.bmm(x, leak * (1 - whole) + whole)


def time_mask(
    x: Tensor, lengths: Lengths, generator: Generator, fraction: float = 0.1, span_samples: int = 16
) -> Tensor:
    """Set spans of all channels to zero; see `spans`."""
    return x.masked_fill(spans(x, fraction, span_samples, generator)[..., None], 0.0)


def shift(x: Tensor, lengths: Lengths, generator: Generator, fraction: float = 0.25) -> Tensor:
    """Move a window in time and cut off what leaves it, with zeros where the signal ends.

    The fraction is that of the window by which it moves at most, to either side.
    """
    n = lengths_of(x, lengths)
    share = 2 * _uniform((len(x),), x, generator) - 1
    by = (share * fraction * n).round().long()
    position = torch.arange(x.shape[1], device=x.device) - by[:, None]
    is_there = (position >= 0) & (position < n[:, None])
    index = position.clamp(0, x.shape[1] - 1)[..., None].expand_as(x)
    return ended(x.gather(1, index) * is_there[..., None], lengths)


def time_warp(x: Tensor, lengths: Lengths, generator: Generator, strength: float = 0.2) -> Tensor:
    """Stretch and compress time smoothly, linear between samples; both ends stay in place.

    The strength is the largest relative change of speed, from 0 to less than 1.
    """
    last = (lengths_of(x, lengths) - 1).clamp(min=1)[:, None]
    time = torch.arange(x.shape[1], device=x.device) / last  # 0 to 1 within a window
    sign = 2 * _uniform((len(x), 1), x, generator) - 1
    # The slope of this bend is at most 1, so the speed stays above 0.
    bent = time + strength * sign * (2 * torch.pi * time).sin() / (2 * torch.pi)
    position = (bent * last).clamp(min=torch.zeros_like(last), max=last)
    low = position.floor().long().clamp(max=x.shape[1] - 1)
    high = (low + 1).clamp(max=x.shape[1] - 1)
    weight = (position - low)[..., None]
    before, after = (x.gather(1, at[..., None].expand_as(x)) for at in (low, high))
    return ended(before + weight * (after - before), lengths)


KEEP_EVENTS = (jitter, band_noise, scaling, channel_drop, channel_mix, time_mask)
MOVE_EVENTS = (shift, time_warp)  # after these an event may be at another sample
AUGMENTATIONS: dict[str, Callable[[Tensor, Lengths, Generator], Tensor]] = {
    one.__name__: one for one in (*KEEP_EVENTS, *MOVE_EVENTS)
}


class Augmentations:
    """Several augmentations in sequence.

    Parameters
    ----------
    names
        Keys of `AUGMENTATIONS`, in the order in which they are applied.
    keep_time
        Refuse those that move events.

    Raises
    ------
    UserError
        If one moves events and must not.
    """

    def __init__(self, names: Sequence[str], *, keep_time: bool = False) -> None:
        self.steps = [AUGMENTATIONS[name] for name in names]
        moving = [step.__name__ for step in self.steps if step in MOVE_EVENTS]
        if keep_time and moving:
            raise UserError(
                f"augmentation '{moving[0]}' moves events, and the objective compares frames of"
                " the same time; leave it out"
            )

    def __call__(self, x: Tensor, lengths: Lengths, generator: Generator) -> Tensor:
        """Apply all of them."""
        for step in self.steps:
            x = step(x, lengths, generator)
        return x


def spans(x: Tensor, fraction: float, span_samples: int, generator: Generator) -> Tensor:
    """Draw spans of samples of windows (B, T, C).

    Returns
    -------
    Tensor
        True within a span, (B, T). Spans of `span_samples` are on a grid with a
        random start, and each is drawn with probability `fraction`.
    """
    n_samples = x.shape[1]
    n_spans = -(-n_samples // span_samples) + 1
    taken = _uniform((len(x), n_spans), x, generator) < fraction
    begin = (_uniform((len(x), 1), x, generator) * span_samples).long()
    sample = torch.arange(n_samples, device=x.device)
    return taken.gather(1, (sample + begin) // span_samples)


def lengths_of(x: Tensor, lengths: Lengths) -> Tensor:
    """Return the samples of windows (B, T, C) on their device, (B,)."""
    if lengths is None:
        return torch.full((len(x),), x.shape[1], device=x.device)
    return lengths.to(x.device)


def _normal(shape: Sequence[int], x: Tensor, generator: Generator) -> Tensor:
    return torch.randn(tuple(shape), generator=generator, device=x.device, dtype=x.dtype)


def _uniform(shape: Sequence[int], x: Tensor, generator: Generator) -> Tensor:
    return torch.rand(tuple(shape), generator=generator, device=x.device, dtype=x.dtype)
