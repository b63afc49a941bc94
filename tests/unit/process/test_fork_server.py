import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seqbench.process import fork_server
from seqbench.process.client import ADDRESS, connect, send

SOURCES = str(Path(__file__).parents[3] / "src")
DEADLINE_S = 60


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """The working folder, whose modules steps find."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([SOURCES, str(tmp_path)]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stop(folder):
    """A fork server; returns what stops it."""
    stop = fork_server.start()
    yield stop
    stop()


@pytest.fixture
def server(stop, processes_in, wait_for, folder):
    """Number of the process of the fork server."""
    [process] = wait_for(lambda: processes_in(folder) - {os.getpid()}, DEADLINE_S)
    return process


def step(name, *arguments, **options):
    command = [sys.executable, "-m", "seqbench.steps", name, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


def ingested(path, options='{"n_windows": 40, "window_samples": 20}', **more):
    """Ingest, and return the exit code and the output."""
    settings = f'{{"source": "waves", "options": {options}}}'
    process = step("ingest", "--settings", settings, "--recordings", path, **more)
    output, _ = process.communicate(timeout=DEADLINE_S)
    return process.returncode, output


def own_step(folder, name, *body):
    """Write a step of the user and return the code that launches it."""
    (folder / f"{name}.py").write_text("\n".join(["def preload(arguments): pass", *body]))
    launched = f"sys.exit(launch('{name}', sys.argv[1:]))"
    return f"import sys; from seqbench.process.launch import launch; {launched}"


@pytest.fixture
def waiting(tmp_path_factory, folder, stop):
    """A step that waits for ever, as its client and its own process, and where they work."""
    body = ["import os, time", "def main(arguments):", " print(os.getpid(), flush=True)"]
    code = own_step(folder, "endless", *body, " time.sleep(600)")
    work = tmp_path_factory.mktemp("waiting")
    client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=work)
    return client, int(client.stdout.readline()), work


@pytest.mark.usefixtures("stop")
def test_a_forked_step_runs_in_the_folder_and_environment_of_its_client(tmp_path_factory):
    other = tmp_path_factory.mktemp("other")

    assert ingested("here.h5", cwd=other)[0] == 0
    assert (other / "here.h5").exists()


@pytest.mark.usefixtures("stop")
def test_a_forked_step_writes_to_the_output_of_its_client():
    code, output = ingested("none.h5", '{"min_samples": 30, "window_samples": 20}')

    assert code == 1
    assert output.startswith("error: waves: `min_samples` must not exceed `window_samples`")
    assert "Traceback" not in output


@pytest.mark.usefixtures("stop")
def test_forked_steps_find_modules_of_the_user_and_run_their_exit_functions(folder):
    body = ["import atexit", "def main(arguments):", " atexit.register(print, 'left')"]
    code = own_step(folder, "own_step", *body, " print('found')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout == "found\nleft\n", done.stderr


@pytest.mark.usefixtures("stop")
def test_what_the_server_imports_looks_for_gpus_without_cuda(folder):
    seen = "os.environ.get('PYTORCH_NVML_BASED_CUDA_CHECK')"
    body = ["import os", f"AT_IMPORT = {seen}", f"def main(arguments): print(AT_IMPORT, {seen})"]
    code = own_step(folder, "looking", *body)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout == "1 None\n", done.stderr


@pytest.mark.usefixtures("stop")
def test_usage_errors_keep_their_exit_code():
    process = step("ingest", "--nonsense")
    process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 2


@pytest.mark.usefixtures("stop")
def test_where_a_fork_server_runs_no_other_is_started(folder):
    address = os.environ[ADDRESS]
    stop_nothing = fork_server.start()

    assert os.environ[ADDRESS] == address

    stop_nothing()
    assert ingested(folder / "here.h5")[0] == 0  # the first one still serves
    assert os.environ[ADDRESS] == address


def test_a_step_ends_when_its_client_is_killed(waiting, processes_in, wait_for):
    client, _, folder = waiting
    client.kill()
    client.wait()

    wait_for(lambda: not processes_in(folder), DEADLINE_S)


@pytest.mark.usefixtures("stop")
def test_a_signal_that_comes_with_the_request_of_a_step_ends_it(folder):
    own_step(folder, "endless", "import time", "def main(arguments): time.sleep(600)")
    request = {
        "module": "endless",
        "arguments": [],
        "folder": str(folder),
        "environment": dict(os.environ),
    }
    for _ in range(8):
        with connect() as connection, connection.makefile("rb") as reply:
            connection.settimeout(DEADLINE_S)
            send(connection, request, [0, 1, 2])
            connection.send(bytes([signal.SIGTERM]))
            assert reply.readline() == b"143\n"


def test_a_client_that_leaves_amid_its_request_leaves_no_file_open(server, folder, wait_for):
    files = Path(f"/proc/{server}/fd")
    ingested("here.h5")
    n_open = len([*files.iterdir()])
    with connect() as connection:
        socket.send_fds(connection, [(100).to_bytes(8, "big")], [0, 1, 2])
    ingested("there.h5")

    wait_for(lambda: len([*files.iterdir()]) == n_open, DEADLINE_S)


def test_a_step_that_exits_as_it_is_imported_ends_alone(server, folder, processes_in):
    code = own_step(folder, "leaving", "raise SystemExit(3)")
    left = subprocess.run([sys.executable, "-c", code], check=False)

    assert left.returncode == 3
    assert server in processes_in(folder)


def test_without_a_fork_server_a_step_runs_by_itself(folder, monkeypatch):
    monkeypatch.setenv(ADDRESS, json.dumps([str(folder / "gone"), sys.prefix, ""]))

    assert ingested("alone.h5")[0] == 0
    assert (folder / "alone.h5").exists()


def test_after_the_fork_server_is_killed_steps_run_by_themselves(server, folder):
    os.kill(server, signal.SIGKILL)
    os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)  # `stop` reaps it

    code, output = ingested("alone.h5")

    assert code == 0, output
    assert (folder / "alone.h5").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signals_to_all_processes_of_a_job_leave_the_fork_server_alone(
    server, folder, processes_in, number
):
    ingested("here.h5")  # it serves by now
    os.kill(server, number)
    ingested("there.h5")

    assert server in processes_in(folder)


def test_the_end_of_the_fork_server_waits_for_steps_that_are_to_end(
    waiting, stop, processes_in, wait_for
):
    client, forked, folder = waiting
    os.kill(forked, signal.SIGSTOP)
    wait_for(lambda: ") T " in Path(f"/proc/{forked}/stat").read_text(), DEADLINE_S)
    stopping = threading.Thread(target=stop)
    stopping.start()
    client.kill()
    client.wait()
    stopping.join(1)
    waited = stopping.is_alive()
    os.kill(forked, signal.SIGCONT)
    stopping.join(DEADLINE_S)

    assert waited
    assert not processes_in(folder)


def test_the_fork_server_ends_with_the_workflow_that_started_it(folder, processes_in, wait_for):
    code = (
        "import os, signal; from seqbench.process.fork_server import start;"
        "start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)

    wait_for(lambda: processes_in(folder) == {os.getpid()}, DEADLINE_S)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.usefixtures("stop")
@pytest.mark.parametrize(
    ("number", "logged"),
    [
        (signal.SIGKILL, "error: killed, as the system does where memory is used up;"),
        (signal.SIGSEGV, "error: ended by SIGSEGV, which no input should cause;"),
        (signal.SIGTERM, "stopped by SIGTERM; run this again"),
    ],
)
def test_a_step_that_is_killed_has_the_signal_in_its_log(number, logged, folder):
    body = "def main(arguments): os.kill(os.getpid(), int(arguments[0]))"
    command = [sys.executable, "-c", own_step(folder, "dying", "import os", body), str(int(number))]
    with (folder / "log").open("w") as log:
        done = subprocess.run(command, stderr=log, check=False)

    assert done.returncode == 128 + number
    begun, ended = (folder / "log").read_text().splitlines()
    assert begun.startswith("begun ")
    assert ended.startswith(logged)
