"""Known or learned templates, found in coloured noise, collisions included.

A recording is whitened, correlated with all templates at once, and explained
one event at a time: the likeliest event is subtracted from the correlations
before the next is looked for. Nothing is filtered twice, because what one
template leaves in the correlations of all others is known beforehand.

Axes: S recordings, C channels, K types, T samples of a layout, and L samples
of a whitened template. The start of an event is the sample at which its
template starts; its onset comes `Detector.onset` samples later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRE_ORDER, ORDER = 16, 32  # taps of the two whitening filters
LEAST_ROWS_PER_TAP = 50  # an order that the noise at hand cannot support is lowered
MOST_ROWS = 2**17  # more samples than this make a filter no better
LOADING = 1e-9  # of the power, for a stable solution
BLOCK = 2**16  # samples whose correlations are held at a time
MARGIN = 8  # templates of context at each end of a block
GRID = 2  # correlations per sample: a wave of three samples must not slip between them
STEPS = 8  # positions that an event may have per sample
BETWEEN = 16  # samples to each side of which a correlation between samples is made
REACH = 6  # correlations to each side that interpolation looks at
RIVALS = 16  # correlations to each side where another swing of the same wave may be higher
NEAR = 4  # correlations around an event where its type is not found again
SWEEPS = 2  # times every event is fitted anew beside the others
PLAUSIBLE = 4.0  # standard deviations by which an amplitude may fall short of its mean
SURELY_LOW, SURELY_HIGH = 0.1, 0.25  # of the mean amplitude: never an event, always plausible
FLOOR = -6.0  # log-odds below which a peak is no candidate
HALF_WAY = 10.0  # log-odds at which a score has come half the way from 0.5 to 1


# Whitening.


@dataclass(frozen=True)
class Whitener:
    """Filters that leave noise white, of variance 1 and independent between channels.

    Parameters
    ----------
    filters
        Causal filter of each channel, (C, P).
    mixing
        What then takes channels apart, (C, C).
    """

    filters: Floats
    mixing: Floats

    def __call__(self, signal: NDArray[Any], *, extend: bool) -> Floats:
        """Whiten a signal (.., C, T) whose past repeats its first sample, or is 0 to both sides.

        Extended, the result has P - 1 samples more, which hold all that the
        filters make of the signal.
        """
        taps = self.filters.shape[1]
        sides = [(0, 0)] * (signal.ndim - 1)
        if extend:
            padded = np.pad(signal, [*sides, (taps - 1, taps - 1)])
        else:
            padded = np.pad(signal, [*sides, (taps - 1, 0)], mode="edge")
        filtered = np.empty((*padded.shape[:-1], padded.shape[-1] - taps + 1))
        for index in np.ndindex(padded.shape[:-1]):
            filtered[index] = np.convolve(padded[index], self.filters[index[-1]], mode="valid")
        return self.mixing @ filtered

    def then(self, other: Whitener) -> Whitener:
        """Return both filters in turn, with the mixing of the second."""
        pairs = zip(self.filters, other.filters, strict=True)
        return Whitener(np.array([np.convolve(a, b) for a, b in pairs]), other.mixing)


def fit_whitener(
    noise: NDArray[Any], inside: NDArray[np.bool_], order: int, least: float, *, mix: bool
) -> Whitener:
    """Fit an autoregression to each channel by least squares.

    Parameters
    ----------
    noise
        (C, T).
    inside
        Samples that belong to a recording, (T,).
    order
        Of the autoregression; lowered where there are few samples.
    least
        Standard deviation of white noise that is always reckoned with.
    mix
        Whether to take channels apart that go together.

    Returns
    -------
    Whitener
        A channel without power is left out: its filter is 0.

    Notes
    -----
    Least squares over rows of whole pasts, not autocorrelations: the ends of a
    block would leak from slow sway, thousands of times as strong as the noise,
    into all frequencies.
    """
    order = min(order, int(inside.sum()) // LEAST_ROWS_PER_TAP)
    run = np.convolve(inside, np.ones(order + 1), mode="valid")  # samples of a row in a recording
    rows = np.flatnonzero(run > order + 0.5)
    if not len(rows):
        order, rows = 0, np.flatnonzero(inside)
    rows = rows[:: len(rows) // MOST_ROWS + 1]
    filters = np.zeros((len(noise), order + 1))
    left = np.zeros((len(noise), len(rows)))
    for c, channel in enumerate(noise):
        past = np.lib.stride_tricks.sliding_window_view(channel, order + 1)[rows]
        past = past[:, ::-1].astype(np.float64)  # the present first
        moments = past.T @ past / max(1, len(rows))
        power = moments[0, 0] + least**2
        if power <= 0:
            continue
        system = moments[1:, 1:] + (LOADING * power + least**2) * np.eye(order)
        taps = np.concatenate([[1.0], -np.linalg.solve(system, moments[1:, 0])])
        filters[c] = taps / np.sqrt(taps @ moments @ taps + least**2)
        left[c] = past @ filters[c]
    return Whitener(filters, _unmixing(left) if mix else np.eye(len(noise)))


def _unmixing(white: Floats) -> Floats:
    """Return what makes the channels of (C, n) independent, (C, C)."""
    covariance = white @ white.T / max(1, white.shape[1])
    values, vectors = np.linalg.eigh(covariance)
    # Two channels that are almost copies must not promise a difference free of noise.
    return (vectors / np.sqrt(np.maximum(values, 1e-3))) @ vectors.T


# Recordings end to end.


@dataclass(frozen=True)
class Layout:
    """Stretches of signal end to end, with gaps that no template can bridge.

    Parameters
    ----------
    signal
        (C, T), 0 in the gaps.
    begin, length
        First sample and number of samples of each stretch, (S,).
    gap
        Samples between two stretches, and at both ends.
    """

    signal: NDArray[np.float32]
    begin: Integers
    length: Integers
    gap: int

    @classmethod
    def of(cls, stretches: list[NDArray[Any]], n_channels: int, gap: int) -> Layout:
        """Lay out stretches (C, n)."""
        length = np.array([stretch.shape[1] for stretch in stretches], dtype=np.int64)
        begin = gap + np.cumsum([0, *(length[:-1] + gap)])[: len(length)].astype(np.int64)
        signal = np.zeros((n_channels, int((length + gap).sum()) + gap), dtype=np.float32)
        for first, stretch in zip(begin, stretches, strict=True):
            signal[:, first : first + stretch.shape[1]] = stretch
        return cls(signal, begin, length, gap)

    def inside(self, shift: int = 0) -> NDArray[np.bool_]:
        """Return which samples, moved back by `shift`, belong to a stretch, (T,)."""
        inside = np.zeros(self.signal.shape[1], dtype=bool)
        for first, length in zip(self.begin - shift, self.length, strict=True):
            inside[max(0, first) : max(0, first + length)] = True
        return inside

    def blocks(self, margin: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield ranges to work on: first and last sample, and those of them that count.

        Short stretches go together; a long one is cut at places that do not
        depend on the others.
        """
        first = last = 0
        for begin, length in zip(self.begin.tolist(), self.length.tolist(), strict=True):
            start, stop = begin - self.gap, begin + length  # a gap belongs to what follows it
            if stop - first > BLOCK and last > first:
                yield first, last + self.gap, first, last
                first = start
            while stop - first > 2 * BLOCK:
                cut = first + BLOCK
                yield max(first - margin, start), cut + margin, first, cut
                first = cut
            if first > start:
                yield max(first - margin, start), stop + self.gap, first, stop
                first = stop
            last = stop
        if last > first:
            yield first, last + self.gap, first, last


