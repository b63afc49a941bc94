"""Show what is done, running, failed and waiting, and how long the rest takes."""

import json
import shlex
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from seqbench import layout
from seqbench.cli.arguments import positive
from seqbench.cli.exit_codes import FAILED, UNFINISHED
from seqbench.cli.plans import add_plan_arguments, read_plan
from seqbench.cli.status.job_status import job_statuses
from seqbench.cli.status.remaining import remaining
from seqbench.cli.status.text import as_json as json_of
from seqbench.cli.status.text import as_text
from seqbench.plan.workflow_jobs import jobs_of
from seqbench.reporting.read.promotions import read_promotions

EXAMPLES = {
    "seqbench status": "in the folder that holds results/",
    "seqbench status --watch 30": "again every 30 s, until nothing is left to do",
    "seqbench status --directory bells --json": "of another folder, for scripts",
}
EXIT_CODES = {0: "all is done", FAILED: "a job failed", UNFINISHED: "the rest has yet to be done"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the plan, and how it is shown."""
    add_plan_arguments(parser)
    parser.add_argument(
        "--watch",
        type=positive,
        metavar="SECONDS",
        help="show it again and again until nothing is left to do",
    )
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="print one JSON object, for scripts"
    )
    parser.add_argument(
        "--jobs", type=positive, dest="at_once", metavar="N",
        help="jobs at a time, for the estimate; without it, as many as there were",
    )  # fmt: skip


def run(
    config: list[Path] | None,
    directory: Path,
    watch: float | None,
    as_json: bool,
    at_once: float | None,
) -> None:
    """Print the status of all jobs, once or until nothing is left to do; reads files alone."""
    plan = read_plan(config, directory)
    touch = _touch_command(config, directory)
    while True:
        jobs = jobs_of(plan, read_promotions(plan, directory))
        statuses = job_statuses(jobs, directory)
        rest = remaining(statuses, at_once)
        text = (
            json.dumps(json_of(statuses, rest))
            if as_json
            else as_text(statuses, rest, directory, touch)
        )
        states = {status.state for status in statuses}
        is_last = watch is None or rest.n_counted + rest.n_unknown == 0
        clear = "\x1b[H\x1b[2J" if watch is not None and sys.stdout.isatty() else ""
        print(f"{clear}{text}", flush=True)
        if is_last:
            break
        time.sleep(watch or 0)
    if states != {"done"}:
        sys.exit(FAILED if "failed" in states else UNFINISHED)


def _touch_command(config: list[Path] | None, directory: Path) -> str:
    """Return the command that marks all results of a folder as up to date."""
    saved = directory / layout.CONFIG
    folder = [] if directory == Path() else ["--directory", str(directory)]
    return shlex.join(["seqbench", "run", *map(str, config or [saved]), "--touch", *folder])
