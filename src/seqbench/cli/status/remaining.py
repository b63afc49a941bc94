"""How long the rest of a plan takes, from what its finished jobs took."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean

from seqbench.cli.status.job_status import Duration, JobStatus
from seqbench.plan.workflow_jobs import Job

SHARED = 3  # step, dataset and architecture: what jobs must at least have in common to be alike


@dataclass(frozen=True, kw_only=True)
class Remaining:
    """An estimate.

    Parameters
    ----------
    n_counted
        Jobs that it is of.
    n_unknown
        Jobs to come of which nothing like them has finished; not in the sums.
    n_blocked
        Jobs that failed, or wait for one that did; not in the sums.
    n_finished
        Jobs whose times it is based on.
    job_s, cpu_s
        Seconds that the jobs take one after another, and processor seconds;
        None: nothing is known.
    at_once
        Jobs at work at a time: given, or the mean over the times at which any was.
    wall_s
        Seconds until all counted jobs are done, with so many at a time.
    """

    n_counted: int
    n_unknown: int
    n_blocked: int
    n_finished: int
    job_s: float | None
    cpu_s: float | None
    at_once: float | None
    wall_s: float | None


def remaining(
    found: Sequence[JobStatus], at_once: float | None = None, now: datetime | None = None
) -> Remaining:
    """Return how long the jobs that are not done take.

    Each takes the mean of finished jobs like it: same step, dataset, architecture,
    arm and fraction of labels; without such, same step, dataset and architecture.
    What it has done already is taken off.

    Parameters
    ----------
    found
        As `job_statuses` returns them.
    at_once
        Jobs at a time; None: as many as there were.
    now
        The time; None: as the clock has it.
    """
    durations = _by_likeness(found)
    to_come = [
        one
        for one in found
        if one.state in ("running", "stopped", "waiting") and not one.waits_for_failed
    ]
    like = {one.job: _like(one.job, durations) for one in to_come}
    counted = [one for one in to_come if like[one.job]]
    now = now or datetime.now(UTC)
    left = [_left(one, list(like[one.job].values()), now) for one in counted]
    at_once = at_once or _at_once(found, now)
    job_s = sum(one.wall_s for one in left)
    return Remaining(
        n_counted=len(counted),
        n_unknown=len(to_come) - len(counted),
        n_blocked=sum(one.state == "failed" or one.waits_for_failed for one in found),
        n_finished=len({job for one in counted for job in like[one.job]}),
        job_s=job_s if left else None,
        cpu_s=sum(one.cpu_s for one in left) if left else None,
        at_once=at_once,
        wall_s=max(job_s / at_once, *(one.wall_s for one in left)) if left and at_once else None,
    )


def _by_likeness(found: Iterable[JobStatus]) -> dict[tuple[str, ...], dict[Job, Duration]]:
    """Return durations of finished jobs, by their likeness and by its first `SHARED` entries."""
    durations: dict[tuple[str, ...], dict[Job, Duration]] = defaultdict(dict)
    for one in found:
        if one.duration is not None:
            for likeness in {one.job.likeness, one.job.likeness[:SHARED]}:
                durations[likeness][one.job] = one.duration
    return durations


def _like(job: Job, durations: dict[tuple[str, ...], dict[Job, Duration]]) -> dict[Job, Duration]:
    return durations.get(job.likeness) or durations.get(job.likeness[:SHARED]) or {}


def _left(one: JobStatus, like: Sequence[Duration], now: datetime) -> Duration:
    wall_s, cpu_s = fmean(one.wall_s for one in like), fmean(one.cpu_s for one in like)
    spent_s = one.progress.train_s if one.progress is not None else 0.0
    if one.state == "running" and one.log is not None and one.log.begun is not None:
        spent_s = max(spent_s, (now - one.log.begun).total_seconds())
    share = max(0.0, 1 - spent_s / wall_s) if wall_s > 0 else 0.0
    return Duration(share * wall_s, share * cpu_s)


def _at_once(found: Iterable[JobStatus], now: datetime) -> float | None:
    """Return how many jobs were at work at a time, mean over the times when any was."""
    spans = sorted(span for one in found if (span := _span(one, now)) is not None)
    covered_s, until = 0.0, float("-inf")
    for start, stop in spans:
        covered_s += max(0.0, stop - max(start, until))
        until = max(until, stop)
    return sum(stop - start for start, stop in spans) / covered_s if covered_s else None


def _span(one: JobStatus, now: datetime) -> tuple[float, float] | None:
    """Return from when to when a job that is done or runs was at work; None: nobody knows."""
    if one.log is None or one.log.begun is None:
        return None
    start = one.log.begun.timestamp()
    if one.log.wall_s is not None:
        return start, start + one.log.wall_s
    return (start, max(start, now.timestamp())) if one.state == "running" else None
