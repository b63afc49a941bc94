"""How the process of a step starts: forked from the fork server if there is one, else by itself.

This module is all that a step needs before it is forked, and imports little.
"""

import contextlib
import errno
import importlib
import json
import os
import signal
import socket
import sys

from seqbench.errors import DamagedError, UserError, one_line, printable
from seqbench.process.step_log import logged_run

ADDRESS = "SEQBENCH_FORK_SERVER"
LESS = "run fewer jobs at once, or give this one less data"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
FATAL = 128  # exit codes above name the signal that ended a process, as in shells
TO_END = (signal.SIGTERM, signal.SIGUSR1)  # the second is what clusters warn with


def launch(module: str) -> None:
    """Run a step with the arguments of this process, in a fork of the fork server if there is one.

    Never returns: this process exits as the step does.
    """
    arguments = sys.argv[1:]
    connection = connect()
    if connection is not None:
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
        if reply:
            code = int(reply)
            if code - FATAL in signal.valid_signals():
                _report_death(signal.Signals(code - FATAL))
            sys.exit(code)
        sys.exit("the fork server ended before this step did; run the workflow again")
    sys.exit(execute(module, arguments))


def execute(module: str, arguments: list[str]) -> int:
    """Run a step in this process and return its exit code; what a user can fix is one line."""
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    try:
        with logged_run():
            importlib.import_module(module).main(arguments)
    except DamagedError as error:
        return _refuse(f"{error}; delete it, and the next run makes it again")
    except UserError as error:
        return _refuse(str(error))
    except MemoryError as error:
        return _refuse(f"memory is used up ({error or 'no more of it'}); {LESS}")
    except RuntimeError as error:  # torch's own kinds of it, which are not imported here
        if not any(sign in str(error) for sign in ("out of memory", "DefaultCPUAllocator")):
            raise
        return _refuse(f"memory is used up ({one_line(str(error))}); {LESS}")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        where = error.filename or "a file beside the results"
        return _refuse(f"{where}: cannot be written ({error.strerror}); make room, run this again")
    return 0


def _refuse(sentence: str) -> int:
    print(f"error: {printable(sentence)}", file=sys.stderr)  # noqa: T201 (its log)
    return 1


def _report_death(by: signal.Signals) -> None:
    """Write into the log which signal ended a step."""
    if by in TO_END:
        print(f"stopped by {by.name}; run this again", file=sys.stderr)  # noqa: T201 (its log)
    elif by is signal.SIGKILL:
        _refuse(f"killed, as the system does where memory is used up; if so, {LESS}")
    else:
        _refuse(f"ended by {by.name}, which no input should cause; run this again")


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