def stretches_of(windows: WindowSet, *, known: bool) -> list[NDArray[np.float32]]:
    """Return the recordings of a split, (C, n) each, every channel around its median.

    Parameters
    ----------
    windows
        Of a detection dataset.
    known
        Only the parts in which every event is labelled; empty ones left out.
    """
    timeline = timeline_of(windows)
    if known:
        rows = np.stack([timeline.known_start, timeline.known_stop], axis=1)
        rows = rows[rows[:, 1] > rows[:, 0]]
    else:
        rows = np.stack([timeline.start, timeline.stop], axis=1)
    stretches = []
    for start, stop in rows:
        piece = windows.signal[start:stop]
        centre = np.median(piece, axis=0) if len(piece) else np.zeros(piece.shape[1])
        stretches.append((piece - centre).T)
    return stretches


def timeline_of(windows: WindowSet) -> Timeline:
    """Return the timeline of windows of a detection dataset."""
    if windows.timeline is None:
        raise ValueError("only windows of a detection dataset have a timeline")
    return windows.timeline


def rate_hz_of(windows: WindowSet) -> float:
    """Return the sampling rate of windows of a detection dataset."""
    if windows.sampling_rate_hz is None:
        raise ValueError("only windows of a detection dataset are sure of a sampling rate")
    return windows.sampling_rate_hz


