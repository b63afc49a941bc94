"""Matching pursuit on whole batches: the events of all windows are subtracted at once.

Shapes: B windows, T samples, C channels, K types of event, M templates, L samples of a
template, P places for each sample (2 where events may lie between samples, else 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor, nn

from seqbench.models.base import ended, inside

if TYPE_CHECKING:
    from seqbench.baselines.matched_filter.detector import TemplateDetector

WHITENING_TAPS = 49  # of both filters of a whitener in turn
ROUNDS = 3  # of subtraction; what is hidden by three louder events is not found
SIDE = 8  # samples over which a template between samples spreads
MOVE = 8  # samples by which an event may move once the others are subtracted
NEAR = 2  # samples around an event where its type is not found again
NEVER = -30.0  # log-odds where no event can be
IMPOSSIBLE = -1e4  # the same, before comparisons
LEAST = 0.01  # log-odds of an event that was subtracted


class Pursued(NamedTuple):
    """What pursuit makes of windows, for each sample.

    Parameters
    ----------
    log_odds
        Of an event against none, beside all that were subtracted, (B, K, T).
    is_event
        Whether one was subtracted there, (B, K, T).
    share
        Its amplitude by the mean of its template, (B, K, T); 0 where there is none.
    shift
        Samples from there to the time of the event, (B, K, T).
    residual
        What is left of the whitened signal, (B, C, T).
    """

    log_odds: Tensor
    is_event: Tensor
    share: Tensor
    shift: Tensor
    residual: Tensor


class MatchingPursuit(nn.Module):
    """Whitened templates in noise, as `matched_filter` learns them, as buffers of fixed shapes.

    Parameters
    ----------
    n_channels
        Channels C.
    n_types
        Event types K.
    shapes
        Templates of a type, at most; those that there are not are zero.
    length
        Samples L of a whitened template.

    Notes
    -----
    Each round subtracts every event that is the likeliest of its surroundings and likelier
    than none, then fits all events anew, each beside all others: where it lies, of which
    shape it is, how strong it is, and whether it still pays. The pursuit of the baseline does
    so one event after the other.

    References
    ----------
    Mallat, Zhang (1993). Matching pursuits with time-frequency dictionaries. IEEE
    Transactions on Signal Processing 41(12).
    """

    filters: Tensor
    mixing: Tensor
    templates: Tensor
    mean: Tensor
    gain: Tensor
    offset: Tensor
    evidence: Tensor
    lowest: Tensor
    late: Tensor
    onset: Tensor
    between: Tensor

    def __init__(self, n_channels: int, n_types: int, shapes: int, length: int) -> None:
        super().__init__()
        self.n_types, self.shapes = n_types, shapes
        self.bank: Callable[..., Bank] = Bank  # an export has another
        m = n_types * shapes
        for name, shape in {
            "filters": (n_channels, WHITENING_TAPS),
            "mixing": (n_channels, n_channels),
            "templates": (m, n_channels, length),  # of norm 1
            "mean": (m,),  # correlation of an event of mean amplitude
            "gain": (m,),  # of its likeliest value by the one that is seen
            "offset": (m,),
            "evidence": (3, m),  # log-odds as a square polynomial in the correlation
            "lowest": (m,),  # correlation that is believed
            "late": (m,),  # samples from the time of an event to the place of its template
        }.items():
            self.register_buffer(name, torch.zeros(shape))
        self.register_buffer("onset", torch.zeros((), dtype=torch.int64))  # within a template
        self.register_buffer("between", torch.zeros((), dtype=torch.bool))

    def start(self, detector: TemplateDetector) -> None:
        """Take over what a matched filter has learned.

        Parameters
        ----------
        detector
            With at most `shapes` templates of each type, of at most L samples.
        """
        norms = torch.from_numpy(detector.norms)
        power = torch.where(norms.isfinite(), norms, 0.0).square()
        weight = 1 / torch.from_numpy(detector.spread).clamp(min=1e-12).square()
        amplitude = torch.from_numpy(detector.amplitude)
        onset = round(detector.onset)
        own = {
            "templates": torch.from_numpy(detector.templates) / norms[:, None, None],
            "mean": power.sqrt() * amplitude,
            "gain": power / (power + weight),
            "offset": power.sqrt() * amplitude * weight / (power + weight),
            "lowest": torch.from_numpy(detector.lowest),
            "late": torch.from_numpy(detector.bias) + onset - detector.onset,
        }
        parent = torch.from_numpy(detector.parent)
        slot = parent * self.shapes + torch.arange(len(parent)) - torch.searchsorted(parent, parent)
        taps, length = detector.whitener.filters.shape[1], detector.length
        for buffer in self.buffers():
            buffer.zero_()
        self.filters[:, :taps] = torch.from_numpy(detector.whitener.filters)
        self.mixing.copy_(torch.from_numpy(detector.whitener.mixing))
        self.templates[slot, :, :length] = own.pop("templates").float()
        for name, values in own.items():
            getattr(self, name)[slot] = values.float()
        evidence = torch.from_numpy(detector.evidence).clamp(min=IMPOSSIBLE)
        self.evidence[2] = IMPOSSIBLE  # of what is no template
        self.evidence[:, slot] = evidence.float()
        self.onset.fill_(onset)
        self.between.fill_(detector.between)

    @torch.no_grad()
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Pursued:
        """Subtract the events of windows (B, T, C), zero after each end."""
        with torch.autocast(x.device.type, enabled=False):
            return self._pursued(x.float(), lengths)

    def whitened(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return windows (B, T, C) as (B, C, T) with white noise, as if their past stood still."""
        taps = self.filters.flip(1)[:, None]
        padded = F.pad(x.transpose(1, 2), (taps.shape[2] - 1, 0), mode="replicate")
        white = self.mixing @ F.conv1d(padded, taps, groups=len(taps))
        return ended(white.transpose(1, 2), lengths).transpose(1, 2)

    def _pursued(self, x: Tensor, lengths: Tensor | None) -> Pursued:
        white = self.whitened(x, lengths)
        if not (self.mean > 0).any():  # nothing was learned
            nothing = white.new_zeros(len(x), self.n_types, x.shape[1])
            return Pursued(nothing + NEVER, nothing > 0, nothing, nothing, white)
        bank = self.bank(self, x.shape[1], lengths)
        heard = bank.heard(white)
        level = 0 * heard  # correlation of what was subtracted with its template
        for _ in range(ROUNDS):
            odds = bank.log_odds(heard)
            closed = bank.reached(bank.by_type(level) > 0, NEAR)
            odds = odds.masked_fill(bank.by_template(closed), IMPOSSIBLE)
            best = odds.amax(dim=1, keepdim=True)
            is_new = (odds > 0) & (odds >= bank.highest(best, bank.length))
            level = torch.where(is_new | (level > 0), bank.likely(heard + level), 0.0)
            beside = bank.heard(bank.left(white, level)) + bank.own(level)
            odds = bank.log_odds(beside)
            by_type = bank.by_type(odds)
            was_near = bank.reached(bank.by_type(level) > 0, MOVE)
            stays = was_near & (by_type > 0) & (by_type >= bank.highest(by_type, MOVE))
            is_event = bank.by_template(stays) & (odds >= bank.by_template(by_type))
            level = torch.where(is_event, bank.likely(beside), 0.0)
            residual = bank.left(white, level)
            heard = bank.heard(residual)
        return bank.summary(heard + bank.own(level), level, residual)


