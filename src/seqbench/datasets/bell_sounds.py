"""Strikes of church bells: recordings of an installed package, as sensors in a room hear them."""

from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError, explained, fault
from seqbench.extras import install

PACKAGE, DATA = "crengine", "CRE"  # the package, and its folder of recordings and tables
HINT = "reinstall it with pip install --force-reinstall 'seqbench[bells]'"
RATE_HZ = 44_100
RINGING_S, FADING_S = 2.5, 0.5  # a bell is heard, and fades to nothing at the end
LEAD_S, RISING_S = 0.01, 0.001  # kept ahead of a strike, and what of it is faded in
LOUDNESS_S = 0.3  # after the strike; all bells have the same energy in it
ROOM_M = (7.0, 6.0, 5.0)
BELLS_M, SENSORS_M = (1.0, 2.0), (0.5, 4.5)  # heights at which they hang
WALL_M = 0.5  # bells and sensors stay this far from the walls
REFLECTED = 0.6  # of the pressure, by each wall
MOST_IMAGES = 2  # rooms to each side in which sources are mirrored
NEAREST_M = 0.5
SOUND_M_PER_S = 343.0

Floats = NDArray[np.float64]


class Tower(NamedTuple):
    """Folder of the recordings of a ring of bells, and their files from treble to tenor."""

    folder: str
    bells: str


# The folder of St Wilfrid also has a sharp second and a flat sixth, which belong to other rings.
TOWERS = {
    "st_wilfrid": Tower("St_Wilfrid", "1234567890ET"),
    "st_michael": Tower("St_Michael", "123456"),
}