def known_events(windows: WindowSet) -> tuple[Integers, Integers, Integers]:
    """Return place among the non-empty known parts, onset therein and type of each event."""
    timeline = timeline_of(windows)
    full = timeline.known_stop > timeline.known_start
    start, stop = timeline.known_start[full], timeline.known_stop[full]
    if not len(start):
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    place = np.maximum(np.searchsorted(start, timeline.onset, side="right") - 1, 0)
    inside = (timeline.onset >= start[place]) & (timeline.onset < stop[place])
    place = place[inside]
    return place, timeline.onset[inside] - start[place], timeline.type[inside]


# Interpolation between samples.


def fast_size(size: int) -> int:
    """Return a length of at least `size` that is quick to transform."""
    power = 2 ** int(np.ceil(np.log2(max(size, 2))))
    return power * 3 // 4 if power * 3 // 4 >= size and power >= 4 else power


def shifted(array: NDArray[Any], fraction: float) -> Floats:
    """Return an array (.., n) delayed by a fraction of a sample, as if band-limited."""
    n = array.shape[-1]
    size = fast_size(n + 16)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * fraction)
    return np.fft.irfft(np.fft.rfft(array, size) * delay, size)[..., :n]


def _taper(apart: Floats, reach: int) -> Floats:
    """Return the weights of neighbours that many samples apart, near 0 beyond `reach`."""
    inside = np.sqrt(np.maximum(0, 1 - (apart / (reach + 0.5)) ** 2))
    return np.sinc(apart) * np.i0(6 * inside) / np.i0(6)


