"""The end of a step and the process that runs it, as its log has them."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seqbench.process.step_log import is_alive, read_log

SOURCES = str(Path(__file__).parents[3] / "src")
STEP = """
import sys, types
from seqbench.process.execute import execute
step = types.ModuleType("step_of_a_test")
step.main = lambda arguments: eval(arguments[0])
sys.modules[step.__name__] = step
sys.exit(execute(step.__name__, sys.argv[1:]))
"""
BEGUN = "begun 2026-11-22T10:00:00+00:00 by process 17 on node7\n"


def step(does, stderr):
    """Start a step that evaluates an expression."""
    command = [sys.executable, "-c", STEP, does]
    environment = os.environ | {"PYTHONPATH": SOURCES}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=stderr, env=environment)


@pytest.fixture
def logged(tmp_path):
    def run(does):
        with (tmp_path / "log").open("w") as log:
            process = step(does, log)
        process.communicate(timeout=600)
        return process, read_log(tmp_path / "log")

    return run


def test_a_finished_step_logs_its_process_and_its_times(logged):
    before = datetime.now(UTC).replace(microsecond=0)
    process, log = logged("sum(range(3_000_000))")

    assert (log.process, log.machine) == (process.pid, os.uname().nodename)
    assert before <= log.begun <= datetime.now(UTC)
    assert log.wall_s > 0
    assert log.cpu_s > 0
    assert log.error is None
    assert log.stopped is None


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("[][1]", "IndexError: list index out of range"),
        ("(_ for _ in ()).throw(MemoryError('of 3 GB'))", "memory is used up (of 3 GB"),
    ],
)
def test_a_failed_step_logs_why(does, error, logged):
    process, log = logged(does)

    assert process.returncode == 1
    assert log.error.startswith(error)
    assert log.wall_s is None


def test_a_stopped_step_did_not_fail(logged):
    _, log = logged("(_ for _ in ()).throw(KeyboardInterrupt)")

    assert log.error is None
    assert log.stopped == "interrupted from the keyboard"


def test_on_a_pipe_a_step_logs_nothing_of_itself():
    _, output = step("None", subprocess.PIPE).communicate(timeout=600)

    assert output == b""


@pytest.mark.parametrize(
    ("text", "stopped", "error"),
    [
        ("2026-11-22 10:00:09,1 s: stopped by SIGTERM after step 2 of epoch 3; run this again to go"
         " on\n", "stopped by SIGTERM", None),
        ("the fork server ended before this step did; run the workflow again\n",
         "the fork server ended before", None),
        ("error: a.csv: empty\n", None, "a.csv: empty"),
        ("error: a.csv: empty\nsome noise at exit\n", None, "a.csv: empty"),
        ("step.py: error: unrecognized arguments: --x\n", None, "unrecognized arguments: --x"),
        ("2026-11-22 10:00:09,1 waves: the error: 3\n", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_the_last_line_on_an_end_counts(text, stopped, error, tmp_path):
    (tmp_path / "log").write_text(BEGUN + text)

    log = read_log(tmp_path / "log")

    assert (log.stopped, log.error) == (stopped, error)


def test_the_end_of_a_long_log_is_found(tmp_path):
    (tmp_path / "log").write_text(BEGUN + "an epoch\n" * 100_000 + "error: a.csv: empty\n")

    log = read_log(tmp_path / "log")

    assert (log.process, log.error) == (17, "a.csv: empty")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"begun yesterday by process 3 on x\n"])
def test_a_log_without_a_beginning_names_no_process(content, tmp_path):
    (tmp_path / "log").write_bytes(content)

    log = read_log(tmp_path / "log")

    assert log.process is None
    assert not is_alive(tmp_path / "log", log)


def test_a_step_lives_as_long_as_its_process(tmp_path, wait_for):
    path = tmp_path / "log"
    with path.open("w") as file:
        process = step("input()", file)
    wait_for(lambda: read_log(path).process)

    assert is_alive(path, read_log(path))
    process.kill()
    process.communicate(timeout=600)
    assert is_alive(path, read_log(path)) is False


def test_a_process_that_only_has_the_number_is_not_the_step(tmp_path):
    path = tmp_path / "log"
    path.write_text(f"begun 2026-11-22T10:00:00+00:00 by process {os.getpid()} on"
                    f" {os.uname().nodename}\n")  # fmt: skip

    assert is_alive(path, read_log(path)) is False


def test_nobody_can_see_processes_of_another_machine(tmp_path):
    (tmp_path / "log").write_text(BEGUN)

    assert is_alive(tmp_path / "log", read_log(tmp_path / "log")) is None