def package_folder() -> Path:
    """Return the data of the installed package, of which no code is run.

    Raises
    ------
    DataError
        If it is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"the recordings of bells come with the package {PACKAGE}, which is missing;"
            f" {install(PACKAGE)}"
        )
    return Path(spec.submodule_search_locations[0]) / DATA


def bell_files(root: Path, tower: str, n_bells: int) -> list[Path]:
    """Return the recordings of the `n_bells` heaviest bells of a tower, from treble to tenor."""
    folder, bells = TOWERS[tower]
    return [root / "towers" / folder / f"{bell}.wav" for bell in bells[-n_bells:]]


def strike(path: Path) -> Floats:
    """Return a recorded strike, (n,) at `RATE_HZ`, which sets in after `LEAD_S`.

    What the recording has before the strike is left out.

    Raises
    ------
    DataError
        If the recording cannot be read, has another rate or too few samples.
    """
    import soundfile

    with explained(path, HINT):
        samples, rate_hz = soundfile.read(path, always_2d=True)
    if rate_hz != RATE_HZ:
        raise fault(path, f"its rate is {rate_hz} Hz instead of {RATE_HZ}", HINT)
    sound = samples.mean(axis=1)
    begin = onset_sample(sound)
    lead, rising, fading = (round(s * RATE_HZ) for s in (LEAD_S, RISING_S, FADING_S))
    n_ringing = round(RINGING_S * RATE_HZ)
    kept = sound[begin : begin + n_ringing]
    loud = np.sqrt((kept[: round(LOUDNESS_S * RATE_HZ)] ** 2).mean())
    if len(kept) < n_ringing or not loud > 0:
        raise fault(path, f"it has no strike that rings for {RINGING_S:g} s", HINT)
    before = np.zeros(lead)
    n_before = min(rising, begin)
    before[lead - n_before :] = sound[begin - n_before : begin]
    before[lead - rising :] *= np.sin(np.linspace(0, np.pi / 2, rising)) ** 2
    whole = np.concatenate([before, kept]) / loud
    whole[-fading:] *= np.cos(np.linspace(0, np.pi / 2, fading)) ** 2
    return whole


def onset_sample(sound: Floats) -> int:
    """Return the first sample of the strike in a recording that holds one, (n,).

    Notes
    -----
    Up to the first sample that reaches half of the highest peak, the sample at
    which the recording is best divided into two noises of different power, by
    the information criterion of Akaike. It is taken of differences between
    neighbouring samples: what sways slowly before a strike is no part of it.

    References
    ----------
    Maeda (1985). A method for reading and checking phase time in auto-processing
    system of seismic wave data. Zisin 38:365-379.
    """
    slope = np.diff(sound, prepend=sound[0])
    peak = int(np.argmax(np.abs(sound) >= 0.5 * np.abs(sound).max())) + 1
    if peak < 3:
        return 0
    power = np.cumsum(slope[:peak] ** 2)
    before = np.arange(1, peak)
    least = 1e-12 * max(power[-1], 1e-300)  # silence before the strike has no logarithm
    early = np.maximum(power[:-1], least) / before
    late = np.maximum(power[-1] - power[:-1], least) / (peak - before)
    criterion = before * np.log(early) + (peak - before) * np.log(late)
    return int(criterion.argmin()) + 1


def responses(generator: np.random.Generator, n_bells: int, n_sensors: int) -> Floats:
    """Return what sensors hear of a click of each bell, (K, C, n) at `RATE_HZ`.

    Bells and sensors hang at random places of a rectangular room; walls, floor
    and ceiling are mirrors (image sources) that keep `REFLECTED` of the
    pressure. What is heard comes at the speed of sound and falls with distance.

    References
    ----------
    Allen, Berkley (1979). Image method for efficiently simulating small-room
    acoustics. J. Acoust. Soc. Am. 65(4):943-950. Departs in one point: delays
    are rounded to samples.
    """
    places = []
    for n, heights in ((n_bells, BELLS_M), (n_sensors, SENSORS_M)):
        low = np.array([WALL_M, WALL_M, heights[0]])
        high = np.array([ROOM_M[0] - WALL_M, ROOM_M[1] - WALL_M, heights[1]])
        places.append(generator.uniform(low, high, (n, 3)))
    bells, sensors = places
    furthest_m = 2 * (MOST_IMAGES + 1) * np.linalg.norm(ROOM_M)
    found = np.zeros((n_bells, n_sensors, round(furthest_m / SOUND_M_PER_S * RATE_HZ) + 1))
    index = np.indices((n_bells, n_sensors))
    shifts = range(-MOST_IMAGES, MOST_IMAGES + 1)
    for mirrored in product((0, 1), repeat=3):
        for shift in product(shifts, repeat=3):
            image = bells * (1 - 2 * np.array(mirrored)) + 2 * np.array(shift) * ROOM_M
            n_walls = sum(abs(n - q) + abs(n) for n, q in zip(shift, mirrored, strict=True))
            distance_m = np.linalg.norm(image[:, None] - sensors, axis=2)
            delay = np.rint(distance_m / SOUND_M_PER_S * RATE_HZ).astype(np.int64)
            np.add.at(
                found, (*index, delay), REFLECTED**n_walls / np.maximum(distance_m, NEAREST_M)
            )
    return found


def heard(
    strikes: list[Floats], rooms: Floats, sampling_rate_hz: int
) -> tuple[NDArray[np.float32], Floats]:
    """Return strikes as sensors hear them, at a lower rate, and their highest peaks before it.

    Parameters
    ----------
    strikes
        Of each bell, K of the same length.
    rooms
        As `responses` returns them.
    sampling_rate_hz
        Samples per second of the result; a polyphase filter keeps what lies below half of it.

    Returns
    -------
    tuple
        (K, C, L) float32, strikes `LEAD_S` after the first sample; and (K, C).
    """
    from scipy.signal import oaconvolve, resample_poly

    divisor = int(np.gcd(sampling_rate_hz, RATE_HZ))
    up, down = sampling_rate_hz // divisor, RATE_HZ // divisor
    whole = np.array(strikes)[:, None, :]
    templates, peaks = [], []
    for bell, room in zip(whole, rooms, strict=True):
        sound = oaconvolve(bell, room, axes=-1)[:, : bell.shape[-1]]
        peaks.append(np.abs(sound).max(axis=1))
        templates.append(resample_poly(sound, up, down, axis=-1).astype(np.float32))
    return np.array(templates), np.array(peaks)
