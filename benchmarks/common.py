"""What several benchmarks share: places, pairs of measurements, windows and configs."""

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from seqbench.storage.recordings import Recordings
    from seqbench.storage.windows import Split, WindowSet

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"


class Clock:
    """How much of a time in seconds is left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds until the end, negative after it."""
        return self._end - time.monotonic()


class Ratio(NamedTuple):
    """Of two measurements: the median of its turns, and the quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def paired(first: Callable[[], float], second: Callable[[], float], turns: int) -> Ratio:
    """Return first() / second() over turns; in each they are measured back to back.

    Which of the two goes first alternates, since a machine slows down while it is busy.
    """
    first(), second()
    found = []
    for turn in range(turns):
        if turn % 2:
            below, above = second(), first()
        else:
            above, below = first(), second()
        found.append(above / below)
    low, median, high = statistics.quantiles(found, method="inclusive")
    return Ratio(median, low, high)


def windows_of(recordings: "Recordings") -> "dict[Split, WindowSet]":
    """Return the windows of recordings with the default settings."""
    from seqbench.config.stages import SplitSettings, WindowSettings
    from seqbench.plan.job_settings import WindowJobSettings
    from seqbench.windowing.windows import make_windows

    job = WindowJobSettings(split=SplitSettings(), window=WindowSettings(), normalization="zscore")
    return make_windows(recordings, job)


def workflow(name: str, *options: str) -> tuple[Path, list[str]]:
    """Return a new folder under build/ and the command that runs a benchmark in it."""
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow/Snakefile")]
    return folder, [*command, "--directory", str(folder), "--quiet", "all", *options]