class Bank:
    """The templates that there are, for windows of T samples with P places for each sample.

    Parameters
    ----------
    pursuit
        Has them.
    n_samples
        Length T of windows.
    lengths
        Samples of each, (B,); None: all have T.

    Attributes
    ----------
    type
        Of each template, (M,).
    kernels
        The templates at each place, (M, P, C, L + 2 SIDE).
    onset
        Sample of a kernel at which its event starts.
    traces
        What an event leaves in correlations of templates of its own type close to it,
        (n_pairs, 4 MOVE P + 1), and the two templates of each pair, `pairs`, (2, n_pairs).
    """

    def __init__(
        self, pursuit: MatchingPursuit, n_samples: int, lengths: Tensor | None = None
    ) -> None:
        self.pursuit, self.n_samples, self.n_types = pursuit, n_samples, pursuit.n_types
        self.used = torch.nonzero(pursuit.mean > 0)[:, 0]
        self.type = (self.used // pursuit.shapes).tolist()
        self.templates_of_type = [
            [i for i, other in enumerate(self.type) if other == kind]
            for kind in range(self.n_types)
        ]
        self.length = pursuit.templates.shape[2]
        self.places = 2 if pursuit.between else 1
        self.onset = int(pursuit.onset) + SIDE
        self.outside = self.after_the_end(n_samples, lengths)
        wide = F.pad(pursuit.templates[self.used], (SIDE, SIDE))
        self.kernels = torch.stack([_delayed(wide, p / self.places) for p in range(self.places)], 1)
        same = torch.tensor(self.type, device=wide.device)
        self.pairs = torch.nonzero(same[:, None] == same).T
        self.traces = self._traces()
        self.size = next_fast_len(n_samples + self.kernels.shape[3], real=True)
        spectra = torch.fft.rfft(self.kernels.flatten(0, 1), self.size)  # (M P, C, f)
        self.to_heard, self.to_signal = (
            _as_matrices(one) for one in (spectra.transpose(0, 1).conj(), spectra)
        )

    def after_the_end(self, n_samples: int, lengths: Tensor | None) -> Tensor | None:
        """Return the places past the end of each window, (B, 1, P T); None: there are none."""
        if lengths is None:
            return None
        device, places = self.pursuit.mean.device, self.places
        return ~inside(places * lengths, places * n_samples, device)[:, None]

    def _traces(self) -> Tensor:
        """Return what `traces` holds."""
        size = next_fast_len(2 * self.kernels.shape[3], real=True)
        spectra = torch.fft.rfft(self.kernels, size)
        one, other = spectra[self.pairs[0], :1], spectra[self.pairs[1]]
        lags = torch.fft.irfft((one * other.conj()).sum(dim=2), size)  # (n_pairs, P, lags)
        fine = lags.transpose(1, 2).flatten(1)
        reach = 2 * MOVE * self.places
        return fine.roll(reach, dims=1)[:, : 2 * reach + 1]

    def heard(self, signal: Tensor) -> Tensor:
        """Return the correlation of a signal (B, C, T) with each template, (B, M, P T)."""
        before = F.pad(signal, (self.onset, 0))
        lags = torch.fft.irfft(_times(torch.fft.rfft(before, self.size), self.to_heard), self.size)
        return self.interleaved(lags[..., : self.n_samples])

    def rendered(self, level: Tensor) -> Tensor:
        """Return the signal (B, C, T) of events (B, M, P T)."""
        spectra = torch.fft.rfft(self.by_place(level), self.size)
        signal = torch.fft.irfft(_times(spectra, self.to_signal), self.size)
        return signal[..., self.onset : self.onset + self.n_samples]

    def left(self, signal: Tensor, level: Tensor) -> Tensor:
        """Return a signal (B, C, T) without events (B, M, P T), zero after each end."""
        rest = signal - self.rendered(level)
        if self.outside is None:
            return rest
        return rest.masked_fill(self.outside[..., :: self.places], 0)

    def own(self, level: Tensor) -> Tensor:
        """Return what events (B, M, P T) leave close by in correlations of their types, alike."""
        size = next_fast_len(level.shape[2] + self.traces.shape[1], real=True)
        spectra = torch.fft.rfft(level, size)
        products = spectra[:, self.pairs[0]] * torch.fft.rfft(self.traces, size)
        total = torch.zeros_like(spectra).index_add_(1, self.pairs[1], products)
        reach = self.traces.shape[1] // 2
        return torch.fft.irfft(total, size)[..., reach : reach + level.shape[2]]

    def of(self, name: str) -> Tensor:
        """Return a buffer of the templates that there are, (M, 1)."""
        values: Tensor = getattr(self.pursuit, name)[self.used, None]
        return values

    def interleaved(self, values: Tensor) -> Tensor:
        """Return values of places, (B, M P, T), along time, (B, M, P T)."""
        return values.unflatten(1, (-1, self.places)).transpose(2, 3).flatten(2)

    def by_place(self, values: Tensor) -> Tensor:
        """Return values (B, M, P T) place by place, (B, M P, T)."""
        return values.unflatten(2, (-1, self.places)).transpose(2, 3).flatten(1, 2)

    def log_odds(self, correlation: Tensor) -> Tensor:
        """Return the log-odds of an event at every place, (B, M, P T)."""
        square, linear, constant = self.pursuit.evidence[:, self.used, None]
        odds = (square * correlation + linear) * correlation + constant
        odds = odds.masked_fill(correlation < self.of("lowest"), IMPOSSIBLE)
        return odds if self.outside is None else odds.masked_fill(self.outside, IMPOSSIBLE)

    def likely(self, correlation: Tensor) -> Tensor:
        """Return the likeliest level of events with these correlations, (B, M, P T)."""
        return (self.of("gain") * correlation + self.of("offset")).clamp(min=0)

    def by_type(self, values: Tensor) -> Tensor:
        """Return the highest value (B, M, ..) of the templates of each type, (B, K, ..)."""
        if self.type == list(range(self.n_types)):
            return values
        nothing = 0 * values[:, 0] + IMPOSSIBLE
        rows = [values[:, own].amax(dim=1) if own else nothing for own in self.templates_of_type]
        return torch.stack(rows, dim=1)

    def by_template(self, values: Tensor) -> Tensor:
        """Return what is known of each type (B, K, ..) for each template, (B, M, ..)."""
        return values[:, self.type]

    def highest(self, values: Tensor, reach: int) -> Tensor:
        """Return the maximum of values (B, .., P T) over so many samples to each side."""
        reach *= self.places
        return F.max_pool1d(values, 2 * reach + 1, stride=1, padding=reach)

    def reached(self, at: Tensor, reach: int) -> Tensor:
        """Return where anything is true within so many samples, (B, .., P T)."""
        return self.highest(at.float(), reach) > 0

    def summary(self, beside: Tensor, level: Tensor, residual: Tensor) -> Pursued:
        """Return the best of the templates of a type, and of the places of a sample."""
        is_event, odds = level > 0, self.log_odds(beside)
        odds = torch.where(is_event, odds.clamp(min=LEAST), odds).clamp(min=NEVER)
        share, shift = level / self.of("mean"), -self.of("late").expand_as(level)
        values = torch.stack([odds, is_event.float(), share, shift])  # (4, B, M, P T)
        nothing = values.new_tensor([NEVER, 0, 0, 0]).reshape(4, 1, 1)
        if self.places > 1:  # place p of sample t is p / 2 - 1 / 2 samples after it
            before, whole = (self.places - 1, 0), values[..., : 1 - self.places]
            odds = F.pad(whole[:1], before, value=NEVER)  # before a window there is no event
            values = torch.cat([odds, F.pad(whole[1:], before)])
            values = values.unflatten(3, (-1, self.places))
            after = torch.arange(1 - self.places, 1, device=values.device) / self.places
            values = torch.cat([values[:3], values[3:] + after])
            values = _likeliest(values, dim=4)
            if self.outside is not None:  # what lies half a sample before the end of a window
                values = torch.where(self.outside[..., :: self.places], nothing[..., None], values)
        rows = [
            _likeliest(values[:, :, own], dim=2) if own else nothing.expand_as(values[:, :, 0])
            for own in self.templates_of_type
        ]
        odds, is_event, share, shift = torch.stack(rows, dim=2)
        return Pursued(odds, is_event > 0, share, shift, residual)


def _as_matrices(factors: Tensor) -> Tensor:
    """Return complex factors (I, J, f) as real matrices (f, 2 I, 2 J); see `_times`."""
    re, im = factors.permute(2, 0, 1).real, factors.permute(2, 0, 1).imag
    rows = torch.stack([torch.stack([re, im], dim=3), torch.stack([-im, re], dim=3)], dim=2)
    return rows.flatten(3, 4).flatten(1, 2)


def _times(spectra: Tensor, matrices: Tensor) -> Tensor:
    """Return spectra (B, I, f) by a matrix at each frequency, (B, J, f).

    As products of real matrices: those of complex ones are ten times slower.
    """
    by_frequency = torch.view_as_real(spectra).permute(2, 0, 1, 3).flatten(2)
    products = (by_frequency @ matrices).unflatten(2, (-1, 2)).permute(1, 2, 0, 3)
    return torch.view_as_complex(products.contiguous())


def _likeliest(values: Tensor, dim: int) -> Tensor:
    """Return of log-odds, events and more (4, ..) what stands where along `dim` they are best."""
    best = (values[0] - 2 * IMPOSSIBLE * values[1]).argmax(dim - 1, keepdim=True)
    return values.gather(dim, best.expand(len(values), *[-1] * best.ndim)).squeeze(dim)


def _delayed(values: Tensor, samples: float) -> Tensor:
    """Return values (.., n) delayed by a fraction of a sample, as if band-limited."""
    if not samples:
        return values
    size = next_fast_len(values.shape[-1] + 2 * SIDE, real=True)
    turn = -2 * math.pi * samples * torch.fft.rfftfreq(size, device=values.device)
    turned = torch.fft.rfft(values, size) * torch.polar(torch.ones_like(turn), turn)
    return torch.fft.irfft(turned, size)[..., : values.shape[-1]]
