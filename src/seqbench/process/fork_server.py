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

The server passes signals of a client on to its step, and ends the step when the
client or the workflow is gone. If the server itself is killed, the kernel ends
its steps: none is ever left behind. It waits for all of them, since a cluster
kills what a job leaves running.
"""

import atexit
import contextlib
import ctypes
import gc
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
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqbench.process.client import ADDRESS, FATAL, TO_END, allocation, connect
from seqbench.process.execute import execute

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


def start(code: Path = Path(__file__).parents[2]) -> Callable[[], None]:
    """Start the fork server for the jobs of this workflow and return a function that stops it.

    It imports this package from the folder `code`: from where jobs do. The address
    goes into the environment, which local jobs inherit. Without Linux or room for a
    socket, steps run in their own processes; a server that runs already, as for the
    members of a packed job, is used.
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
        [sys.executable, "-c", START, str(code), str(listener.fileno())],
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


@dataclass
class _Step:
    """A running step: its process, what its end is seen by, and the connection to its client."""

    process: int
    watched: int
    connection: socket.socket
    killed_at: float | None = None  # when it is killed, once it was told to end

    def is_ending(self) -> bool:
        return self.killed_at is not None

    def pass_on(self) -> None:
        """Pass a signal of the client on; end the step if the client is gone."""
        try:
            sent = self.connection.recv(1)
        except OSError:
            sent = b""
        if sent:
            self.signal(sent[0])
        else:
            self.end()

    def end(self) -> None:
        """Send SIGTERM; `kill_late` follows."""
        if not self.is_ending():
            self.killed_at = time.monotonic() + GRACE_S
            self.signal(signal.SIGTERM)

    def kill_late(self) -> None:
        """Send SIGKILL if it runs on though it was to end."""
        if self.killed_at is not None and time.monotonic() > self.killed_at:
            self.killed_at = float("inf")
            self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to the step and all that it started."""
        try:
            os.killpg(self.process, number)
        except ProcessLookupError:  # so young that it has no group yet; it is not reaped before
            os.kill(self.process, number)

    def reply(self) -> None:
        """Tell the client how the step ended."""
        _, status = os.waitpid(self.process, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            self.connection.sendall(f"{code if code >= 0 else FATAL - code}\n".encode())
        self.close()

    def close(self) -> None:
        """Close what this process has open of it."""
        os.close(self.watched)
        self.connection.close()


def serve(listener: socket.socket) -> None:
    """Fork a child for every request until standard input closes."""
    # The workflow decides what Ctrl-C means; a cluster signals all processes of a job, and each
    # step has its own way to end.
    for number in (signal.SIGINT, *TO_END):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # a collection would touch, and so copy, the pages that the forks share
    steps: list[_Step] = []
    is_open = True
    while is_open or steps:
        sources: list[Any] = [listener, sys.stdin] if is_open else []
        sources += [step.watched for step in steps]
        sources += [step.connection for step in steps if not step.is_ending()]
        latest = min((step.killed_at for step in steps if step.killed_at), default=float("inf"))
        wait_s = None if latest == float("inf") else max(0.0, latest - time.monotonic())
        ready = select.select(sources, [], [], wait_s)[0]
        for step in list(steps):
            if step.watched in ready:
                step.reply()
                steps.remove(step)
            elif step.connection in ready:
                step.pass_on()
            else:
                step.kill_late()
        if sys.stdin in ready:
            is_open = False
            listener.close()
            for step in steps:
                step.end()
        elif listener in ready:
            connection, _ = listener.accept()
            _fork_step(connection, listener, steps)


def _fork_step(connection: socket.socket, listener: socket.socket, steps: list[_Step]) -> None:
    """Import what the requested step needs, then fork it."""
    request, descriptors = _receive(connection)
    if request is None:  # the client left before it was whole
        connection.close()
        for descriptor in descriptors:
            os.close(descriptor)
        return
    with contextlib.suppress(Exception, SystemExit):  # the step itself reports what is wrong
        importlib.import_module(request["module"]).preload(request["arguments"])
    gc.freeze()
    server = os.getpid()
    # The server ignores these signals: until the step does not, they must wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, TO_END)
    child = os.fork()
    if child == 0:
        for number in TO_END:
            signal.signal(number, signal.SIG_DFL)
        end_with(server)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)
        listener.close()
        connection.close()
        for step in steps:
            step.close()
        gc.enable()
        _run(request, descriptors)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TO_END)
    steps.append(_Step(child, os.pidfd_open(child), connection))
    for descriptor in descriptors:
        os.close(descriptor)


def _run(request: dict[str, Any], descriptors: list[int]) -> None:
    """Run the requested step in this process, which ends with it."""
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


def end_with(parent: int) -> None:
    """Let the kernel send this process SIGTERM when its parent dies, even of SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before
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


def _receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    header, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    if len(header) < 8:
        return None, descriptors
    payload = b""
    n_bytes = int.from_bytes(header, "big")
    # Not a byte more: what follows are signals for the step.
    while len(payload) < n_bytes:
        piece = connection.recv(n_bytes - len(payload))
        if not piece:
            return None, descriptors
        payload += piece
    return json.loads(payload), descriptors
