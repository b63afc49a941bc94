import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seqbench.process import fork_server
from seqbench.process.launch import ADDRESS, connect, send

SOURCES = str(Path(__file__).parents[3] / "src")
DEADLINE_S = 60


@pytest.fixture
def forking(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    stop = fork_server.start()
    yield
    stop()


def step(name, *arguments, **options):
    command = [sys.executable, "-m", f"seqbench.steps.{name}", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


def ingest(path, options='{"n_windows": 40, "window_samples": 20}', **more):
    settings = f'{{"source": "waves", "options": {options}}}'
    return step("ingest", "--settings", settings, "--recordings", path, **more)


@pytest.mark.usefixtures("forking")
def test_a_forked_step_runs_in_the_folder_and_environment_of_its_client(tmp_path):
    process = ingest("here.h5", cwd=tmp_path)
    output, _ = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0, output
    assert (tmp_path / "here.h5").exists()


@pytest.mark.usefixtures("forking")
def test_a_forked_step_writes_to_the_output_of_its_client(tmp_path):
    process = ingest(tmp_path / "none.h5", '{"min_samples": 30, "window_samples": 20}')
    output, _ = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 1
    assert output.startswith("error: waves: `min_samples` must not exceed `window_samples`")
    assert "Traceback" not in output


def test_forked_steps_find_modules_of_the_user_and_run_their_exit_functions(tmp_path, monkeypatch):
    library, folder = tmp_path / "library", tmp_path / "folder"
    library.mkdir()
    folder.mkdir()
    (library / "own_step.py").write_text(
        "import atexit\ndef preload(arguments): pass\n"
        "def main(arguments):\n    atexit.register(print, 'left')\n    print('found')\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([SOURCES, str(library)]))
    monkeypatch.chdir(folder)
    stop = fork_server.start()
    code = "from seqbench.process.launch import launch; launch('own_step')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    stop()

    assert done.stdout == "found\nleft\n", done.stderr


@pytest.mark.usefixtures("forking")
def test_usage_errors_keep_their_exit_code():
    process = step("ingest", "--nonsense")
    process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 2


def test_a_forked_step_gives_what_a_step_of_its_own_gives(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    windows = tmp_path / "windows.h5"
    ingest(tmp_path / "recordings.h5").communicate(timeout=DEADLINE_S)
    window = '{"split": {}, "window": {}, "normalization": "zscore"}'
    step(
        "window", "--settings", window, "--windows", windows,
        "--recordings", tmp_path / "recordings.h5",
    ).communicate(timeout=DEADLINE_S)  # fmt: skip
    settings = json.dumps(
        {
            "architecture": "lstm",
            "architecture_options": {"hidden_size": 4},
            "objective": "autoencoder",
            "objective_options": {},
            "optimizer": {"epochs": 2},
        }
    )

    def pretrained(name):
        done = step(
            "pretrain", "--settings", settings, "--seed", 0, "--windows", windows,
            "--encoder", tmp_path / name, "--history", tmp_path / "history.csv",
        )  # fmt: skip
        output, _ = done.communicate(timeout=DEADLINE_S)
        assert done.returncode == 0, output
        from seqbench.storage.models import read_model

        return {key: array.tobytes() for key, array in read_model(tmp_path / name).arrays.items()}

    alone = pretrained("alone")
    stop = fork_server.start()
    try:
        forked = pretrained("forked")
    finally:
        stop()

    assert forked == alone


@pytest.mark.usefixtures("forking")
def test_where_a_fork_server_runs_no_other_is_started(tmp_path):
    address = os.environ[ADDRESS]
    stop = fork_server.start()

    assert os.environ[ADDRESS] == address

    stop()
    process = ingest(tmp_path / "here.h5")
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output  # the first one still serves
    assert os.environ[ADDRESS] == address


@pytest.mark.usefixtures("forking")
def test_a_step_ends_when_its_client_is_killed(tmp_path, processes_in, wait_for):
    fifo = tmp_path / "windows.h5"
    os.mkfifo(fifo)  # opening it to read waits for ever
    window = '{"split": {}, "window": {}, "normalization": "zscore"}'
    client = step(
        "window", "--settings", window, "--recordings", fifo, "--windows", "w.h5", cwd=tmp_path
    )
    wait_for(lambda: processes_in(tmp_path) - {client.pid}, DEADLINE_S)
    client.kill()
    client.wait()

    wait_for(lambda: not processes_in(tmp_path), DEADLINE_S)


def test_a_signal_that_comes_with_the_request_of_a_step_ends_it(tmp_path, monkeypatch):
    (tmp_path / "endless.py").write_text(
        "import time\ndef preload(arguments): pass\ndef main(arguments): time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    monkeypatch.chdir(tmp_path)
    stop = fork_server.start()
    request = {
        "module": "endless",
        "arguments": [],
        "folder": str(tmp_path),
        "environment": dict(os.environ),
    }
    for _ in range(8):
        with connect() as connection, connection.makefile("rb") as reply:
            connection.settimeout(DEADLINE_S)
            send(connection, request, [0, 1, 2])
            connection.send(bytes([signal.SIGTERM]))
            assert reply.readline() == b"143\n"
    stop()


def test_without_a_fork_server_a_step_runs_by_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    monkeypatch.setenv(ADDRESS, json.dumps([str(tmp_path / "gone"), sys.prefix, ""]))
    process = ingest(tmp_path / "alone.h5")
    process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0
    assert (tmp_path / "alone.h5").exists()


def test_after_the_fork_server_is_killed_steps_run_by_themselves(
    tmp_path, monkeypatch, processes_in, wait_for
):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    monkeypatch.chdir(tmp_path)
    stop = fork_server.start()
    [process] = wait_for(lambda: processes_in(tmp_path) - {os.getpid()})
    os.kill(process, signal.SIGKILL)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)  # `stop` reaps it

    alone = ingest(tmp_path / "alone.h5")
    output, _ = alone.communicate(timeout=DEADLINE_S)
    stop()

    assert alone.returncode == 0, output
    assert (tmp_path / "alone.h5").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_signals_to_all_processes_of_a_job_leave_the_fork_server_alone(
    tmp_path, monkeypatch, processes_in, wait_for, number
):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    monkeypatch.chdir(tmp_path)
    stop = fork_server.start()
    ingest("here.h5").communicate(timeout=DEADLINE_S)
    [process] = wait_for(lambda: processes_in(tmp_path) - {os.getpid()})
    os.kill(process, number)
    ingest("there.h5").communicate(timeout=DEADLINE_S)
    still_there = processes_in(tmp_path) - {os.getpid()}
    stop()

    assert process in still_there


def test_the_end_of_the_fork_server_waits_for_steps_that_are_to_end(
    tmp_path, monkeypatch, processes_in, wait_for
):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    stop = fork_server.start()
    fifo = tmp_path / "windows.h5"
    os.mkfifo(fifo)
    window = '{"split": {}, "window": {}, "normalization": "zscore"}'
    client = step(
        "window", "--settings", window, "--recordings", fifo, "--windows", "w.h5", cwd=tmp_path
    )
    [forked] = wait_for(lambda: processes_in(tmp_path) - {client.pid}, DEADLINE_S)
    os.kill(forked, signal.SIGSTOP)
    stopping = threading.Thread(target=stop)
    stopping.start()
    client.kill()
    client.wait()
    stopping.join(1)
    waited = stopping.is_alive()
    os.kill(forked, signal.SIGCONT)
    stopping.join(DEADLINE_S)

    assert waited
    assert not processes_in(tmp_path)


def test_the_fork_server_ends_with_the_workflow_that_started_it(
    tmp_path, monkeypatch, processes_in, wait_for
):
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    code = (
        "import os, signal; from seqbench.process.fork_server import start;"
        "start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)

    wait_for(lambda: not processes_in(tmp_path), DEADLINE_S)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("number", "logged"),
    [
        (signal.SIGKILL, "error: killed, as the system does where memory is used up;"),
        (signal.SIGSEGV, "error: ended by SIGSEGV, which no input should cause;"),
        (signal.SIGTERM, "stopped by SIGTERM; run this again"),
    ],
)
def test_a_step_that_is_killed_has_the_signal_in_its_log(number, logged, tmp_path, monkeypatch):
    (tmp_path / "dying.py").write_text(
        "import os\n"
        "def preload(arguments): pass\n"
        "def main(arguments): os.kill(os.getpid(), int(arguments[0]))\n"
    )
    monkeypatch.setenv("PYTHONPATH", SOURCES)
    monkeypatch.chdir(tmp_path)
    stop = fork_server.start()
    code = "from seqbench.process.launch import launch; launch('dying')"
    with (tmp_path / "log").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-c", code, str(int(number))], stderr=log, check=False
        )
    stop()

    assert done.returncode == 128 + number
    begun, ended = (tmp_path / "log").read_text().splitlines()
    assert begun.startswith("begun ")
    assert ended.startswith(logged)
