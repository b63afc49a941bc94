"""Single long series to be forecast.

airline: 144 months of international passengers, in thousands, 1949 to 1960
(Box and Jenkins 1970, series G), part of aeon. daily_min_temperatures: 3,650
days in Melbourne, 1981 to 1990, in degrees Celsius; no licence stated; 29
February is missing from leap years. etth1: 17,420 hours of an electricity
transformer, seven channels; CC BY-ND 4.0.
"""

import csv
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Count
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import explained, fault
from seqbench.datasets.download import checksums, listed_folder
from seqbench.storage.recordings import Recordings

TEMPERATURES = "https://raw.githubusercontent.com/jbrownlee/Datasets/master"
TEMPERATURES_FILE = "daily-min-temperatures.csv"
TEMPERATURES_SUMS = {
    TEMPERATURES_FILE: "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da"
}
ETT = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small"
ETT_FILE = "ETTh1.csv"
ETT_SUMS = {ETT_FILE: "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"}
HINT = "restore the file, or move it away to have it downloaded"


@DATASETS.register("airline", task="forecasting", sample="series", imports=("aeon.datasets",))
def airline(cache: Path) -> Recordings:
    """Airline passengers of 144 months, in thousands: a trend, and a year that grows with it.

    Parameters
    ----------
    cache
        Not needed: the series is part of aeon.
    """
    from aeon.datasets import load_airline

    del cache
    return Recordings.without_classes(
        [np.asarray(load_airline(), dtype=np.float32)[:, None]],
        task="forecasting",
        names=["airline"],
        channels=["passengers"],
        units=["thousand"],
        source={
            "origin": "aeon.datasets.load_airline",
            "version": f"aeon {version('aeon')}",
            "licence": "not stated",
            "citation": "Box, Jenkins (1970). Time series analysis: forecasting and control.",
        },
    )


@DATASETS.register("daily_min_temperatures", task="forecasting", sample="series")
def daily_min_temperatures(cache: Path) -> Recordings:
    """Lowest temperature of 3,650 days in Melbourne, in degrees Celsius.

    Parameters
    ----------
    cache
        Holds the folder `forecasting/jbrownlee`, or receives it.

    Raises
    ------
    DataError
        If the file is absent or damaged, or its download fails.
    """
    folder = listed_folder(cache / "forecasting/jbrownlee", {TEMPERATURES: TEMPERATURES_SUMS})
    files = checksums(folder, TEMPERATURES_SUMS, TEMPERATURES)
    _, values = _columns(folder / TEMPERATURES_FILE)
    return Recordings.without_classes(
        [values],
        task="forecasting",
        names=["melbourne"],
        channels=["temperature"],
        units=["°C"],
        source={
            "origin": f"{TEMPERATURES}/{TEMPERATURES_FILE}",
            "licence": "not stated",
            "files": files,
        },
    )


@DATASETS.register("etth1", task="forecasting", sample="series")
def etth1(cache: Path, *, n_hours: Count = 14400) -> Recordings:
    """Loads and oil temperature of an electricity transformer, hourly, seven channels.

    Parameters
    ----------
    cache
        Holds the folder `forecasting/ETT-small`, or receives it.
    n_hours
        Hours from the beginning that are used; published studies take 14,400,
        of which the first 60 % are train, and 20 % each val and test.

    Raises
    ------
    DataError
        If the file is absent or damaged, or its download fails.

    References
    ----------
    Zhou et al. (2021). Informer: beyond efficient transformer for long sequence
    time-series forecasting. AAAI. arXiv:2012.07436
    """
    folder = listed_folder(cache / "forecasting/ETT-small", {ETT: ETT_SUMS})
    files = checksums(folder, ETT_SUMS, ETT)
    channels, values = _columns(folder / ETT_FILE)
    return Recordings.without_classes(
        [values[:n_hours]],
        task="forecasting",
        names=["etth1"],
        channels=channels,
        units=[""] * (len(channels) - 1) + ["°C"],
        sampling_rate_hz=1 / 3600,
        source={
            "origin": f"{ETT}/{ETT_FILE}",
            "licence": "CC BY-ND 4.0",
            "citation": "Zhou et al. (2021). Informer. AAAI. arXiv:2012.07436",
            "files": files,
        },
    )


def _columns(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the names and values, (n_samples, C), of all columns behind that of the date."""
    with explained(path, HINT), path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        values = []
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise fault(path, f"{len(row)} cells under {len(header)} columns", HINT, row=number)
            values.append([float(cell) for cell in row[1:]])
    return header[1:], np.array(values, dtype=np.float32)
