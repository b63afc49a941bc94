"""The status of a plan, as text for people and as JSON values for scripts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqbench.cli.status.job_status import STATES, JobStatus, State
from seqbench.cli.status.remaining import Remaining
from seqbench.datasets.base import counted
from seqbench.errors import one_line
from seqbench.plan.workflow_jobs import STEPS
from seqbench.reporting.scores.formats import decimal, seconds

MOST_SHOWN = 10
SILENCE_S = 300.0  # a job on another machine that writes nothing for longer is shown as silent
NAMED: tuple[State, ...] = ("running", "failed", "stopped")


def as_text(found: Sequence[JobStatus], rest: Remaining, root: Path, touch: str) -> str:
    """Return tables by step and dataset, what runs, failed or stopped, and the time to come.

    `touch` is the command that marks results as up to date.
    """
    parts = [
        _table("step", _by_step(found) | {"all": Counter(one.state for one in found)}),
        _table("dataset", _counts((one.job.dataset, one.state) for one in found)),
        *("\n".join(_listed(state, found, root)) for state in NAMED),
        "\n".join(_outdated(found, touch)),
        "\n".join(_rest(found, rest)),
    ]
    return "\n\n".join(part for part in parts if part)


def as_json(found: Sequence[JobStatus], rest: Remaining) -> dict[str, Any]:
    """Return the same as JSON values; jobs that run, failed or stopped are all named."""
    by_dataset = _counts((one.job.dataset, one.state) for one in found)
    return {
        "all": _numbers(Counter(one.state for one in found)),
        "steps": {name: _numbers(count) for name, count in _by_step(found).items()},
        "datasets": {name: _numbers(count) for name, count in by_dataset.items()},
        **{state: [_as_json(one) for one in found if one.state == state] for state in NAMED},
        "outdated": sum(one.is_outdated for one in found),
        "remaining": asdict(rest),
    }


def _by_step(found: Iterable[JobStatus]) -> dict[str, Counter[State]]:
    """Return the number of jobs of each step by state, in the order of the steps."""
    in_order = sorted(found, key=lambda one: STEPS.index(one.job.step))
    return _counts((one.job.step, one.state) for one in in_order)


def _counts(states: Iterable[tuple[str | None, State]]) -> dict[str, Counter[State]]:
    """Count states by the name in front of them; what has none is left out."""
    counts: dict[str, Counter[State]] = {}
    for name, state in states:
        if name is not None:
            counts.setdefault(name, Counter())[state] += 1
    return counts


def _numbers(count: Mapping[State, int]) -> dict[str, int]:
    return {state: count.get(state, 0) for state in STATES}


def _as_json(one: JobStatus) -> dict[str, Any]:
    begun = one.log.begun if one.log else None
    return {
        "step": one.job.step,
        "job": one.job.name,
        "log": one.job.log,
        "sentence": one.sentence,
        "begun": begun.isoformat() if begun else None,
        "process": one.log.process if one.log else None,
        "machine": one.log.machine if one.log else None,
        "silent_s": one.silent_s,
        "epoch": one.progress.epoch if one.progress else None,
        "steps_of_epoch": one.progress.n_steps if one.progress else None,
        "epochs": one.job.epochs,
    }


def _table(of: str, rows: Mapping[str, Mapping[State, int]]) -> str:
    width = max(map(len, (of, *rows)))
    lines = [f"{of:<{width}}" + "".join(f"{head:>9}" for head in (*STATES, "jobs"))]
    for name, count in rows.items():
        numbers = [count.get(state, 0) or "-" for state in STATES]
        cells = "".join(f"{number:>9}" for number in (*numbers, sum(count.values())))
        lines.append(f"{name:<{width}}{cells}")
    return "\n".join(lines)


def _listed(state: State, found: Sequence[JobStatus], root: Path) -> Iterator[str]:
    own = [one for one in found if one.state == state]
    if own:
        yield state
    for one in own[:MOST_SHOWN]:
        yield f"  {one.job.step} {one.job.name}{_details(one)}"
        if one.sentence:
            yield f"    {one_line(one.sentence)}"
        if state == "failed":
            yield f"    {root / one.job.log}"
    if len(own) > MOST_SHOWN:
        yield f"  and {len(own) - MOST_SHOWN} more; --json names all"


def _outdated(found: Iterable[JobStatus], touch: str) -> Iterator[str]:
    """Yield why jobs wait whose files are there, and what to do where these are copies."""
    if n := sum(one.is_outdated for one in found):
        yield f"waiting, as files are older than what they were made from: {counted(n, 'job')}"
        yield "  The next run makes them anew. If they are copies that lost their times, this marks"
        yield "  all that is there as up to date, whatever settings and code it was made with:"
        yield f"    {touch}"


def _details(one: JobStatus) -> str:
    details = []
    if one.state == "running" and one.log is not None and one.log.begun is not None:
        details.append(f"for {seconds((datetime.now(UTC) - one.log.begun).total_seconds())}")
    if one.progress is not None:
        position = f"step {one.progress.n_steps} of epoch {one.progress.epoch}"
        at_most = f" of at most {one.job.epochs}" if one.job.epochs else ""
        details.append(f"{position}{at_most} when it last wrote its state")
    if one.silent_s is not None and one.log is not None and one.log.machine is not None:
        details.append(f"on {one_line(one.log.machine)}")
        if one.silent_s > SILENCE_S:
            details.append(f"which has written nothing for {seconds(one.silent_s)}")
    return f": {', '.join(details)}" if details else ""


def _rest(found: Sequence[JobStatus], rest: Remaining) -> Iterator[str]:
    """Yield sentences on the time to come and what it is based on."""
    if all(one.state == "done" for one in found):
        yield "everything is done"
        return
    if rest.job_s is None or rest.cpu_s is None:
        yield "remaining: no estimate, as nothing like the jobs to come has finished"
    else:
        extent = "at least" if rest.n_unknown else "about"
        yield f"remaining: {extent} {seconds(rest.cpu_s)} of processor time{_wall(rest)}"
        alike = counted(rest.n_finished, "finished job")
        yield f"  of {counted(rest.n_counted, 'job')}, judged by {alike} like them"
        if rest.n_unknown:
            unknown = counted(rest.n_unknown, "job")
            yield f"  not counted: {unknown}, as nothing like them has finished"
    if rest.n_blocked:
        yield f"  not counted: {counted(rest.n_blocked, 'job')} that failed or need one that did"


def _wall(rest: Remaining) -> str:
    if rest.wall_s is None or rest.at_once is None:
        return ""
    at_once = decimal(rest.at_once)
    jobs = "job" if at_once == "1" else "jobs"
    return f", {seconds(rest.wall_s)} with {at_once} {jobs} at a time"
