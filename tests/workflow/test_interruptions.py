"""Whatever stops a training, the next run gives what an uninterrupted one gives, bit for bit.

Two moments are drawn at which a training is killed, 20 with `--full`.
"""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.job_settings import JobSettings
from seqbench.process import fork_server
from seqbench.storage.models import read_model
from seqbench.storage.windows import SPLITS, read_windows, write_windows

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
KILLS = [*range(2), *(pytest.param(number, marks=pytest.mark.full) for number in range(2, 20))]
DEADLINE_S = 600  # of anything; what is waited for takes seconds where nothing else runs
RUN = {
    "dataset": "tiny",
    "architecture": "event_rnn",
    "arm": "vae_finetune",
    "labels": "1.0",
    "seed": 0,
}
PRETRAINING = RUN | {"objective": "vae"}
CONFIG = {
    "runs": [
        {
            "datasets": ["tiny"],
            "architectures": ["event_rnn"],
            "arms": ["vae_finetune"],
            "seeds": [0],
        }
    ],
    "baselines": [],
    "datasets": {"tiny": {"source": "waves", "n_windows": 150, "window_samples": 20}},
    "architectures": {"event_rnn": {"widths": [8, 8], "hidden_size": 8}},
    "pretrain": {"epochs": 8, "batch_size": 8, "min_steps_per_epoch": 25},
    "finetune": {
        "epochs": 8,
        "batch_size": 8,
        "min_steps_per_epoch": 25,
        "schedule": "plateau",
        "plateau_epochs": 1,
        "unfreeze": "layer_wise",
    },
    "device": "cpu",
    "state_every_s": 0.05,
    "tensorboard": False,
}
MADE = {
    "pretrain": {
        "encoder": layout.ENCODER.format(**PRETRAINING),
        "history": layout.PRETRAIN_HISTORY.format(**PRETRAINING),
    },
    "finetune": {
        "model": layout.MODEL.format(**RUN),
        "history": layout.HISTORY.format(**RUN),
        "transfer": layout.TRANSFER.format(**RUN),
    },
}
STAGES = {
    "pretrain": (layout.state("pretrain").format(**PRETRAINING), "pretrain_s"),
    "finetune": (layout.state("finetune").format(**RUN), "train_s"),
}


@pytest.fixture(scope="module")
def start_workflow(start_snakemake):
    """Return a function that starts Snakemake up to the metrics of the run."""

    def start(folder, config=CONFIG, *options):
        return start_snakemake(folder, config, *options, "--", layout.METRICS.format(**RUN))

    return start


def finish(process, folder):
    """Wait for Snakemake to succeed."""
    code = process.wait(DEADLINE_S)
    assert code == 0, (folder / "output.txt").read_text()[-5000:]


