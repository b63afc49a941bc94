"""Church bells rung in changes, from recordings of single strikes."""

import math
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seqbench.config.options import Count, Level, NaturalNumber, Positive
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError, checksums
from seqbench.datasets.bell_sounds import (
    LEAD_S,
    TOWERS,
    bell_files,
    heard,
    package_folder,
    responses,
    strike,
)
from seqbench.datasets.change_ringing import Method, methods_for, touch
from seqbench.datasets.events import Event, label_columns
from seqbench.datasets.strike_schedules import LARGEST_ERROR, ringing_strikes
from seqbench.datasets.strike_signals import add_strikes, coloured_noise
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS

TABLES = ("plain", "trebledodging")
GAINS = (0.5, 2.0)  # of the sensors
SHORTEST_INTERVAL_S, SHORTEST_ROW_S = 0.2, 1.8
EDGE_S = 0.05  # without a strike at both ends of a recording
BOUNCES_S, BOUNCE_STRENGTHS = (0.04, 0.15), (0.1, 0.4)  # after the strike, and relative to it
TOLERANCE_MS = 5.0
TOWER, METHODS, FEW = 100, 200, 300  # first numbers of generators beside those of the splits


@DATASETS.register(
    "tower_bells",
    task="detection",
    sample="series",
    imports=("scipy.signal", "soundfile"),
)
def tower_bells(
    cache: Path,
    *,
    tower: Literal["st_wilfrid", "st_michael"] = "st_wilfrid",
    test_tower: Literal["st_wilfrid", "st_michael"] | None = None,
    strikes_per_bell: NaturalNumber = 0,
    n_bells: Annotated[int, Field(ge=5, le=12)] | None = None,
    n_sensors: Count = 6,
    n_train: NaturalNumber = 5,
    n_val: NaturalNumber = 2,
    n_test: Count = 4,
    touch_s: Annotated[float, Field(ge=5, le=3600)] = 60.0,
    sampling_rate_hz: Annotated[int, Field(ge=1000, le=44_100, multiple_of=100)] = 2000,
    snr_db: Annotated[float, Field(ge=-60, le=120)] = 20.0,
    amplitude_jitter: Annotated[float, Field(ge=0, le=2)] = 0.3,
    bounces: Annotated[float, Field(ge=0, le=1)] = 0.1,
    interval_ms: Positive | None = None,
    jitter_ms: Level = 15.0,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Church bells rung in changes, from recordings in the package crengine (extra bells).

    Parameters
    ----------
    tower
        Whose bells are rung: st_wilfrid (up to 12) or st_michael (up to 6).
    test_tower
        Whose bells are rung in test, if not those of `tower`. A bell is then
        the same type in both by its place in the ring.
    strikes_per_bell
        Of `test_tower`, which train has in a recording of its own, so many rows
        of ringing, and val in another one.
    n_bells
        The heaviest bells of the tower; empty: as many as both towers have.
    n_sensors
        Places in the room at which it is heard, the channels.
    n_train, n_val, n_test
        Touches of the split; none of train or val where `strikes_per_bell` is
        all there is to learn from.
    touch_s
        Seconds of each touch.
    sampling_rate_hz
        Samples per second; more than half of what most bells sound lies above 1000 Hz.
    snr_db
        The highest peak of a strike of strength 1, before the rate is lowered,
        over the standard deviation of the noise, as 20 log10 of the ratio; the
        median of all bells, the same on every channel.
    amplitude_jitter
        Standard deviation of the logarithm of the strength of a strike, which
        is log-normal with median 1.
    bounces
        Fraction of the strikes after which the clapper touches the bell once
        more, 40 to 150 ms later and at 0.1 to 0.4 of the strength: not an event.
    interval_ms
        Time between two bells; empty: 200, or longer where few bells would
        have rows of less than 1.8 s.
    jitter_ms
        Standard deviation of the ringers' errors, which are normal and cut at
        three of these.
    seed
        Seed of the dataset; rooms, methods and each touch have generators of their own.

    Raises
    ------
    DataError
        If the package is missing or damaged, or options contradict one another.

    Notes
    -----
    The package (MIT licence) does not state where its recordings come from. A
    touch follows one method, with bobs and singles at random; no two splits
    share a method. Every bell strikes once a row; before every second row one
    interval is left out, as ringers do before the handstroke. What a bell
    sounds is a recording of one strike, so shapes change with strength and
    bounces alone. An event is the strike itself, at the first sample of it in
    the recording (`bell_sounds.onset_sample`); sensors hear it later, by their
    distance. Label and sound begin on a sample, so the same strikes at another
    rate are labelled less than a sample apart. Noise is that of
    `strikes_continuous`. The refractory period follows from bells, interval and
    jitter. The same seed gives the same strikes at the same times whatever
    `sampling_rate_hz`, `n_sensors`, `snr_db`, `amplitude_jitter` and `bounces`.
    """
    del cache  # read from an installed package
    other = test_tower or tower
    most = min(len(TOWERS[one].bells) for one in (tower, other))
    n_bells = most if n_bells is None else n_bells
    interval_s = _interval_s(n_bells, interval_ms)
    jitter_s = jitter_ms / 1000
    refractory_s = (n_bells - 1) * interval_s - 2 * LARGEST_ERROR * jitter_s - 1 / sampling_rate_hz
    _check(n_bells, most, refractory_s, strikes_per_bell, tower != other, (n_train, n_val))

    root = package_folder()
    tables = [root / "methods" / f"{name}.csv" for name in TABLES]
    by_split = _dealt(methods_for(n_bells, tables), np.random.default_rng([seed, METHODS]))
    towers: dict[str, _Tower] = {
        name: _Tower.of(root, name, n_bells, n_sensors, sampling_rate_hz, seed)
        for name in dict.fromkeys((tower, other))
    }
    plan = [
        _Planned(split, f"{split}{i}", other if split == "test" else tower, [number, i], None)
        for number, (split, n) in enumerate(zip(SPLITS, (n_train, n_val, n_test), strict=True))
        for i in range(n)
    ]
    if strikes_per_bell:
        plan += [
            _Planned(split, f"{split}_{other}", other, [FEW + number], strikes_per_bell)
            for number, split in enumerate(("train", "val"))
        ]
    signals, events, amplitudes, rung = [], [], [], {}
    for one in plan:
        generator = np.random.default_rng([seed, *one.key])
        in_turn = by_split[one.split]
        method = in_turn[one.key[-1] % len(in_turn)]
        rung[one.name] = method.name
        if one.n_rows is None:
            n_rows, duration_s = math.ceil(touch_s / (n_bells * interval_s)) + 1, touch_s
        else:  # long enough for all its strikes
            n_rows = one.n_rows
            duration_s = 3 * EDGE_S + ((n_rows + 1) * (n_bells + 1)) * interval_s
        times_s, kinds = ringing_strikes(
            generator,
            touch(generator, method, n_rows),
            duration_s - 2 * EDGE_S,
            interval_s=interval_s,
            jitter_s=jitter_s,
        )
        onsets = np.floor((EDGE_S + times_s) * sampling_rate_hz).astype(np.int64)
        n_samples = round(duration_s * sampling_rate_hz)
        strengths = np.exp(amplitude_jitter * generator.standard_normal(len(onsets)))
        sound = towers[one.tower].sound(generator, onsets, kinds, strengths, n_samples, bounces)
        sound += towers[one.tower].noise(generator, n_samples, snr_db)
        signals.append(sound)
        events.append(
            [Event(k, at, at + 1) for k, at in zip(kinds.tolist(), onsets.tolist(), strict=True)]
        )
        amplitudes.append(strengths[np.lexsort((kinds, onsets))])  # in the order of the labels
    names = [one.name for one in plan]
    return Recordings(
        task="detection",
        sample="series",
        signals=signals,
        names=names,
        groups=names,
        splits=[one.split for one in plan],
        channels=[f"sensor{i}" for i in range(n_sensors)],
        units=[""] * n_sensors,
        classes=[f"bell{i + 1:02d}" for i in range(n_bells)],
        **label_columns(events),
        label_amplitude=np.concatenate(amplitudes),
        sampling_rate_hz=float(sampling_rate_hz),
        known=np.array([[0, len(signal)] for signal in signals], dtype=np.int64),
        refractory_s=refractory_s,
        tolerance_ms=TOLERANCE_MS,
        source={
            "origin": "recordings of single strikes in the Python package crengine",
            "licence": "MIT for the package; it does not state where its recordings come from",
            "citation": "Wilson (2021). Change Ringing Engine. https://pypi.org/project/crengine",
            "files": checksums(root, [*tables, *(f for one in towers.values() for f in one.files)]),
            "methods": rung,
            "notes": [
                "Recorded single strikes are rung by a program, in a room that is computed: the"
                " sound of the bells is real, their ringing is not.",
                "Where, when and how the bells were recorded is not stated.",
            ],
        },
    )


class _Planned(NamedTuple):
    """A recording to make: its split, name, tower and generator, and its rows, None: a touch."""

    split: str
    name: str
    tower: str
    key: list[int]
    n_rows: int | None


class _Tower(NamedTuple):
    """The bells of a tower as its sensors hear them.

    Parameters
    ----------
    files
        Their recordings, from treble to tenor.
    templates
        What a strike of strength 1 adds to each channel, (K, C, L).
    loudest
        Median over the bells of the highest peak at 44.1 kHz, (C,).
    sampling_rate_hz
        Of the templates.
    """

    files: list[Path]
    templates: NDArray[np.float32]
    loudest: NDArray[np.float64]
    sampling_rate_hz: int

    @classmethod
    def of(
        cls, root: Path, name: str, n_bells: int, n_sensors: int, sampling_rate_hz: int, seed: int
    ) -> "_Tower":
        """Read the recordings of a tower and hang its bells and sensors into a room."""
        generator = np.random.default_rng([seed, TOWER + list(TOWERS).index(name)])
        rooms = responses(generator, n_bells, n_sensors)
        gains = generator.permutation(np.geomspace(*GAINS, n_sensors))
        files = bell_files(root, name, n_bells)
        templates, peaks = heard(
            [strike(file) for file in files], rooms * gains[:, None], sampling_rate_hz
        )
        return cls(files, templates, np.median(peaks, axis=0), sampling_rate_hz)

    def sound(
        self,
        generator: np.random.Generator,
        onsets: NDArray[np.int64],
        kinds: NDArray[np.int64],
        strengths: NDArray[np.float64],
        n_samples: int,
        bounces: float,
    ) -> NDArray[np.float32]:
        """Return strikes and their bounces, (n_samples, C)."""
        bounced = generator.random(len(onsets)) < bounces
        later_s = generator.uniform(*BOUNCES_S, len(onsets))
        weaker = strengths * generator.uniform(*BOUNCE_STRENGTHS, len(onsets))
        later = onsets + np.rint(later_s * self.sampling_rate_hz).astype(np.int64)
        lead = round(LEAD_S * self.sampling_rate_hz)
        room = self.templates.shape[2] + math.ceil(BOUNCES_S[1] * self.sampling_rate_hz)
        sound = np.zeros((n_samples + room, self.templates.shape[1]), dtype=np.float32)
        add_strikes(sound, self.templates, onsets - lead, kinds, strengths)
        add_strikes(sound, self.templates, (later - lead)[bounced], kinds[bounced], weaker[bounced])
        return sound[:n_samples]

    def noise(
        self, generator: np.random.Generator, n_samples: int, snr_db: float
    ) -> NDArray[np.float32]:
        """Return the noise of all channels, (n_samples, C)."""
        noise = [
            peak
            * 10 ** (-snr_db / 20)
            * coloured_noise(generator, n_samples, self.sampling_rate_hz)
            for peak in self.loudest
        ]
        return np.stack(noise, axis=1).astype(np.float32)


def _interval_s(n_bells: int, interval_ms: float | None) -> float:
    if interval_ms is not None:
        return interval_ms / 1000
    return max(SHORTEST_INTERVAL_S, SHORTEST_ROW_S / n_bells)


def _check(
    n_bells: int,
    most: int,
    refractory_s: float,
    strikes_per_bell: int,
    has_other: bool,
    n_learned: tuple[int, int],
) -> None:
    """Refuse options that contradict one another."""
    if n_bells > most:
        raise DataError(
            f"tower_bells: `n_bells` is {n_bells}, but there are {most} bells; give no more, or"
            " another tower"
        )
    if refractory_s <= 0:
        raise DataError(
            "tower_bells: with these errors a bell could strike twice at once; give a smaller"
            " `jitter_ms` or a longer `interval_ms`"
        )
    if strikes_per_bell and not has_other:
        raise DataError(
            "tower_bells: `strikes_per_bell` are those of another tower; name it as `test_tower`,"
            " or leave them out"
        )
    if min(n_learned) == 0 and not strikes_per_bell:
        raise DataError(
            "tower_bells: without touches train or val has no strikes; give `n_train` and `n_val`"
            " of 1 or more, or a `test_tower` and `strikes_per_bell`"
        )


def _dealt(methods: list[Method], generator: np.random.Generator) -> dict[str, list[Method]]:
    """Return the methods of each split: a quarter for val and test each, the rest for train."""
    n_held = len(methods) // 4 or 1
    if len(methods) < len(SPLITS):
        raise DataError(
            "tower_bells: there are fewer methods for that number of bells than splits; give"
            " `n_bells` of 5, 6, 7, 8, 10 or 12"
        )
    order = [methods[i] for i in generator.permutation(len(methods))]
    return {"val": order[:n_held], "test": order[n_held : 2 * n_held], "train": order[2 * n_held :]}
