"""Split recordings, cut them into windows, normalise with train's statistics, look for leaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.process.memory import AUTO
from seqbench.steps.arguments import add_memory_limit, import_all, path_parser

if TYPE_CHECKING:
    from seqbench.plan.job_settings import WindowJobSettings

N_COPIES = 4  # of data in memory: recordings, windows, and what is normalised in double precision


def run(
    recordings: Path, settings: WindowJobSettings, windows: Path, memory_limit: str = AUTO
) -> None:
    """Read the recordings and write the windows."""
    from seqbench.process.memory import limit_bytes
    from seqbench.storage.recordings import read_recordings
    from seqbench.storage.windows import write_windows
    from seqbench.windowing.leakcheck import find_leaks
    from seqbench.windowing.windows import make_windows

    limit = limit_bytes(memory_limit) / N_COPIES
    given = read_recordings(recordings, memory_limit_bytes=limit)
    made = make_windows(given, settings)
    write_windows(windows, made, find_leaks(given, made, settings))


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    import_all("seqbench.windowing.windows", "seqbench.windowing.leakcheck")


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import WindowJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "recordings", "windows")
    parser.add_argument("--settings", type=WindowJobSettings.from_json, required=True)
    add_memory_limit(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.windows)
    run(**vars(arguments))