def kill(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def numbers(history):
    with history.open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def weights(path):
    return {name: array.tobytes() for name, array in read_model(path).arrays.items()}


def trained(folder, stage):
    """Return what a training left, without times."""
    read = {"history": numbers, "transfer": Path.read_bytes}
    return {name: read.get(name, weights)(folder / path) for name, path in MADE[stage].items()}


def results(folder):
    """Return all that must not depend on interruptions."""
    metrics = json.loads((folder / layout.METRICS.format(**RUN)).read_text())
    return {stage: trained(folder, stage) for stage in MADE} | {
        name: metrics[name] for name in ("scores", "n_windows")
    }


def assert_nothing_is_left(folder):
    """No state, no lock, no half of a file."""
    assert not (folder / layout.STATES).exists()
    assert [path for path in (folder / "results").rglob(".*") if path.is_file()] == []


@pytest.fixture(scope="module")
def whole(start_workflow, tmp_path_factory):
    """A run that nothing interrupted, where earlier ones were killed as they wrote."""
    folder = tmp_path_factory.mktemp("whole")
    for path in (layout.RECORDINGS, layout.WINDOWS, layout.PREDICTIONS, layout.METRICS):
        output = folder / path.format(**RUN)
        output.parent.mkdir(parents=True, exist_ok=True)
        (output.parent / f".{output.name}.0123.tmp").touch()  # as left by a step that was killed
    finish(start_workflow(folder), folder)
    return folder


@pytest.fixture
def prepared(whole, tmp_path):
    """A folder in which all is done but training."""
    for name in ("ingest", "window"):
        shutil.copytree(whole / "results" / name, tmp_path / "results" / name)
    shutil.copytree(whole / ".snakemake", tmp_path / ".snakemake")
    return tmp_path


def test_what_killed_steps_left_is_removed(whole):
    assert_nothing_is_left(whole)


@pytest.mark.full
@pytest.mark.parametrize("stage", ["pretrain", "finetune"])
def test_after_everything_was_killed_the_next_run_gives_the_same(
    whole, prepared, stage, start_workflow, processes_in, wait_for, trained_by
):
    state, cost = STAGES[stage]
    lasts_s = read_model(whole / layout.MODEL.format(**RUN)).header.cost.model_dump()[cost]
    moment = random.Random(stage).uniform(0, 1.1) * lasts_s

    process = start_workflow(prepared)
    wait_for(lambda: trained_by(prepared / state))
    time.sleep(moment)
    while left := processes_in(prepared):  # what is born meanwhile too
        kill(left)
        process.wait()
    was_kept = (prepared / state / "state.safetensors").exists()
    finish(start_workflow(prepared, CONFIG, "--unlock"), prepared)
    finish(start_workflow(prepared), prepared)

    assert results(prepared) == results(whole)
    assert_nothing_is_left(prepared)
    if was_kept:  # else it was before the first step, or a later job
        patterns = {"pretrain": PRETRAINING, "finetune": RUN}
        log = prepared / layout.log(stage).format(**patterns[stage])
        assert "training goes on after step" in log.read_text()


def log_of_training(folder):
    return (folder / layout.log("finetune").format(**RUN)).read_text()


@pytest.fixture
def rarely(start_workflow, trained_by, held_until_asked_to_end, wait_for):
    """Start a workflow whose trainings write a state when asked to end only; hold its training."""

    @contextmanager
    def start(folder):
        state = folder / STAGES["finetune"][0]
        process = start_workflow(folder, CONFIG | {"state_every_s": 1000})
        with held_until_asked_to_end(wait_for(lambda: trained_by(state))):
            yield process

    return start


@pytest.mark.full
def test_a_killed_snakemake_leaves_a_state_and_no_training_behind(
    whole, prepared, rarely, start_workflow, processes_in, wait_for
):
    with rarely(prepared) as process:
        process.kill()
        process.wait()
    wait_for(lambda: not processes_in(prepared))
    assert "stopped by SIGTERM after step" in log_of_training(prepared)
    finish(start_workflow(prepared, CONFIG, "--nolock"), prepared)

    assert results(prepared) == results(whole)
    assert "training goes on after step" in log_of_training(prepared)


def test_after_ctrl_c_the_next_run_goes_on(whole, prepared, rarely, start_workflow):
    with rarely(prepared) as process:
        os.killpg(process.pid, signal.SIGINT)
    assert process.wait(DEADLINE_S) != 0
    assert "stopped by SIGTERM after step" in log_of_training(prepared)
    finish(start_workflow(prepared), prepared)

    assert results(prepared) == results(whole)
    assert_nothing_is_left(prepared)
    assert "training goes on after step" in log_of_training(prepared)


@pytest.mark.full
def test_a_step_that_gets_a_signal_is_retried_and_gives_the_same(
    whole, prepared, start_workflow, wait_for, trained_by
):
    state = prepared / STAGES["finetune"][0]
    process = start_workflow(prepared, CONFIG, "--retries", "1")
    wait_for(lambda: (state / "state.safetensors").exists())

    os.kill(trained_by(state), signal.SIGTERM)
    finish(process, prepared)

    assert results(prepared) == results(whole)
    assert_nothing_is_left(prepared)
    assert "goes on after step" in log_of_training(prepared)


# Single steps, forked from a fork server.

DYING = '''
import importlib, os, signal
from pathlib import Path


def preload(arguments):
    importlib.import_module(arguments[2]).preload([])


def main(arguments):
    """Die between the writing of a file and its renaming."""
    name, count, step, *rest = arguments
    left, replace = int(count), Path.replace

    def replace_or_die(self, target):
        nonlocal left
        left -= Path(target).name == name
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = replace_or_die
    importlib.import_module(step).main(rest)
'''
LAUNCH_DYING = """
import sys
from seqbench.process.launch import launch
sys.exit(launch("dying", sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A fork server that knows a way to die."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "dying.py").write_text(DYING)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(ROOT / "src"))
        stop = fork_server.start()
        yield
        stop()


class Step:
    """One step in a folder of its own, with the inputs and settings of the uninterrupted run."""

    def __init__(self, whole, folder, name):
        jobs = JobSettings(Benchmark.read(whole / layout.CONFIG))
        self.whole, self.folder, self.name = whole, folder, name
        self.state = folder / "state"
        self.options = {"windows": whole / layout.WINDOWS.format(**RUN), "device": "cpu"}
        self.options |= {"state": self.state, "code": "as it is"}
        if name == "pretrain":
            job = jobs.pretrain("event_rnn", "vae")
            self.options |= {"dataset": RUN["dataset"], "seed": 0}
        else:
            job = jobs.finetune("tiny", "event_rnn", "vae_finetune", 1.0)
            self.options |= RUN | {"encoder": whole / MADE["pretrain"]["encoder"]}
        self.options["settings"] = job.to_json()
        for made, path in MADE[name].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            self.options[made] = folder / path

    def start(self, *launcher, every_s=0.02, **changes):
        """Start the step, or a launcher of it."""
        command = [sys.executable, *(launcher or ("-m", "seqbench.steps", self.name))]
        for name, value in (self.options | {"state-every-s": every_s} | changes).items():
            command += [f"--{name}", str(value)]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(self, **changes):
        """Run the step to its end and return its output."""
        process = self.start(**changes)
        output, _ = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, output
        return output

    def assert_as_uninterrupted(self):
        assert trained(self.folder, self.name) == trained(self.whole, self.name)
        assert not self.state.exists()
        assert [path for path in self.folder.rglob(".*") if path.suffix == ".tmp"] == []


@pytest.fixture
def finetune(warm, whole, tmp_path):
    return Step(whole, tmp_path, "finetune")


@pytest.mark.parametrize("number", KILLS)
def test_death_at_any_moment_leaves_no_trace(warm, whole, tmp_path, number, wait_for, trained_by):
    step = Step(whole, tmp_path, ["pretrain", "finetune"][number % 2])
    cost = read_model(whole / layout.MODEL.format(**RUN)).header.cost.model_dump()
    moment = random.Random(number).uniform(0, 1.2) * cost[STAGES[step.name][1]]
    process = step.start()
    training = wait_for(lambda: trained_by(step.state))
    time.sleep(moment)
    kill([training])
    process.communicate(timeout=DEADLINE_S)
    was_kept = (step.state / "state.safetensors").exists()

    output = step.finish()

    assert ("training goes on after step" in output) == was_kept
    step.assert_as_uninterrupted()


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize(
    ("name", "target", "count"),
    [
        ("pretrain", "state.safetensors", 5),
        ("finetune", "history.csv", 1),
        *(
            pytest.param(*case, marks=pytest.mark.full)
            for case in [
                ("pretrain", "state.safetensors", 1),
                ("pretrain", "encoder.safetensors", 1),
                ("pretrain", "history.csv", 1),
                ("finetune", "state.safetensors", 1),
                ("finetune", "state.safetensors", 5),
                ("finetune", "model.safetensors", 1),
                ("finetune", "transfer.json", 1),
            ]
        ),
    ],
)
def test_death_between_writing_and_renaming_leaves_no_trace(whole, tmp_path, name, target, count):
    step = Step(whole, tmp_path, name)
    launcher = ("-c", LAUNCH_DYING)
    process = step.start(*launcher, target, str(count), f"seqbench.steps.{name}")
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + signal.SIGKILL, output
    assert [path for path in tmp_path.rglob(".*.tmp")]

    step.finish()

    step.assert_as_uninterrupted()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGUSR1, marks=pytest.mark.full)]
)
def test_a_signal_to_the_launcher_of_a_step_reaches_it(finetune, number, wait_for):
    process = finetune.start(every_s=0.3)
    wait_for(lambda: (finetune.state / "state.safetensors").exists())
    process.send_signal(number)
    output, _ = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 75, output
    assert f"stopped by {signal.Signals(number).name} after step" in output
    assert "goes on after step" in finetune.finish()
    finetune.assert_as_uninterrupted()


@pytest.mark.full
def test_a_step_that_runs_by_itself_takes_signals_too(finetune, monkeypatch, wait_for):
    monkeypatch.delenv("SEQBENCH_FORK_SERVER")
    process = finetune.start(every_s=0.3)
    wait_for(lambda: (finetune.state / "state.safetensors").exists())
    process.terminate()
    output, _ = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 75, output
    assert "goes on after step" in finetune.finish()
    finetune.assert_as_uninterrupted()


def test_a_step_ends_with_the_fork_server(
    whole, tmp_path, monkeypatch, processes_in, wait_for, trained_by
):
    monkeypatch.delenv("SEQBENCH_FORK_SERVER", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    stop = fork_server.start()
    finetune = Step(whole, tmp_path, "finetune")
    process = finetune.start(every_s=0.3)
    wait_for(lambda: (finetune.state / "state.safetensors").exists())
    status = Path(f"/proc/{trained_by(finetune.state)}/status").read_text().splitlines()
    [server] = [int(line.split()[1]) for line in status if line.startswith("PPid:")]

    kill([server])
    output, _ = process.communicate(timeout=DEADLINE_S)
    stop()
    wait_for(lambda: not processes_in(finetune.folder))

    assert process.returncode != 0
    assert "run the workflow again" in output
    assert "goes on after step" in finetune.finish()
    finetune.assert_as_uninterrupted()


def test_two_writers_of_one_run_do_not_mix(finetune, tmp_path, wait_for, trained_by):
    first = finetune.start()
    wait_for(lambda: trained_by(finetune.state))
    second = finetune.start()
    output = [process.communicate(timeout=DEADLINE_S)[0] for process in (first, second)]

    assert [process.returncode for process in (first, second)] == [0, 0], output
    assert "waiting up to 60 s for process" in output[1]
    finetune.assert_as_uninterrupted()


def test_a_state_of_another_training_is_not_continued(finetune, tmp_path, wait_for, trained_by):
    process = finetune.start()
    wait_for(lambda: (finetune.state / "state.safetensors").exists())
    kill([trained_by(finetune.state)])
    process.communicate(timeout=DEADLINE_S)
    kept = shutil.copytree(finetune.state, tmp_path / "kept")
    settings = json.loads(finetune.options["settings"])
    settings["optimizer"]["learning_rate"] *= 2
    other_windows = tmp_path / "windows.h5"
    windows = {split: read_windows(finetune.options["windows"], split) for split in SPLITS}
    noted = {split: replace(one, source={"note": "other"}) for split, one in windows.items()}
    write_windows(other_windows, noted)
    changes = {
        "windows": {"windows": other_windows},
        "code": {"code": "that"},
        "settings": {"settings": json.dumps(settings)},
    }

    for name, change in changes.items():
        shutil.copytree(kept, finetune.state, dirs_exist_ok=True)
        output = finetune.finish(**change)
        assert f"of a training with other {name}; training starts anew" in output

    found = trained(finetune.folder, "finetune")
    finetune.finish(**change)
    assert trained(finetune.folder, "finetune") == found
