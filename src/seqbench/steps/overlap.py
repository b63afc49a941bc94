"""Look for val and test of a dataset in train of another one, on which models are pretrained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.process.memory import AUTO
from seqbench.steps.arguments import add_memory_limit, import_all, path_parser

if TYPE_CHECKING:
    from seqbench.plan.job_settings import OverlapJobSettings

N_COPIES = 4  # of data in memory: recordings and windows of two datasets


def run(
    *,
    dataset: str,
    source: str,
    settings: OverlapJobSettings,
    windows: Path,
    source_windows: Path,
    recordings: Path,
    source_recordings: Path,
    overlap: Path,
    memory_limit: str = AUTO,
) -> None:
    """Refuse datasets that do not fit each other, and write what they share."""
    from seqbench.process.memory import limit_bytes
    from seqbench.storage.overlaps import write_overlap
    from seqbench.storage.recordings import read_recordings
    from seqbench.storage.windows import read_windows
    from seqbench.windowing.compatible import check_compatible
    from seqbench.windowing.leakcheck import UNSEEN
    from seqbench.windowing.overlap import find_overlap

    limit = limit_bytes(memory_limit) / N_COPIES
    unseen = {split: read_windows(windows, split, memory_limit_bytes=limit) for split in UNSEEN}
    learned = read_windows(source_windows, "train", signal=False)
    check_compatible(unseen["test"], dataset, learned, source)
    own, other = (
        read_recordings(path, memory_limit_bytes=limit) for path in (recordings, source_recordings)
    )
    jobs, names = (settings.own, settings.source), (dataset, source)
    write_overlap(overlap, find_overlap(unseen, own, other, jobs, names))


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    import_all("seqbench.windowing.overlap")


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import OverlapJobSettings
    from seqbench.storage.atomic import remove_leftovers

    names = ("windows", "source-windows", "recordings", "source-recordings", "overlap")
    parser = path_parser(__name__, *names)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--source", required=True, help="the other dataset")
    parser.add_argument("--settings", type=OverlapJobSettings.from_json, required=True)
    add_memory_limit(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.overlap)
    run(**vars(arguments))
