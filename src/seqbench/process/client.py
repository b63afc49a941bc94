"""The client of the fork server: requests a step and waits for its end.

A workflow starts a process with this module for every job, so it imports little.
"""

import contextlib
import json
import os
import signal
import socket
import sys

ADDRESS = "SEQBENCH_FORK_SERVER"
FATAL = 128  # exit codes above name the signal that ended a process, as in shells
TO_END = (signal.SIGTERM, signal.SIGUSR1)  # the second is what clusters warn with
LESS = "run fewer jobs at once, or give this one less data"


def run_forked(module: str, arguments: list[str]) -> int | None:
    """Run a step in a fork of the fork server and return its exit code; None: there is no server.

    The log gets the signal that ended a step.
    """
    connection = connect()
    if connection is None:
        return None
    request: dict[str, object] = {
        "module": module,
        "arguments": arguments,
        "folder": os.getcwd(),  # noqa: PTH109 (kept as text)
        "environment": dict(os.environ),
    }
    with connection:
        send(connection, request, [0, 1, 2])
        _pass_on_signals(connection)
        reply = connection.makefile("rb").readline()
    if not reply:
        _log("the fork server ended before this step did; run the workflow again")
        return 1
    code = int(reply)
    if code - FATAL in signal.valid_signals():
        _report_death(signal.Signals(code - FATAL))
    return code


def connect() -> socket.socket | None:
    """Return a connection to the fork server of this very interpreter and allocation, if any."""
    try:
        path, prefix, job = json.loads(os.environ[ADDRESS])
    except (KeyError, ValueError):
        return None
    if (prefix, job) != (sys.prefix, allocation()):
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection


def _pass_on_signals(connection: socket.socket) -> None:
    """Pass signals on to the step, which may have something to save."""

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            connection.send(bytes([number]))

    for number in TO_END:
        signal.signal(number, pass_on)


def allocation() -> str:
    """Return the cluster job this process belongs to: a fork elsewhere would escape its limits."""
    return os.environ.get("SLURM_JOB_ID", "")


def send(connection: socket.socket, request: dict[str, object], descriptors: list[int]) -> None:
    """Request a step with these open files as its standard streams."""
    payload = json.dumps(request).encode()
    header = len(payload).to_bytes(8, "big")
    socket.send_fds(connection, [header], descriptors)
    connection.sendall(payload)


def _report_death(by: signal.Signals) -> None:
    if by in TO_END:
        _log(f"stopped by {by.name}; run this again")
    elif by is signal.SIGKILL:
        _log(f"error: killed, as the system does where memory is used up; if so, {LESS}")
    else:
        _log(f"error: ended by {by.name}, which no input should cause; run this again")


def _log(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 (the step's log)
