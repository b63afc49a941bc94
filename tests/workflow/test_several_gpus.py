"""The processes of one training: how they start, and that they end together."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.trainings import finetune_settings
from fixtures.windows import class_windows
from seqbench.config.stages import FinetuneSettings
from seqbench.plan.gpus import PER_NODE
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import read_as
from seqbench.storage.windows import write_windows
from seqbench.training.state import INTERRUPTED

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
DEADLINE_S = 300
SETTINGS = finetune_settings(
    FinetuneSettings(epochs=3, batch_size=5, min_steps_per_epoch=100, gpus=2),
    architecture_options={"widths": (4, 4), "kernel_sizes": (3, 3), "strides": (2, 1)},
)


def start(folder, *options, windows="../windows.h5"):
    """Start a step; its log is a file, as in a workflow."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    names = {
        "windows": windows,
        "model": "model",
        "history": "history",
        "transfer": "moved",
    }
    paths = [f"--{name}={folder / path}" for name, path in names.items()]
    run = ["--dataset=d", "--architecture=a", "--arm=scratch", "--labels=1.0", "--seed=0"]
    command = [sys.executable, "-m", "seqbench.steps", "finetune", *paths, *run]
    with (folder / "log").open("a") as log:
        return subprocess.Popen(
            [*command, "--device=cpu", f"--settings={SETTINGS.to_json()}", *options],
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(folder / "tmp")},
            stdout=log,
            stderr=log,
        )


def state_of(folder):
    return [f"--state={folder / 'state'}", "--state-every-s=0", "--code=c"]


def numbers(folder):
    """Return all that a training left but times."""
    with (folder / "history").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    arrays = read_as(folder / "model", ModelHeader).arrays
    return rows, {name: array.tobytes() for name, array in arrays.items()}


def left_behind(folder):
    """Return temporary files, but for the one cache of torch for all processes of a user."""
    return [path for path in (folder / "tmp").iterdir() if "inductor" not in path.name]


def ranks_of(process):
    """Return the processes of a training, once it has a state."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    return [int(number) for number in listed.stdout.split()]


def wait_for_line(path, text, process):
    wait_until(lambda: text in path.read_text(), process)


def wait_for(path, process):
    wait_until(path.exists, process)


def wait_until(is_so, process):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with windows."""
    folder = tmp_path_factory.mktemp("trainings")
    write_windows(folder / "windows.h5", class_windows(lengths=(20, 26), noise=0.5))
    return folder


@pytest.fixture(scope="module")
def whole(place):
    """A training in two processes that nothing interrupted."""
    process = start(place / "whole", *state_of(place / "whole"))
    assert process.wait(DEADLINE_S) == 0, (place / "whole" / "log").read_text()
    return place / "whole"


def test_the_first_process_writes_and_says_how_many_there_were(whole):
    provenance = read_as(whole / "model", ModelHeader).header.provenance

    assert (provenance.gpus, provenance.device, provenance.threads) == (2, "cpu", 1)
    assert not (whole / "state").exists()
    log = (whole / "log").read_text()
    assert log.count("3 epochs") == 1
    assert log.count("begun") == log.count("done after") == 1
    assert "warning" not in log.lower()
    assert not left_behind(whole)


def test_all_stop_on_a_signal_or_when_one_is_killed_and_go_on_bit_for_bit(whole, place):
    folder = place / "stopped"
    process = start(folder, *state_of(folder))
    wait_for(folder / "state" / "state.safetensors", process)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(DEADLINE_S) == INTERRUPTED
    log = (folder / "log").read_text()
    assert log.count("stopped by SIGTERM after step") == 1
    assert log.splitlines()[-1].endswith("stopped by SIGTERM; run this again")

    process = start(folder, *state_of(folder))
    wait_for_line(folder / "log", "training goes on after step", process)
    ranks = ranks_of(process)
    os.kill(ranks[1], signal.SIGKILL)
    assert process.wait(DEADLINE_S) == 1
    assert len(ranks) == 2
    log = (folder / "log").read_text()
    assert "error: process 2 of 2 was ended by SIGKILL" in log.splitlines()[-1]
    assert "Traceback" not in log

    assert start(folder, *state_of(folder)).wait(DEADLINE_S) == 0
    assert (folder / "log").read_text().count("training goes on after step") == 2
    assert numbers(folder) == numbers(whole)
    assert not left_behind(folder)


def test_what_all_refuse_is_one_sentence(place):
    process = start(place / "refused", "--labels=0.5", windows="../missing.h5")

    assert process.wait(DEADLINE_S) == 1
    log = (place / "refused" / "log").read_text().splitlines()
    assert len(log) == 2
    assert log[1].startswith("error: ")
    assert "missing.h5" in log[1]
    assert not left_behind(place / "refused")


def test_over_nodes_the_step_runs_once_on_each_and_they_find_each_other(place, whole, monkeypatch):
    folder, programs = place / "nodes", place / "programs"
    programs.mkdir()
    srun = programs / "srun"  # two nodes that are both here
    srun.write_text(
        '#!/bin/bash\necho "$*" > "$(dirname "$0")/called"\n'
        'while [ "${1:0:2}" = -- ]; do shift; done\n"$@" & first=$!; "$@"; code=$?\n'
        "wait $first && exit $code\n"
    )
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv(PER_NODE, "1")

    assert start(folder).wait(DEADLINE_S) == 0

    called = (programs / "called").read_text()
    assert called.startswith("--overlap --nodes=2 --ntasks=2 --ntasks-per-node=1")
    assert numbers(folder) == numbers(whole)
