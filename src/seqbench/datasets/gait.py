"""Steps of people who walk, from motion sensors on their feet."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import explained, fault
from seqbench.datasets.download import checksums, unzipped_folder
from seqbench.datasets.events import Event, label_columns
from seqbench.storage.recordings import Recordings, natural_order

URL = "https://www.ipol.im/pub/art/2023/497/GaitData.zip"
CITATION = (
    "Voisard et al. (2023). A reference data set for the study of healthy subject gait with"
    " inertial measurement units. Image Processing On Line 13."
)
RATE_HZ = 100.0
N_SUBJECTS = 19
LEFT_OUT = "11"  # against the motion its events are 0.17 s later than those of the others
AXES = ("Acc_X", "Acc_Y", "Acc_Z", "Gyr_X", "Gyr_Y", "Gyr_Z")
COUNTER, COUNTER_PERIOD = "PacketCounter", 65536
# Side, suffix of the sensor's files, and key of its events.
SIDES = {"left": ("lf", "LeftFootEvents"), "right": ("rf", "RightFootEvents")}
HINT = "restore the file from the archive"


@DATASETS.register("ipol_gait", task="detection", sample="series", imports=("pandas",))
def ipol_gait(
    cache: Path,
    *,
    feet: Literal["left", "right", "both"] = "both",
    events: Literal["steps", "swings"] = "steps",
) -> Recordings:
    """Toe-offs and heel strikes of walks, from six axes on each foot at 100 Hz.

    Parameters
    ----------
    cache
        Holds the folder `ipol-gait`, or receives it.
    feet
        Feet whose acceleration and rotation are the channels (six a foot) and
        whose steps are the events.
    events
        `steps`: toe-offs and heel strikes, two types a foot; `swings`: one type a
        foot, from its toe-off to its heel strike.

    Returns
    -------
    Recordings
        One per trial: standing, 10 m there, a turn, 10 m back, standing. A
        group is a person. Events are known up to the end of the trial: what
        follows is annotated incompletely.

    Raises
    ------
    DataError
        If a file is absent or damaged, or the download fails.

    Notes
    -----
    The annotation of a step is its swing phase, a toe-off and a heel strike,
    in ticks of the sensor's packet counter. Packets that were lost are missing
    rows, filled in here between their neighbours along straight lines, so that
    a sample is a tick. Subject 11 is left out: its events are shifted against
    the motion. Two events of one type are at least 0.47 s apart in subjects 1 to 8.
    """
    folder = unzipped_folder(cache / "ipol-gait", URL)
    sides: list[str] = list(SIDES) if feet == "both" else [feet]
    found = {path.stem: path for path in folder.glob("GaitData/*.json")}
    subject_of = {name: name.split("-")[0] for name in sorted(found, key=natural_order)}
    names = [name for name, subject in subject_of.items() if subject != LEFT_OUT]
    if not names:
        raise fault(folder / "GaitData", "it holds no trials", f"get them from {URL}")
    suffixes = [".json", *(f"_{SIDES[side][0]}.txt" for side in sides)]
    needed = [f"GaitData/{name}{suffix}" for name in names for suffix in suffixes]
    files = checksums(folder, needed, URL)

    signals: list[NDArray[np.float32]] = []
    found_events: list[list[Event]] = []
    known: list[tuple[int, int]] = []
    cut_short: list[str] = []
    for name in names:
        stem = folder / "GaitData" / name
        read = [_ticks(stem.with_name(f"{name}_{SIDES[side][0]}.txt")) for side in sides]
        first = max(int(ticks[0]) for ticks, _ in read)
        last = min(int(ticks[-1]) for ticks, _ in read)
        signals.append(np.hstack([_on_grid(*foot, first, last) for foot in read]))
        trial = _trial(found[name])
        end = trial["TrialBoundaries"][1]
        if end > last:
            cut_short.append(name)
        known.append((0, min(end, last) + 1 - first))
        steps = _steps if events == "steps" else _swings
        found_events.append(steps(found[name], trial, sides, first, min(end, last)))
    subjects = [subject_of[name] for name in names]
    return Recordings(
        task="detection",
        sample="series",
        signals=signals,
        names=names,
        groups=[f"subject{subject}" for subject in subjects],
        splits=[""] * len(names),
        channels=[f"{side}_{axis.lower()}" for side in sides for axis in AXES],
        units=[*["m/s²"] * 3, *["rad/s"] * 3] * len(sides),
        classes=[
            f"{side}_{event}"
            for side in sides
            for event in (("toe_off", "heel_strike") if events == "steps" else ("swing",))
        ],
        **label_columns(found_events),
        sampling_rate_hz=RATE_HZ,
        known=np.array(known, dtype=np.int64),
        refractory_s=0.3,
        tolerance_ms=50.0,
        source={
            "origin": URL,
            "licence": "AGPL-3.0 for the repository of the data; none stated for the data",
            "citation": CITATION,
            "files": files,
            "notes": _notes(set(subjects), len(found) > len(names), cut_short),
        },
    )


def _notes(subjects: set[str], has_left_out: bool, cut_short: list[str]) -> list[str]:
    notes = []
    if has_left_out:
        notes.append(f"Subject {LEFT_OUT} is left out: its events are shifted against the motion.")
    n_possible = N_SUBJECTS - 1
    if len(subjects) < n_possible:
        notes.append(f"The folder holds {len(subjects)} of the {n_possible} subjects.")
    if cut_short:
        notes.append(f"A sensor stops before the end of the walk in {', '.join(cut_short)}.")
    return notes


def _ticks(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the packet counter of each row of a sensor's file, (n,), and its axes, (n, 6)."""
    import pandas as pd

    with explained(path, HINT):
        columns = [COUNTER, *AXES]
        table = pd.read_csv(path, sep="\t", skiprows=1, usecols=columns)[columns]
        values = table.to_numpy(np.float64)
        if not len(values) or not np.isfinite(values).all():
            raise fault(path, "it has no rows, or values that are not finite", HINT)
        # Rows above the first one hold the acquisition frequency and the names.
        ticks = np.unwrap(values[:, 0], period=COUNTER_PERIOD).round().astype(np.int64)
        if (np.diff(ticks) < 0).any():
            row = int(np.argmax(np.diff(ticks) < 0)) + 4
            raise fault(path, "its counter goes back", HINT, row=row, column=COUNTER)
        ticks, kept = np.unique(ticks, return_index=True)  # a repeated packet counts once
    return ticks, values[kept, 1:]


