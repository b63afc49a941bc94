"""Changed copies of windows, for objectives that compare views of the same one.

Every augmentation works on a whole batch at once, draws from a given
generator, and declares whether it moves events in time. Shapes: B windows, T
samples, C channels. Windows are zero after their ends, before and after.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from seqbench.errors import UserError
from seqbench.models.base import ended


class Augmentation(ABC):
    """One way to change windows.

    Attributes
    ----------
    moves_events
        Whether an event may be at another sample afterwards. Objectives that
        compare frames of the same time refuse such augmentations.
    """

    moves_events: bool = False

    @abstractmethod
    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return changed windows.

        Parameters
        ----------
        x
            Windows, (B, T, C), zero after each end; left as they are.
        lengths
            Samples of each window, (B,); None: all have T.
        generator
            On the device of `x`.
        """


class Jitter(Augmentation):
    """Add white noise.

    Parameters
    ----------
    deviation
        Of the noise, in units of the signal.
    """

    def __init__(self, deviation: float = 0.2) -> None:
        self.deviation = deviation

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Add noise to every sample and channel."""
        return ended(x + self.deviation * _normal(x.shape, x, generator), lengths)


class BandNoise(Augmentation):
    """Add noise of one octave, drawn for each window, such as that of a machine nearby.

    Parameters
    ----------
    deviation
        Of the noise, in units of the signal.
    """

    def __init__(self, deviation: float = 0.3) -> None:
        self.deviation = deviation

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Add noise between a frequency and its double, up to the Nyquist frequency."""
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
        return ended(x + self.deviation * noise, lengths)


class Scaling(Augmentation):
    """Multiply every channel by a factor of its own.

    Parameters
    ----------
    deviation
        Of the natural logarithm of the factor, so that the sign stays.
    """

    def __init__(self, deviation: float = 0.3) -> None:
        self.deviation = deviation

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Scale channels."""
        factor = (self.deviation * _normal((len(x), 1, x.shape[2]), x, generator)).exp()
        return x * factor


class ChannelDrop(Augmentation):
    """Set channels to zero, but never all of a window.

    Parameters
    ----------
    probability
        Of each channel to be set to zero.
    """

    def __init__(self, probability: float = 0.2) -> None:
        self.probability = probability

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Set channels to zero."""
        draw = _uniform((len(x), 1, x.shape[2]), x, generator)
        is_last_one = draw == draw.amax(dim=2, keepdim=True)
        return x * ((draw >= self.probability) | is_last_one)


class ChannelMix(Augmentation):
    """Mix a little of every channel into the others.

    Parameters
    ----------
    deviation
        Of the share of each channel in each other one.
    """

    def __init__(self, deviation: float = 0.1) -> None:
        self.deviation = deviation

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mix channels by a matrix near the identity."""
        n_channels = x.shape[2]
        leak = self.deviation * _normal((len(x), n_channels, n_channels), x, generator)
        whole = torch.eye(n_channels, device=x.device, dtype=x.dtype)
        return torch.bmm(x, leak * (1 - whole) + whole)


class TimeMask(Augmentation):
    """Set spans of all channels to zero.

    Parameters
    ----------
    fraction
        Mean fraction of a window that is set to zero.
    span_samples
        Samples of a span.
    """

    def __init__(self, fraction: float = 0.1, span_samples: int = 16) -> None:
        self.fraction = fraction
        self.span_samples = span_samples

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Set spans to zero."""
        masked = spans(x, self.fraction, self.span_samples, generator)
        return x.masked_fill(masked[..., None], 0.0)


class Shift(Augmentation):
    """Move a window in time and cut off what leaves it.

    Parameters
    ----------
    fraction
        Largest shift to either side, as a fraction of the window.
    """

    moves_events = True

    def __init__(self, fraction: float = 0.25) -> None:
        self.fraction = fraction

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Move windows, with zeros where the signal is cut off."""
        n = lengths_of(x, lengths)
        share = 2 * _uniform((len(x),), x, generator) - 1
        by = (share * self.fraction * n).round().long()
        position = torch.arange(x.shape[1], device=x.device) - by[:, None]
        is_there = (position >= 0) & (position < n[:, None])
        index = position.clamp(0, x.shape[1] - 1)[..., None].expand_as(x)
        return ended(x.gather(1, index) * is_there[..., None], lengths)


class TimeWarp(Augmentation):
    """Stretch and compress time smoothly; both ends stay in place.

    Parameters
    ----------
    strength
        Largest relative change of speed, below 1.
    """

    moves_events = True

    def __init__(self, strength: float = 0.2) -> None:
        if not 0 <= strength < 1:
            raise UserError(f"time can be warped by less than 1, not by {strength}")
        self.strength = strength

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Read windows at times of smoothly changing speed, linear between samples."""
        last = (lengths_of(x, lengths) - 1).clamp(min=1)[:, None]
        time = torch.arange(x.shape[1], device=x.device) / last  # 0 to 1 within a window
        sign = 2 * _uniform((len(x), 1), x, generator) - 1
        # The slope of this bend is at most 1, so the speed stays above 0.
        bent = time + self.strength * sign * (2 * torch.pi * time).sin() / (2 * torch.pi)
        position = (bent * last).clamp(min=torch.zeros_like(last), max=last)
        low = position.floor().long().clamp(max=x.shape[1] - 1)
        high = (low + 1).clamp(max=x.shape[1] - 1)
        weight = (position - low)[..., None]
        before, after = (x.gather(1, at[..., None].expand_as(x)) for at in (low, high))
        return ended(before + weight * (after - before), lengths)


AUGMENTATIONS: dict[str, type[Augmentation]] = {
    "jitter": Jitter,
    "band_noise": BandNoise,
    "scaling": Scaling,
    "channel_drop": ChannelDrop,
    "channel_mix": ChannelMix,
    "time_mask": TimeMask,
    "shift": Shift,
    "time_warp": TimeWarp,
}


class Augmentations(Augmentation):
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
        moving = [name for name in names if AUGMENTATIONS[name].moves_events]
        if keep_time and moving:
            raise UserError(
                f"augmentation '{moving[0]}' moves events, and the objective compares frames of"
                " the same time; leave it out"
            )
        self.steps = [AUGMENTATIONS[name]() for name in names]
        self.moves_events = bool(moving)

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        """Apply all of them."""
        for step in self.steps:
            x = step(x, lengths, generator)
        return x


def spans(x: Tensor, fraction: float, span_samples: int, generator: torch.Generator) -> Tensor:
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


def lengths_of(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the samples of windows (B, T, C) on their device, (B,)."""
    if lengths is None:
        return torch.full((len(x),), x.shape[1], device=x.device)
    return lengths.to(x.device)


def _normal(shape: Sequence[int], x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(tuple(shape), generator=generator, device=x.device, dtype=x.dtype)


def _uniform(shape: Sequence[int], x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(tuple(shape), generator=generator, device=x.device, dtype=x.dtype)
