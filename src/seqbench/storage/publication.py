"""`index.json` of folders that are given away: what is in them, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from seqbench.errors import FormatError
from seqbench.storage.kinds import read_text
from seqbench.storage.records import Count, Name, Record, RunIdentity
from seqbench.storage.static_folder import INDEX
from seqbench.storage.windows import LeakCheck, Split

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Digests = dict[Name, dict[Split, Digest]]


class PublishedScore(Record):
    """A model on test: mean of the headline over its runs, its 95 % interval, and mean costs."""

    architecture: Name
    arm: Name
    n_runs: Count
    mean: float | None
    low: float | None
    high: float | None
    train_s: float | None
    predict_s: float | None


class PublishedDataset(Record):
    """A dataset, with the model selected on val and the best baseline; None where there is none.

    `licence` and `citation` are of the data, `metric` ranks its models.
    """

    dataset: Name
    task: Name
    metric: Name
    licence: str
    citation: str
    selected: PublishedScore | None
    best_baseline: PublishedScore | None


class PublishedModel(Record):
    """A model file, and the file that says what is known of it."""

    file: Name
    card: Name
    sha256: Digest
    run: RunIdentity


class Publication(Record):
    """What `seqbench publish` wrote.

    Attributes
    ----------
    seqbench
        The version that wrote it; runs have their own.
    page, summary, config
        Files.
    windows
        Digests by dataset, or fold of one, and split.
    leakchecks
        What the splits of a dataset, or fold of one, share; of those where it was looked for.
    origin
        Versions and machines behind the runs.
    """

    made_by: Literal["seqbench publish"] = "seqbench publish"
    seqbench: Name
    title: str
    n_runs: Count
    n_runs_unfinished: Count
    page: Name
    summary: Name
    config: Name
    windows: Digests
    leakchecks: dict[Name, LeakCheck]
    datasets: tuple[PublishedDataset, ...]
    models: tuple[PublishedModel, ...]
    origin: dict[str, str]


class JoinedSource(Record):
    """Results that were joined with others."""

    name: str
    title: str
    n_runs: Count
    origin: dict[str, str]


class JoinedLeaderboard(Record):
    """What `seqbench merge` wrote: its files, and of what."""

    made_by: Literal["seqbench merge"] = "seqbench merge"
    seqbench: Name
    title: str
    page: Name
    leaderboard: Name
    runs: Name
    results: tuple[JoinedSource, ...]


def read_publication(folder: Path) -> Publication:
    """Read the index of what was published.

    Raises
    ------
    FormatError
        If it is missing, damaged or of another version.
    """
    path = folder / INDEX
    try:
        return Publication.parse(read_text(path, "index"))
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"{path}: not the index of this version ({error})") from None
