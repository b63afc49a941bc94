"""First and last lines of the log of a step: whether it runs, failed or was cut off.

`launch` writes these lines and `seqbench status` reads them. A step that was
killed writes no end, so the first line names the process: as long as that one
lives and holds the log open, the step runs.
"""

import os
import re
import resource
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqbench.errors import one_line

HEAD_BYTES, TAIL_BYTES = 4096, 16384
TRACEBACK = "Traceback (most recent call last):"
RESUMED = "training goes on after step"

_BEGUN = re.compile(r"begun (\S+) by process (\d{1,9}) on (.+)")
_DONE = re.compile(r"done after (\d{1,9}(?:\.\d+)?) s, (\d{1,9}(?:\.\d+)?) s of processor time")
_ERROR = re.compile(r"(?:(?:python -m seqbench\.steps )?\S+: )?error: (.+)")
_STOPPED = re.compile(r".*(stopped by SIG[A-Z0-9]+|the fork server ended before).*")


@contextmanager
def logged_run() -> Iterator[None]:
    """Write which process runs a step and since when, and at the end how long it took.

    Only where standard error is a file, as in a workflow.
    """
    began, began_cpu = time.perf_counter(), _cpu_s()
    when = datetime.now(UTC).isoformat(timespec="seconds")
    _write(f"begun {when} by process {os.getpid()} on {os.uname().nodename}")
    yield
    wall_s, cpu_s = time.perf_counter() - began, _cpu_s() - began_cpu
    _write(f"done after {wall_s:.2f} s, {cpu_s:.2f} s of processor time")


@dataclass(frozen=True, kw_only=True)
class StepLog:
    """State of a step, as its log has it.

    Attributes
    ----------
    begun, process, machine
        When it began, and the process that runs it; None: not in the log.
    wall_s, cpu_s
        Times of a finished step since it was last started; None: it is not finished.
    error
        Why it failed, in a sentence; None: it did not.
    stopped
        Which signal or event stopped it; None: none did.
    was_resumed
        Whether a training went on from a state, so that its times are not all of it.
    last_line
        Of the whole log.
    """

    begun: datetime | None = None
    process: int | None = None
    machine: str | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    error: str | None = None
    stopped: str | None = None
    was_resumed: bool = False
    last_line: str = ""


def read_log(path: Path) -> StepLog | None:
    """Read the first and last few kilobytes of a log; None where there is none."""
    if not path.is_file():  # a pipe would be waited for
        return None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            tail = file.read()
    except OSError:
        return None
    lines = _lines(tail)
    return StepLog(
        **_beginning(_lines(head)) | _ending(lines),
        was_resumed=RESUMED.encode() in head or RESUMED.encode() in tail,
        last_line=one_line(lines[-1]) if lines else "",
    )


def is_alive(path: Path, log: StepLog) -> bool | None:
    """Return whether the process that writes a log lives; None: it is on another machine.

    A number may have passed on to another process, which then has another log.
    """
    if log.process is None:
        return False
    if log.machine != os.uname().nodename:
        return None
    try:
        os.kill(log.process, 0)  # sends nothing
        return os.path.samestat(Path(f"/proc/{log.process}/fd/2").stat(), path.stat())
    except PermissionError:  # another user's
        return True
    except ProcessLookupError:
        return False
    except OSError:  # it has ended meanwhile, or this is no Linux: then it lives
        return not Path("/proc/self").exists()


def _write(line: str) -> None:
    try:
        is_file = stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)
    except (OSError, ValueError):
        return
    if is_file:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 (the step's log)


def _cpu_s() -> float:
    """Return the processor seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _lines(content: bytes) -> list[str]:
    """Return the lines of a log that hold anything, as they stand: few of them are looked at."""
    return [line for line in content.decode("utf-8", errors="replace").splitlines() if line.strip()]


def _beginning(lines: list[str]) -> dict[str, Any]:
    """Return which process runs a step and since when, from the first line that has it."""
    found = next(filter(None, map(_BEGUN.fullmatch, map(one_line, lines))), None)
    if found is None:
        return {}
    try:
        begun = datetime.fromisoformat(found[1])
    except ValueError:
        return {}
    if begun.tzinfo is None:
        return {}
    return {"begun": begun, "process": int(found[2]), "machine": found[3]}


def _ending(lines: list[str]) -> dict[str, Any]:
    """Return how a step ended, from the last line on it; noise of libraries may follow."""
    for line in map(one_line, reversed(lines)):
        if found := _DONE.fullmatch(line):
            return {"wall_s": float(found[1]), "cpu_s": float(found[2])}
        if found := _STOPPED.fullmatch(line):
            return {"stopped": found[1]}
        if found := _ERROR.fullmatch(line):
            return {"error": found[1]}
        if line == TRACEBACK:
            last = one_line(lines[-1])
            if last == "KeyboardInterrupt":
                return {"stopped": "interrupted from the keyboard"}
            return {"error": last}
    return {}
