"""Cut and normalise test of a dataset as models of another one see it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.process.memory import AUTO
from seqbench.steps.arguments import add_memory_limit, import_all, path_parser

if TYPE_CHECKING:
    from seqbench.plan.job_settings import CrossWindowJobSettings

N_COPIES = 4  # of data in memory: recordings, windows, and what is normalised in double precision


def run(
    *,
    dataset: str,
    tested_on: str,
    settings: CrossWindowJobSettings,
    windows: Path,
    recordings: Path,
    cross_windows: Path,
    memory_limit: str = AUTO,
) -> None:
    """Refuse what a model of `dataset` cannot be scored on, and write windows of test alone."""
    from seqbench.process.memory import limit_bytes
    from seqbench.storage.recordings import read_recordings
    from seqbench.storage.windows import read_windows, write_windows
    from seqbench.windowing.comparable import check_comparable
    from seqbench.windowing.rename import renamed
    from seqbench.windowing.windows import windows_of_test

    limit = limit_bytes(memory_limit) / N_COPIES
    given = read_recordings(recordings, memory_limit_bytes=limit)
    learned = read_windows(windows, "train", signal=False)
    check_comparable(renamed(given, settings.own.rename), tested_on, learned, dataset)
    made = windows_of_test(given, settings.own, learned, settings.like)
    write_windows(cross_windows, {"test": made})


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    import_all("seqbench.windowing.windows", "seqbench.windowing.comparable")


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import CrossWindowJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "windows", "recordings", "cross-windows")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--tested-on", required=True, help="the dataset whose test it is")
    parser.add_argument("--settings", type=CrossWindowJobSettings.from_json, required=True)
    add_memory_limit(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.cross_windows)
    run(**vars(arguments))