HALF_WEIGHTS = _taper(np.arange(-BETWEEN, BETWEEN, dtype=np.float64) + 0.5, BETWEEN)
# Of 2 REACH neighbours, at the steps from one correlation to the next.
WEIGHTS = _taper(
    np.arange(STEPS // GRID)[None, :] * GRID / STEPS - np.arange(1 - REACH, REACH + 1)[:, None],
    REACH,
)


def doubled(rows: Floats) -> Floats:
    """Return rows (.., T) with the values between samples, (.., GRID T); 0 lies around them."""
    result = np.empty((*rows.shape[:-1], rows.shape[-1], GRID))
    result[..., 0] = rows
    for index in np.ndindex(rows.shape[:-1]):
        around = np.convolve(rows[index], HALF_WEIGHTS)
        result[(*index, slice(None), 1)] = around[BETWEEN : BETWEEN + rows.shape[-1]]
    return result.reshape(*rows.shape[:-1], -1)


def finer(rows: Floats) -> Floats:
    """Return correlations (.., n + 2 REACH - 1) at every step, (.., n STEPS / GRID).

    The first value is that of the correlation at REACH - 1.
    """
    windows = np.lib.stride_tricks.sliding_window_view(rows, 2 * REACH, axis=-1)
    fine = windows @ WEIGHTS
    return fine.reshape(*rows.shape[:-1], fine.shape[-2] * fine.shape[-1])


def summits(fine: Floats) -> tuple[Floats, Floats]:
    """Return where rows (M, n) are highest, between their steps (M,), and how high (M,)."""
    top = np.clip(fine.argmax(axis=1), 1, fine.shape[1] - 2)
    row = np.arange(len(fine))
    before, middle, after = fine[row, top - 1], fine[row, top], fine[row, top + 1]
    bend, tilt = 2 * middle - before - after, 0.5 * (after - before)
    part = np.zeros_like(middle)
    np.divide(tilt, bend, out=part, where=bend > 0)
    part = np.clip(part, -1, 1)
    return top + part, middle + 0.5 * tilt * part


# Detection.


class Event(NamedTuple):
    """One event, as it is subtracted.

    Parameters
    ----------
    type
        Index of the class.
    at
        Start of its template, in steps of which a sample has `STEPS`.
    amplitude
        Factor of the template.
    """

    type: int
    at: int
    amplitude: float


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Templates and all else that finding them takes.

    Parameters
    ----------
    whitener
        Made for the noise.
    templates
        Whitened, (K, C, L).
    onset
        Sample of a template at which its event is said to begin, a fraction allowed.
    bias
        By how many samples events of each type are found late, (K,).
    rate
        Events of each type per sample, (K,); 0 for a type that never occurs.
    amplitude, spread
        Mean and standard deviation of the factor of each template, (K,).
    apart
        Samples within which a type has one peak.
    between
        Whether events may lie between samples.
    """

    whitener: Whitener
    templates: Floats
    onset: float
    bias: Floats
    rate: Floats
    amplitude: Floats
    spread: Floats
    apart: int
    between: bool

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> Detector:
        """Read what `arrays` returned."""
        rest = {name: arrays[name] for name in ("templates", "bias", "rate", "amplitude", "spread")}
        return cls(
            whitener=Whitener(arrays["filters"], arrays["mixing"]),
            onset=float(arrays["onset"][0]),
            apart=int(arrays["apart"][0]),
            between=bool(arrays["between"][0]),
            **rest,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that detection needs, as arrays."""
        return {
            "filters": self.whitener.filters,
            "mixing": self.whitener.mixing,
            "templates": self.templates,
            "onset": np.array([self.onset]),
            "bias": self.bias,
            "rate": self.rate,
            "amplitude": self.amplitude,
            "spread": self.spread,
            "apart": np.array([self.apart]),
            "between": np.array([int(self.between)]),
        }

    @property
    def length(self) -> int:
        """Samples of a whitened template."""
        return self.templates.shape[2]

    @property
    def gap(self) -> int:
        """Samples between stretches that keep them from touching one another."""
        return 2 * self.length + 4 * RIVALS

    @cached_property
    def norms(self) -> Floats:
        """Length of each template as a vector, (K,); infinite where there is no template."""
        norms = np.sqrt((self.templates**2).sum(axis=(1, 2)))
        return np.where(norms > 0, norms, np.inf)

    @cached_property
    def traces(self) -> Floats:
        """What a template leaves in all correlations, (K, STEPS, K, 2 H + 1).

        Entry (k, p, j, h): the correlation of type j, h - H correlations after
        a sample, of an event of type k and amplitude 1 that starts p steps
        after that sample.
        """
        n_types, _, length = self.templates.shape
        half = length + BETWEEN
        size = fast_size(2 * half + length)
        spectra = np.fft.rfft(self.templates, size)
        products = np.einsum("kcf,jcf->kjf", spectra, spectra.conj()) / self.norms[:, None]
        turn = -2j * np.pi * np.fft.rfftfreq(size) / STEPS
        traces = np.empty((n_types, STEPS, n_types, GRID * 2 * half))
        for p in range(STEPS):
            lags = np.fft.irfft(products * np.exp(turn * p), size)
            traces[:, p] = doubled(np.roll(lags, half, axis=-1)[..., : 2 * half])
        return traces[..., 1:]

    @cached_property
    def evidence(self) -> Floats:
        """Coefficients (3, K) of the log-odds as a square polynomial in the correlation.

        With amplitudes normal around their mean and events at random, these
        are the log-odds of one more event against none at a sample.
        """
        power = np.where(np.isfinite(self.norms), self.norms, 0.0) ** 2
        weight = 1 / np.maximum(self.spread, 1e-12) ** 2
        total = power + weight
        with np.errstate(divide="ignore"):
            prior = np.log(self.rate)
        constant = (
            -0.5 * self.amplitude**2 * weight * power / total
            - 0.5 * np.log1p(power / weight)
            + prior
        )
        square, linear = 0.5 * power / total, np.sqrt(power) * self.amplitude * weight / total
        return np.stack([square, linear, np.where(power > 0, constant, -np.inf)])

    @cached_property
    def lowest(self) -> Floats:
        """Return the correlation below which no event of each type is believed, (K,).

        Templates never fit perfectly. What a loud event leaves of itself is no
        noise, and would else pass for another event of absurd amplitude.
        """
        norms = np.where(np.isfinite(self.norms), self.norms, 0.0)
        deviation = np.hypot(self.spread, 1 / self.norms)
        least = self.amplitude - PLAUSIBLE * deviation
        bounds = SURELY_LOW * self.amplitude, SURELY_HIGH * self.amplitude
        return norms * np.clip(least, *bounds)

    def log_odds(self, correlation: Floats, kind: NDArray[np.int64] | slice) -> Floats:
        """Return the log-odds of events of types (n,) at correlations (n, ..) along them."""
        square, linear, constant, lowest = (
            row[kind].reshape(-1, *[1] * (correlation.ndim - 1))
            for row in (*self.evidence, self.lowest)
        )
        odds = (square * correlation + linear) * correlation + constant
        odds[correlation < lowest] = -np.inf
        return odds

    def likely_amplitude(self, correlation: float, kind: int) -> float:
        """Return the likeliest factor of a template, given its correlation and the prior."""
        norm = self.norms[kind]
        if np.isinf(norm):
            return float(self.amplitude[kind])
        weight = 1 / max(self.spread[kind], 1e-12) ** 2
        return float((norm * correlation + self.amplitude[kind] * weight) / (norm**2 + weight))

    def correlations(self, signal: NDArray[Any]) -> Floats:
        """Return a whitened signal (C, T) along all templates, (K, GRID T).

        Entry (k, GRID t) holds the samples from t on along template k, in
        standard deviations of noise; those between samples are interpolated.
        """
        n_samples = signal.shape[1]
        size = fast_size(8 * self.length)
        step = size - self.length + 1
        n_frames = -(-n_samples // step)
        padded = np.pad(
            signal.astype(np.float64), [(0, 0), (0, n_frames * step + size - n_samples)]
        )
        frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)
        frames = frames[:, : n_frames * step : step]
        filters = np.fft.rfft(self.templates / self.norms[:, None, None], size).conj()
        spectra = np.fft.rfft(frames)
        found = np.empty((len(filters), n_frames, step))
        for row, by_channel in zip(found, filters, strict=True):
            product = sum(one * frame for one, frame in zip(by_channel, spectra, strict=True))
            row[:] = np.fft.irfft(product, size)[:, :step]
        return doubled(found.reshape(len(filters), -1)[:, :n_samples])

    def candidates(self, windows: WindowSet, *, peel: bool) -> Candidates:
        """Return every event that the recordings of a split may hold.

        Parameters
        ----------
        windows
            Of a detection dataset.
        peel
            Subtract events before looking for the next; if not, all peaks of
            the correlations are candidates as they are.
        """
        stretches = stretches_of(windows, known=False)
        white = [self.whitener(one, extend=False) for one in stretches if one.shape[1]]
        places = np.array([s for s, one in enumerate(stretches) if one.shape[1]], dtype=np.int64)
        layout = Layout.of(white, len(windows.channels), self.gap)
        allowed = layout.inside(int(np.rint(self.onset)))
        parts = []
        for first, last, core_first, core_last in layout.blocks(MARGIN * self.length):
            pursuit = Pursuit(
                self, self.correlations(layout.signal[:, first:last]), allowed[first:last]
            )
            if peel:
                pursuit.peel()
            start, kind, log_odds = pursuit.found()
            time = start + first + self.onset
            core = (time >= core_first) & (time < core_last) & (log_odds > FLOOR)
            time, kind, log_odds = time[core], kind[core], log_odds[core]
            stretch = np.searchsorted(layout.begin - layout.gap // 2, time, side="right") - 1
            inside = time - self.bias[kind] - layout.begin[stretch]
            parts.append(
                Candidates(
                    place=places[stretch],
                    time=np.clip(inside, 0, layout.length[stretch] - 1),
                    type=kind,
                    score=scores(log_odds),
                )
            )
        return Candidates.joined(parts)


def scores(log_odds: Floats) -> Floats:
    """Return log-odds as scores in (0, 1), without ever rounding large ones to 1."""
    return 0.5 + 0.5 * log_odds / (np.abs(log_odds) + HALF_WAY)


class Pursuit:
    """The correlations of one block, and the events subtracted from them so far.

    Parameters
    ----------
    detector
        Its templates made the correlations.
    correlations
        (K, GRID T).
    allowed
        Samples at which a template may start, (T,).
    """

    def __init__(
        self, detector: Detector, correlations: Floats, allowed: NDArray[np.bool_]
    ) -> None:
        self.detector = detector
        self.half = detector.traces.shape[3] // 2
        # No two peaks of a type may end at the same place.
        self.rivals = min(RIVALS, GRID * detector.apart // 2)
        # What happens near an end reaches over it.
        self.pad = GRID * (self.half + RIVALS + REACH)
        self.correlations = np.pad(correlations, [(0, 0), (self.pad, self.pad)])
        self.allowed = np.pad(np.repeat(allowed, GRID), self.pad)
        if not detector.between:
            self.allowed[np.arange(len(self.allowed)) % GRID > 0] = False
        self.closed = np.tile(~self.allowed, (len(correlations), 1))
        self.events: list[Event] = []

    def change(self, event: Event, sign: int) -> None:
        """Add (sign 1) or subtract (-1) what an event leaves in the correlations."""
        sample, step = divmod(event.at, STEPS)
        around = slice(GRID * sample - self.half, GRID * sample + self.half + 1)
        trace = self.detector.traces[event.type, step]
        self.correlations[:, around] += sign * event.amplitude * trace

    def close(self, event: Event, near: int, *, again: bool = False) -> None:
        """Keep the type of an event from being found near it, or allow it again."""
        middle = event.at // (STEPS // GRID)
        around = slice(middle - near, middle + near + 1)
        self.closed[event.type, around] = ~self.allowed[around] if again else True

    def fitted(self, kind: int, middle: int) -> Event:
        """Return the likeliest event of a type near a correlation."""
        first, last = middle - self.rivals, middle + self.rivals + 1
        fine = finer(self.correlations[kind, first - REACH + 1 : last + REACH])
        fine[np.repeat(self.closed[kind, first:last], STEPS // GRID)] = -np.inf
        if not self.detector.between:
            fine[np.arange(len(fine)) % STEPS != -first * STEPS // GRID % STEPS] = -np.inf
        top = int(fine.argmax())
        amplitude = self.detector.likely_amplitude(float(fine[top]), kind)
        return Event(kind, first * STEPS // GRID + top, amplitude)

    def log_odds(self, around: slice) -> Floats:
        """Return the log-odds of all types in a range, (K, n); -inf where none may be."""
        odds = self.detector.log_odds(self.correlations[:, around], slice(None))
        odds[self.closed[:, around]] = -np.inf
        return odds

    def peel(self) -> None:
        """Subtract events, the likeliest first, until no other makes the signal likelier."""
        self.subtract_all()
        for _ in range(SWEEPS):
            self.sweep()
            self.subtract_all()

    def subtract_all(self) -> None:
        """Subtract events until the log-odds of every other are below 0.

        Events further apart than a template do not touch, so that each pass
        takes all that are the best of their surroundings.
        """
        from scipy.ndimage import maximum_filter1d

        odds = self.log_odds(slice(None))
        kind, best = odds.argmax(axis=0), odds.max(axis=0)
        while True:
            highest = maximum_filter1d(best, 2 * self.half + 1, mode="nearest")
            summit = np.flatnonzero((best > 0) & (best >= highest)).tolist()
            if not summit:
                return
            for middle in summit:
                if best[middle] < highest[middle]:  # its equal beside it came first
                    continue
                event = self.fitted(int(kind[middle]), middle)
                self.events.append(event)
                self.change(event, -1)
                self.close(event, NEAR)
                self.closed[event.type, middle] = True  # each pass closes what it looked at
                reach = self.half + self.rivals
                around = slice(middle - reach, middle + reach + 1)
                odds = self.log_odds(around)
                kind[around], best[around] = odds.argmax(axis=0), odds.max(axis=0)

    def sweep(self) -> None:
        """Fit every event anew beside all others, and drop those that no longer pay."""
        kept = []
        for event in sorted(self.events, key=lambda one: one.at):
            self.change(event, 1)
            self.close(event, NEAR, again=True)
            first = event.at // (STEPS // GRID) - self.rivals
            odds = self.log_odds(slice(first, first + 2 * self.rivals + 1))
            kind, ahead = divmod(int(odds.argmax()), odds.shape[1])
            if odds[kind, ahead] > 0:
                again = self.fitted(kind, first + ahead)
                self.change(again, -1)
                self.close(again, NEAR)
                kept.append(again)
        self.events = kept

    def found(self) -> tuple[Floats, Integers, Floats]:
        """Return start, type and log-odds of what was subtracted and of the peaks that are left.

        Starts (M,) are in samples of the block.
        """
        events = list(self.events)
        events += [
            self.fitted(kind, middle)._replace(amplitude=0) for kind, middle in self._peaks()
        ]
        kind = np.array([event.type for event in events], dtype=np.int64)
        near = REACH + GRID + NEAR
        rows = np.zeros((len(events), 2 * near + 1))
        at = np.array([event.at for event in events], dtype=np.int64)
        middle = at // STEPS * GRID
        for row, event, m in zip(rows, events, middle.tolist(), strict=True):
            own = self.detector.traces[event.type, event.at % STEPS, event.type]
            row += self.correlations[event.type, m - near : m + near + 1]
            row += event.amplitude * own[self.half - near : self.half + near + 1]
        first = (middle - near + REACH - 1) * STEPS // GRID
        fine = finer(rows)
        beyond: NDArray[Any]
        if self.detector.between:
            beyond, height = summits(fine)
        else:
            beyond = at - first
            height = fine[np.arange(len(at)), beyond]
        start = (first + beyond) / STEPS - self.pad / GRID
        return start, kind, self.detector.log_odds(height, kind)

    def _peaks(self) -> list[tuple[int, int]]:
        """Return type and place of peaks that are no event but might be one."""
        from scipy.ndimage import maximum_filter1d

        apart = GRID * self.detector.apart
        for event in self.events:
            self.close(event, apart)
        odds = self.log_odds(slice(None))
        highest = maximum_filter1d(odds, 2 * apart + 1, axis=1, mode="nearest")
        kind, middle = np.nonzero((odds > FLOOR) & (odds >= highest))
        return list(zip(kind.tolist(), middle.tolist(), strict=True))

    def explain(self, events: list[Event], prior: Floats) -> tuple[list[Event], Floats, Floats]:
        """Return labelled events with their likeliest starts and amplitudes.

        Parameters
        ----------
        events
            As labelled, of types that are certain, at whole samples of the block.
        prior
            Log-probabilities of the shifts -r .. r of a label, (2 r + 1,).

        Returns
        -------
        tuple
            The events; the log-likelihood of each at each shift, (n, 2 r + 1);
            and what it gains between samples, (n,).
        """
        reach, between = len(prior) // 2, self.detector.between
        offset = self.pad * STEPS // GRID
        now = [event._replace(at=event.at + offset) for event in events]
        labelled = [event.at for event in now]
        likelihood, gain = np.zeros((len(events), len(prior))), np.zeros(len(events))
        for event in now:
            self.change(event, -1)
        for _ in range(SWEEPS):
            for i, at in enumerate(labelled):
                kind, middle = now[i].type, at // (STEPS // GRID)
                self.change(now[i], 1)
                # One row for each whole sample, from half a sample before it.
                first = middle - GRID * reach - GRID // 2
                last = first + GRID * (2 * reach + 1)
                around = slice(first - REACH + 1, last + REACH)
                fine = finer(self.correlations[kind, around]).reshape(-1, STEPS)
                whole = fine[:, STEPS // 2]
                heights = fine.max(axis=1) if between else whole
                likelihood[i] = 0.5 * np.maximum(heights, 0) ** 2
                best = int((likelihood[i] + prior).argmax())
                highest = int(fine[best].argmax())
                gain[i] = 0.5 * (max(fine[best, highest], 0) ** 2 - max(whole[best], 0) ** 2)
                step = highest if between else STEPS // 2
                now[i] = Event(
                    kind,
                    at + (best - reach) * STEPS + step - STEPS // 2,
                    self.detector.likely_amplitude(float(fine[best, step]), kind),
                )
                self.change(now[i], -1)
        return [event._replace(at=event.at - offset) for event in now], likelihood, gain
