"""Strikes of known shape at known times under noise: detection with everything known."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seqbench.config.options import Count, Fraction, Level, NaturalNumber, Positive
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.datasets.strike_schedules import (
    Strikes,
    change_ringing_strikes,
    poisson_strikes,
    shortest_interval_s,
)
from seqbench.datasets.strike_signals import (
    add_strikes,
    coloured_noise,
    noise_lag_one,
    strike_templates,
    sway,
)
from seqbench.datasets.strike_variation import StrikeVariation
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS

SHARED = len(SPLITS)  # number of the generator of what all splits have in common
VARIED = SHARED + 1  # number of the generators of shapes that vary
TOLERANCE_MS = 5.0

WINDOW_SAMPLES, WINDOW_RATE_HZ = 2000, 2000.0
WINDOW_REFRACTORY_S = 2.0
EARLIEST, LATEST = 100, 1900  # of an event in a window
SIGNATURE_SAMPLES, SIGNATURE_HEIGHT = 50, 0.5

GAINS = (0.5, 50.0)
LARGEST_OFFSET = 5.0  # in gains
UNITS = ("mV", "g")
EDGE_S = 0.05
SHORTEST_INTERVAL_S = 0.21


@DATASETS.register("strikes_windows", task="detection", sample="series", offers=("truth",))
def strikes_windows(
    cache: Path,
    *,
    n_train: Count = 800,
    n_val: Count = 200,
    n_test: Count = 300,
    n_types: Annotated[int, Field(ge=2, le=24)] = 16,
    n_channels: Annotated[int, Field(ge=2)] = 6,
    noise: Level = 0.1,
    probability: Fraction = 0.3,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Short sine bursts of 16 types in windows of 1 s under white noise, six channels.

    Parameters
    ----------
    n_train, n_val, n_test
        Windows of the split, each a recording of its own.
    n_types
        Types of events; type k is a burst of k + 1 periods, so more than 24
        would pass the Nyquist frequency.
    n_channels
        Channels; type k is seen on channels k and k + 1, counted in a circle.
    noise
        Standard deviation of the white noise on all channels; bursts reach
        from -0.5 to 0.5.
    probability
        Of each type to occur in a window; it occurs once at most.
    seed
        Seed of the dataset; each split draws from a generator of its own.

    Notes
    -----
    An event is timed at the middle of its burst, sample 25 of 50, uniform over
    the samples from 100 to 1899 of 2000 at 2000 Hz. The truth holds what one
    event adds to the signal, ``templates`` (K, C, L) float32; the sample of it
    that is labelled, ``template_onset`` () int64; how much later each channel
    sets in, ``delays_s`` (K, C) float64, here nothing; and of the noise its
    standard deviation ``noise_sd`` (C,) float64 and the correlation of
    neighbouring samples ``noise_lag_one`` () float64. Every amplitude is 1.
    Departs from the source in one point: there all splits come from one seed.

    References
    ----------
    SyntheticEventDataset of github.com/gfr10598/lstm, commit def9522.
    """
    del cache  # made, not downloaded
    burst = np.linspace(0, 1, SIGNATURE_SAMPLES)
    templates = np.zeros((n_types, n_channels, SIGNATURE_SAMPLES), dtype=np.float32)
    for kind in range(n_types):
        for channel in (kind, kind + 1):
            wave = SIGNATURE_HEIGHT * np.sin(2 * np.pi * (kind + 1) * burst)
            templates[kind, channel % n_channels] = wave
    middle = SIGNATURE_SAMPLES // 2
    made: list[_Recording] = []
    for number, (split, n_windows) in enumerate(zip(SPLITS, (n_train, n_val, n_test), strict=True)):
        generator = np.random.default_rng([seed, number])
        for i in range(n_windows):
            kinds = np.flatnonzero(generator.random(n_types) < probability)
            onsets = generator.integers(EARLIEST, LATEST, size=len(kinds))
            order = np.argsort(onsets, kind="stable")
            onsets, kinds = onsets[order], kinds[order]
            signal = generator.standard_normal((WINDOW_SAMPLES, n_channels), dtype=np.float32)
            signal *= noise
            add_strikes(signal, templates, onsets - middle, kinds)
            height = np.ones(len(kinds))
            made.append(_Recording(split, f"{split}{i:05d}", signal, onsets, kinds, height))
    return _gathered(
        made,
        units=[""] * n_channels,
        sampling_rate_hz=WINDOW_RATE_HZ,
        refractory_s=WINDOW_REFRACTORY_S,
        templates=templates,
        template_onset=middle,
        delays_s=np.zeros((n_types, n_channels)),
        noise_sd=np.full(n_channels, noise),
        noise_lag_one=np.array(0.0),
    )