def _on_grid(
    ticks: NDArray[np.int64], axes: NDArray[np.float64], first: int, last: int
) -> NDArray[np.float32]:
    """Return a row for every tick from `first` to `last`, with lost packets filled in."""
    grid = np.arange(first, last + 1)
    filled = [np.interp(grid, ticks, axis) for axis in axes.T]
    return np.stack(filled, axis=1).astype(np.float32)


def _trial(path: Path) -> dict[str, list[Any]]:
    """Return the bounds and events of a trial, in ticks."""
    keys = {"TrialBoundaries": (2,), **{key: (-1, 2) for _, key in SIDES.values()}}
    with explained(path, HINT):
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            key: np.array(content[key], dtype=np.int64).reshape(shape).tolist()
            for key, shape in keys.items()
        }


def _steps(
    path: Path, trial: dict[str, list[Any]], sides: list[str], first: int, last: int
) -> list[Event]:
    """Return the events up to tick `last` of a recording that starts with tick `first`."""
    return [
        Event(2 * i + j, tick - first, tick - first + 1)
        for i, side in enumerate(sides)
        for step in _annotated(path, trial, side, first)
        for j, tick in enumerate(step)
        if tick <= last
    ]


def _swings(
    path: Path, trial: dict[str, list[Any]], sides: list[str], first: int, last: int
) -> list[Event]:
    """Return the swing phases that begin up to tick `last`; one that ends later has no end."""
    return [
        Event(i, toe_off - first, (strike if toe_off < strike <= last else toe_off + 1) - first)
        for i, side in enumerate(sides)
        for toe_off, strike in _annotated(path, trial, side, first)
        if toe_off <= last
    ]


def _annotated(path: Path, trial: dict[str, list[Any]], side: str, first: int) -> list[list[int]]:
    """Return toe-off and heel strike of each step of a foot, in ticks."""
    steps: list[list[int]] = trial[SIDES[side][1]]
    for step in steps:
        for tick in step:
            if tick < first:
                problem = f"it has an event at tick {tick}, but its sensors start at {first}"
                raise fault(path, problem, HINT)
    return steps
