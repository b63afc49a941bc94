"""The fork server: libraries are imported once and forked for every step of a running workflow.

Importing torch takes seconds, training a small model often does not. While a
workflow runs, one process that has imported the libraries waits behind a
socket. The process of a step, its client, requests a fork, which runs a few
milliseconds later with the arguments, folder, environment and output of the
client. Without the server, on another host or under another interpreter, a
step runs in its own process, with the same results.

The server never runs more than one thread, or forks of it could hang. It ends
when the workflow that started it ends, however that happens: it watches the
other end of its standard input.

Every step has a supervisor. It passes signals on to the step and ends it when
its client or the workflow is gone; if the supervisor is killed, the kernel ends
the step: a step is never left behind. The server waits for all of them, since
a cluster kills what a job leaves running.
"""

import atexit
import contextlib
import ctypes
import importlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqbench.process.launch import ADDRESS, TO_END, allocation, connect, execute

OF_SERVER = {  # forks have the environment of their client
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA")},
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pandas loads Arrow, which would start one
    # An extension may look for a GPU when it is imported. If that initialised CUDA here, no fork
    # could use a GPU; asked this way, torch looks without.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}
# The package is found without a variable, so that a PYTHONPATH of the user stays as it is.
START = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from seqbench.process.fork_server import serve
serve(socket.socket(fileno=int(sys.argv[2])))
"""
GRACE_S = 20.0  # for the step of a training under way and the writing of its state
PR_SET_PDEATHSIG = 1


def start() -> Callable[[], None]:
    """Start the fork server for the jobs of this workflow and return a function that stops it.

    The address goes into the environment, which local jobs inherit. Without
    Linux or room for a socket, steps run in their own processes; a server that
    runs already, as for the members of a packed job, is used.
    """
    if not hasattr(os, "pidfd_open"):
        return lambda: None
    waiting = connect()
    if waiting is not None:
        waiting.close()
        return lambda: None
    folder = tempfile.TemporaryDirectory(prefix="seqbench-")
    path = Path(folder.name) / "fork-server.socket"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
    except OSError:  # the name of the temporary folder is too long for a socket
        listener.close()
        folder.cleanup()
        return lambda: None
    listener.listen(64)
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(Path(__file__).parents[2]), str(listener.fileno())],
        stdin=subprocess.PIPE,
        pass_fds=[listener.fileno()],
        env={**os.environ, **OF_SERVER},
    )
    listener.close()
    os.environ[ADDRESS] = json.dumps([str(path), sys.prefix, allocation()])

    def stop() -> None:
        os.environ.pop(ADDRESS, None)
        if process.stdin is not None:
            process.stdin.close()
        process.wait()
        folder.cleanup()

    return stop


def serve(listener: socket.socket) -> None:
    """Fork a child for every request until standard input closes."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # The workflow decides what Ctrl-C means; a cluster signals all processes of a job, and each
    # step has its own way to end.
    for number in (signal.SIGINT, *TO_END):
        signal.signal(number, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, sys.stdin, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap()
        if sys.stdin in ready:
            break
        if listener in ready:
            connection, _ = listener.accept()
            with connection:
                _fork_step(connection, listener)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def _fork_step(connection: socket.socket, listener: socket.socket) -> None:
    """Import what the requested step needs, then fork its supervisor."""
    request, descriptors = _receive(connection)
    if request is None:
        return
    with contextlib.suppress(Exception):  # the step itself reports what is wrong
        importlib.import_module(request["module"]).preload(request["arguments"])
    if os.fork() == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        os._exit(_supervise(connection, request, descriptors))
    for descriptor in descriptors:
        os.close(descriptor)


def _supervise(connection: socket.socket, request: dict[str, Any], descriptors: list[int]) -> int:
    """Run the step in a child of its own group; end it if its client goes away."""
    supervisor = os.getpid()
    # The fork server ignores these signals: until the step does not, they must wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, TO_END)
    child = os.fork()
    if child == 0:
        for number in TO_END:
            signal.signal(number, signal.SIG_DFL)
        _end_with(supervisor)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)
        connection.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        atexit._clear()  # what the fork server itself registered is not for its forks
        _become(request, descriptors)
        code = 1
        try:
            code = execute(request["module"], request["arguments"])
        except SystemExit as leaving:
            code = 0 if leaving.code is None else 1
            if isinstance(leaving.code, int):
                code = leaving.code
            elif leaving.code is not None:
                sys.stderr.write(f"{leaving.code}\n")
        except BaseException:
            logging.getLogger("seqbench").exception("the step failed")
        finally:
            with contextlib.suppress(Exception):
                atexit._run_exitfuncs()  # `_exit` leaves out those of the step
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    watched = os.pidfd_open(child)
    for number in TO_END:
        signal.signal(number, lambda number, _: _signal(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)
    while True:
        ready, _, _ = select.select([watched, connection, sys.stdin], [], [])
        if watched in ready:
            break
        passed_on = connection.recv(1) if connection in ready else b""
        if not passed_on:
            _end(child, watched)
            break
        _signal(child, passed_on[0])
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):
        connection.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
    return 0


def _end_with(supervisor: int) -> None:
    """Let the kernel send this process SIGTERM when its supervisor dies, even of SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:  # it died before
        os._exit(1)


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Take over the folder, environment and standard streams of the client."""
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (a descriptor, for good)


def _end(child: int, watched: int) -> None:
    """Send SIGTERM to a step, and SIGKILL if it runs on."""
    _signal(child, signal.SIGTERM)
    if not select.select([watched], [], [], GRACE_S)[0]:
        _signal(child, signal.SIGKILL)


def _signal(child: int, number: int) -> None:
    """Send a signal to a step and all that it started."""
    try:
        os.killpg(child, number)
    except ProcessLookupError:  # so young that it has no group yet; it is not reaped before
        os.kill(child, number)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    header, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    if len(header) < 8:
        return None, descriptors
    payload = b""
    n_bytes = int.from_bytes(header, "big")
    # Not a byte more: what follows are signals, and the supervisor reads them.
    while len(payload) < n_bytes:
        piece = connection.recv(n_bytes - len(payload))
        if not piece:
            return None, descriptors
        payload += piece
    return json.loads(payload), descriptors