@DATASETS.register("strikes_continuous", task="detection", sample="series", offers=("truth",))
def strikes_continuous(
    cache: Path,
    *,
    schedule: Literal["poisson", "change_ringing"] = "poisson",
    n_types: Annotated[int, Field(ge=2)] = 12,
    n_channels: Count = 6,
    n_train: Count = 1,
    n_val: Count = 1,
    n_test: Count = 1,
    train_s: Positive = 300.0,
    val_s: Positive = 60.0,
    test_s: Positive = 120.0,
    sampling_rate_hz: Annotated[float, Field(ge=1600, allow_inf_nan=False)] = 2000.0,
    snr_db: Annotated[float, Field(ge=-60, le=120)] = 6.0,
    amplitude_jitter: Annotated[float, Field(ge=0, le=2)] = 0.2,
    second_template: Annotated[float, Field(ge=0, le=1)] = 0.0,
    pitch_jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.0,
    decay_jitter: Annotated[float, Field(ge=0, le=2)] = 0.0,
    bounces: Annotated[float, Field(ge=0, le=1)] = 0.0,
    drift: Level = 3.0,
    max_skew_ms: Annotated[float, Field(ge=0, le=100)] = 5.0,
    refractory_s: Positive = 1.9,
    rate_hz: Positive = 0.25,
    interval_ms: Positive | None = None,
    jitter_ms: Level = 10.0,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Overlapping strikes of 12 types in recordings of minutes, under noise and sway.

    Parameters
    ----------
    schedule
        poisson: each type strikes on its own at random; change_ringing: all
        strike once a row, in an order that changes little from row to row.
    n_types
        Types of strikes, or bells.
    n_channels
        Channels; their gains lie between 0.5 and 50, their units differ.
    n_train, n_val, n_test
        Recordings of the split.
    train_s, val_s, test_s
        Seconds of each recording of the split.
    sampling_rate_hz
        Samples per second; strikes ring at up to 800 Hz, so 1600 or more.
    snr_db
        The highest peak of a strike of amplitude 1 over the standard deviation
        of the noise, sway left out, on the channel that is loudest for the
        type, as 20 log10 of the ratio; the same for all types. The peaks on
        its other channels are up to 10.5 dB lower.
    amplitude_jitter
        Standard deviation of the logarithm of the amplitude of a strike, which
        is log-normal with median 1.
    second_template
        Of each type, the fraction of strikes that sound otherwise: with
        frequencies, decays, phases and delays of a second template.
    pitch_jitter, decay_jitter
        Standard deviation of the logarithm by which every strike is higher
        than its template, and rings longer.
    bounces
        Fraction of strikes that touch once more, 12 to 30 ms later and at 0.3
        to 0.8 of the amplitude. A bounce is no event.
    drift
        Root mean square of the slow sway, all below 2 Hz, in standard
        deviations of the noise.
    max_skew_ms
        A strike sets in on each channel earlier or later than labelled by up
        to this; drawn once for each type and channel, finer than a sample.
    refractory_s
        Shortest time between two strikes of one type.
    rate_hz
        poisson: mean strikes per second of each type.
    interval_ms
        change_ringing: time between two strikes; empty: 210, or longer where
        few bells would else return within `refractory_s`.
    jitter_ms
        change_ringing: standard deviation of the ringers' errors, which are
        normal and cut at three of these.
    seed
        Seed of the dataset; strikes, gains and offsets are drawn from it alone,
        schedules and noise of each split from a generator of its own.

    Raises
    ------
    DataError
        If `rate_hz` or `interval_ms` bring a type back within `refractory_s`,
        or a recording is too short to hold a strike.

    Notes
    -----
    A strike is a sum of three decaying sines of 40 ms; every type has
    frequencies and decays of its own, and weights and phases of its own on
    every channel. Strikes of different types overlap freely. No onset is
    within 50 ms of an end of a recording. The noise of each channel is
    Gaussian and a first-order autoregression, the correlation of which falls
    by a factor e in 1 ms. The truth has the arrays of `strikes_windows`; its
    templates are strikes of amplitude 1 in the units of the signal, and
    neither sway nor offsets belong to it. The same seed gives the same
    strikes at the same times whatever `snr_db`, `amplitude_jitter` and `drift`.
    Shapes vary by generators of their own, so that all else stays as it is. With
    `second_template` the truth has these as ``second_templates`` (K, C, L), as high
    on each channel as the first; delays are those of the first. What
    `pitch_jitter`, `decay_jitter` and `bounces` do to a strike is not in the
    truth, so `oracle` is no ceiling there.
    """
    del cache  # made, not downloaded
    shared = np.random.default_rng([seed, SHARED])
    gains = shared.permutation(np.geomspace(*GAINS, n_channels))
    offsets = gains * shared.uniform(-LARGEST_OFFSET, LARGEST_OFFSET, n_channels)
    lead = math.ceil(max_skew_ms / 1000 * sampling_rate_hz)
    templates, delays_s = strike_templates(
        shared,
        n_types,
        gains,
        lead=lead,
        max_skew_s=max_skew_ms / 1000,
        sampling_rate_hz=sampling_rate_hz,
    )
    vary = StrikeVariation.drawn(
        np.random.default_rng([seed, VARIED]),
        templates,
        lead=lead,
        max_skew_s=max_skew_ms / 1000,
        sampling_rate_hz=sampling_rate_hz,
        second_template=second_template,
        pitch_jitter=pitch_jitter,
        decay_jitter=decay_jitter,
        bounces=bounces,
    )
    draw = _schedule(
        schedule,
        n_types,
        # Rounding to samples may bring two strikes nearer by one.
        apart_s=refractory_s + 1 / sampling_rate_hz,
        rate_hz=rate_hz,
        interval_ms=interval_ms,
        jitter_ms=jitter_ms,
    )
    noise_sd = gains * 10 ** (-snr_db / 20)
    edge = max(math.ceil(EDGE_S * sampling_rate_hz), templates.shape[2])
    made: list[_Recording] = []
    for number, (split, n_recordings, duration_s) in enumerate(
        zip(SPLITS, (n_train, n_val, n_test), (train_s, val_s, test_s), strict=True)
    ):
        generator = np.random.default_rng([seed, number])
        n_samples = round(duration_s * sampling_rate_hz)
        if n_samples <= 2 * edge:
            raise DataError(
                f"strikes_continuous: a `{split}_s` of {duration_s:g} leaves no room between the"
                f" ends; give at least {(2 * edge + 1) / sampling_rate_hz:g}"
            )
        for i in range(n_recordings):
            times_s, kinds = draw(generator, (n_samples - 2 * edge) / sampling_rate_hz)
            onsets = edge + np.floor(times_s * sampling_rate_hz).astype(np.int64)
            amplitudes = np.exp(amplitude_jitter * generator.standard_normal(len(onsets)))
            signal = np.zeros((n_samples, n_channels), dtype=np.float32)
            vary.add(
                np.random.default_rng([seed, VARIED, number, i]),
                signal,
                onsets - lead,
                kinds,
                amplitudes,
            )
            for channel in range(n_channels):
                background = drift * sway(generator, n_samples, sampling_rate_hz)
                background += coloured_noise(generator, n_samples, sampling_rate_hz)
                signal[:, channel] += offsets[channel] + noise_sd[channel] * background
            made.append(_Recording(split, f"{split}{i}", signal, onsets, kinds, amplitudes))
    return _gathered(
        made,
        units=[UNITS[channel % len(UNITS)] for channel in range(n_channels)],
        sampling_rate_hz=sampling_rate_hz,
        refractory_s=refractory_s,
        templates=templates,
        template_onset=lead,
        delays_s=delays_s,
        noise_sd=noise_sd,
        noise_lag_one=np.array(noise_lag_one(sampling_rate_hz)),
        **({} if vary.second is None else {"second_templates": vary.second}),
    )


def _schedule(
    name: Literal["poisson", "change_ringing"],
    n_types: int,
    *,
    apart_s: float,
    rate_hz: float,
    interval_ms: float | None,
    jitter_ms: float,
) -> Callable[[np.random.Generator, float], Strikes]:
    """Return a function that draws strikes for a number of seconds; refuse impossible options."""
    if name == "poisson":
        if rate_hz * apart_s >= 1:
            raise DataError(
                f"strikes_continuous: a `rate_hz` of {rate_hz:g} brings a type back within its"
                f" `refractory_s`; give less than {1 / apart_s:.3g}"
            )
        return partial(poisson_strikes, n_types=n_types, rate_hz=rate_hz, refractory_s=apart_s)
    jitter_s = jitter_ms / 1000
    shortest_s = shortest_interval_s(n_types, refractory_s=apart_s, jitter_s=jitter_s)
    interval_s = max(SHORTEST_INTERVAL_S, shortest_s) if interval_ms is None else interval_ms / 1000
    if interval_s < shortest_s:
        raise DataError(
            f"strikes_continuous: at an `interval_ms` of {interval_ms:g} one of {n_types} bells"
            " could return within its `refractory_s`; give at least"
            f" {math.ceil(1000 * shortest_s)}, or none"
        )
    return partial(
        change_ringing_strikes, n_types=n_types, interval_s=interval_s, jitter_s=jitter_s
    )


class _Recording(NamedTuple):
    """One recording: split, name, (n_samples, C) float32, onsets, types and amplitudes (E,)."""

    split: str
    name: str
    signal: NDArray[np.float32]
    onsets: NDArray[np.int64]
    kinds: NDArray[np.int64]
    amplitudes: NDArray[np.float64]


def _gathered(
    made: list[_Recording],
    *,
    units: list[str],
    sampling_rate_hz: float,
    refractory_s: float,
    templates: NDArray[np.float32],
    template_onset: int,
    **truth: NDArray[Any],
) -> Recordings:
    """Return recordings that are labelled throughout; an event ends with its template."""
    n_types, n_channels, template_samples = templates.shape
    onsets = np.concatenate([one.onsets for one in made])
    kinds = np.concatenate([one.kinds for one in made])
    of_recording = np.repeat(np.arange(len(made)), [len(one.onsets) for one in made])
    return Recordings(
        task="detection",
        sample="series",
        signals=[one.signal for one in made],
        names=[one.name for one in made],
        groups=[one.name for one in made],
        splits=[one.split for one in made],
        channels=[f"channel{channel}" for channel in range(n_channels)],
        units=units,
        classes=[f"e{kind:02d}" for kind in range(n_types)],
        label_recording=of_recording,
        label=kinds,
        label_start=onsets,
        label_stop=onsets + template_samples - template_onset,
        label_amplitude=np.concatenate([one.amplitudes for one in made]),
        sampling_rate_hz=sampling_rate_hz,
        known=np.array([[0, len(one.signal)] for one in made]),
        refractory_s=refractory_s,
        tolerance_ms=TOLERANCE_MS,
        truth={
            "templates": templates,
            "template_onset": np.array(template_onset),
            **truth,
        },
        source={"origin": "generated", "licence": "none needed"},
    )
