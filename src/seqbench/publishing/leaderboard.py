"""The leaderboard of joined results as a folder to give away."""

from pathlib import Path

from seqbench import __version__
from seqbench.reporting.page.assembly import write_figures
from seqbench.reporting.page.merged import TITLE, join
from seqbench.reporting.scores.merging import Merged
from seqbench.storage.atomic import write_text
from seqbench.storage.publication import JoinedLeaderboard, JoinedSource
from seqbench.storage.static_folder import INDEX, MERGED, PAGE, static_folder

LEADERBOARD, RUNS = "leaderboard.csv", "runs.csv"


def write_leaderboard(merged: Merged, out: Path, title: str = TITLE) -> None:
    """Write page, tables and figures of joined results, whole or not at all; see `static_folder`.

    The same results give the same bytes.
    """
    joined = join(merged, title)
    index = JoinedLeaderboard(
        seqbench=__version__,
        title=title,
        page=PAGE,
        leaderboard=LEADERBOARD,
        runs=RUNS,
        results=tuple(
            JoinedSource(
                name=source.name,
                title=source.plan.benchmark.heading,
                n_runs=len(source.results),
                origin=source.origin,
            )
            for source in merged.sources
        ),
    )
    with static_folder(out, MERGED) as folder:
        write_text(folder / PAGE, joined.page)
        write_text(folder / LEADERBOARD, joined.leaderboard)
        write_text(folder / RUNS, joined.runs)
        write_figures(joined.drawings, folder)
        write_text(folder / INDEX, index.model_dump_json(indent=1) + "\n")
