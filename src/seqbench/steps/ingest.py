"""Read a source, check it, and write it as recordings.h5."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.steps.arguments import import_all, path_parser, settings_of

if TYPE_CHECKING:
    from seqbench.plan.job_settings import IngestJobSettings


def run(settings: IngestJobSettings, recordings: Path) -> None:
    """Read the source and write the recordings."""
    from seqbench.config.registry import DATASETS
    from seqbench.datasets.base import cache_folder
    from seqbench.storage.recordings import write_recordings

    source = DATASETS[settings.source]
    options = DATASETS.entry(settings.source).options.model_validate(settings.options)
    write_recordings(recordings, source(cache_folder(), **dict(options)))


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import DATASETS

    settings = settings_of(arguments)
    import_all(*DATASETS.entry(settings["source"]).tags.get("imports", ()))


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import IngestJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "recordings")
    parser.add_argument("--settings", type=IngestJobSettings.from_json, required=True)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.recordings)
    run(**vars(arguments))
