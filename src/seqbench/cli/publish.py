"""Write results as a folder for a web server or an archive: page, numbers, models, checksums.

The folder needs nothing else. It holds the report as index.html; tables and figures; the models
selected on val and the best baselines with their cards, or those of all runs; the configuration and
the versions of packages; index.json for programs; and SHA256SUMS, which `sha256sum -c` checks. The
same results give the same bytes.

Recordings, windows, predictions and logs stay at home. Paths of this machine are published by
their last part alone, and a file that names one in any other place is refused.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seqbench.cli.arguments import refuse_missing
from seqbench.cli.plans import read_plan, results_root
from seqbench.errors import UserError

if TYPE_CHECKING:
    from seqbench.plan.plan import Plan

EXAMPLES = {
    "seqbench publish results doors_published": "once all jobs are done",
    "seqbench publish bells out --models all": "with the model of every run",
    "seqbench publish bells out --unfinished": "what has finished so far",
}
MOST_NAMED = 3  # jobs of the sentence that refuses; `seqbench status` has them all


def add_arguments(parser: ArgumentParser) -> None:
    """Add the results, the folder to write, and what goes into it."""
    parser.add_argument(
        "results",
        type=Path,
        metavar="RESULTS",
        help="the folder results/, or the one that holds it",
    )
    parser.add_argument(
        "out", type=Path, metavar="OUT",
        help="folder to write; one that this command made before is replaced, any other refused",
    )  # fmt: skip
    parser.add_argument(
        "--models", choices=("best", "all"), default="best",
        help="best (the default): those in results/best; all: those of every run as well",
    )  # fmt: skip
    parser.add_argument(
        "--unfinished", action="store_true",
        help="leave out runs that have not finished; no model is selected then, and those of all"
        " runs that have are published",
    )  # fmt: skip


def run(results: Path, out: Path, models: Literal["best", "all"], unfinished: bool) -> None:
    """Write the folder, and print what it holds."""
    refuse_missing(results, "name the folder results/, or the one that holds it")
    from seqbench.datasets.base import counted
    from seqbench.publishing.publication import publish
    from seqbench.reporting.read.finished import finished_part
    from seqbench.storage.static_folder import PAGE, PUBLISHED, is_made_by, refuse_others

    root = results_root(results)
    if is_made_by(root, PUBLISHED):
        raise UserError(f"{results}: is published already, without what a report is made from")
    refuse_others(out, PUBLISHED)  # before the time that the page takes
    plan = read_plan(None, root)
    if unfinished:
        plan = finished_part(plan, root)
    else:
        _refuse_unfinished(plan, root)
    made = publish(plan, root, out, models)
    of_models = counted(made.n_models, "model file")
    print(f"{out}: {counted(made.n_runs, 'run')}, {of_models}, {made.n_bytes / 1e6:.3g} MB")
    print(f"page: {out / PAGE}")


def _refuse_unfinished(plan: "Plan", root: Path) -> None:
    """Refuse results of which a job is yet to be done, or to be done anew."""
    from seqbench.cli.status.job_status import job_statuses
    from seqbench.datasets.base import counted
    from seqbench.plan.workflow_jobs import jobs_of
    from seqbench.reporting.read.promotions import read_promotions

    found = job_statuses(jobs_of(plan, read_promotions(plan, root)), root)
    missing = [
        f"{one.job.step} {one.job.name} ({one.state})" for one in found if one.state != "done"
    ]
    if missing:
        more = len(missing) - MOST_NAMED
        named = ", ".join(missing[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        raise UserError(
            f"{root}: {len(missing)} of {counted(len(found), 'job')} not done: {named}; `seqbench"
            " status` shows them all, --unfinished publishes the runs that have finished"
        )
