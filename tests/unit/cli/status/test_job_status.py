"""How jobs stand, from files alone: done, running, failed, stopped or waiting."""

import os
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from seqbench import layout
from seqbench.cli.main import main
from seqbench.cli.status.job_status import Progress, job_statuses
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import jobs_of
from seqbench.reporting.read.promotions import read_promotions
from seqbench.storage.atomic import write_text
from seqbench.storage.model_header import CourseRecord, StateHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.trials import Promotion, write_promotion

from .conftest import Folder

NOON = "2026-11-22T12:00:00+00:00"


@pytest.fixture
def stand(folder):
    """Return the status of one job."""

    def of(job):
        [one] = [one for one in job_statuses(folder.jobs, folder.root) if one.job is job]
        return one

    return of


def states(folder):
    return {one.state for one in job_statuses(folder.jobs, folder.root)}


def test_everything_waits_where_nothing_is_and_is_done_where_all_outputs_are(folder):
    assert states(folder) == {"waiting"}
    assert list(folder.root.iterdir()) == []

    folder.make(*folder.jobs)
    assert states(folder) == {"done"}


def test_looking_changes_nothing(folder):
    folder.make(*folder.jobs[:4])
    folder.log(folder.jobs[5], "error: a.csv: empty\n")
    before = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")}

    job_statuses(folder.jobs, folder.root)

    assert {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")} == before


def test_a_model_that_was_trained_anew_has_to_be_scored_again(folder, stand):
    folder.make(*folder.jobs)
    folder.make(folder.job("finetune"))

    assert stand(folder.job("finetune")).state == "done"
    assert stand(folder.job("evaluate")).state == "waiting"
    assert stand(folder.job("report")).state == "waiting"
    assert stand(folder.job("evaluate", "seed1")).state == "done"


def test_windows_that_were_cut_anew_leave_nothing_of_the_dataset_done(folder):
    folder.make(*folder.jobs)
    folder.make(folder.job("window"))
    found = job_statuses(folder.jobs, folder.root)

    assert {one.job.step for one in found if one.state == "done"} == {"ingest", "window"}


def test_files_that_are_there_but_older_than_what_they_were_made_from_are_outdated(folder, stand):
    folder.make(*folder.jobs)
    assert not stand(folder.job("window")).is_outdated

    folder.make(folder.job("ingest"))
    assert stand(folder.job("window")).is_outdated
    assert stand(folder.job("report")).is_outdated

    (folder.root / folder.job("window").outputs[0]).unlink()
    assert not stand(folder.job("window")).is_outdated


def test_a_folder_was_made_when_snakemake_noted_it(folder, stand):
    best = folder.job("best")
    [path] = best.outputs
    folder.make(*(job for job in folder.jobs if job is not best))
    (folder.root / path).mkdir(parents=True)
    os.utime(folder.root / path, (1, 1))
    assert stand(best).state == "waiting"

    folder.write(f"{path}/.snakemake_timestamp")
    assert stand(best).state == "done"


def test_what_is_gone_is_missed_only_where_something_is_to_be_made_from_it(folder, stand):
    folder.make(*folder.jobs)
    for path in folder.job("pretrain").outputs:
        if path.endswith("safetensors"):
            (folder.root / path).unlink()
    assert states(folder) == {"done"}

    for job in (
        folder.job("finetune", "autoencoder"),
        folder.job("evaluate", "autoencoder"),
        folder.job("report"),
    ):
        (folder.root / job.outputs[0]).unlink()
    assert stand(folder.job("pretrain")).state == "waiting"


def test_a_failed_job_shows_why_and_what_waits_for_it(folder, stand):
    folder.make(folder.job("ingest"))
    folder.log(folder.job("window"), "error: waves: no window is left\n")

    assert stand(folder.job("window")).state == "failed"
    assert stand(folder.job("window")).sentence == "waves: no window is left"
    assert stand(folder.job("report")).waits_for_failed


def test_what_needs_nothing_that_failed_does_not_wait_for_it(folder, stand):
    folder.make(folder.job("ingest"), folder.job("window"))
    folder.log(folder.job("pretrain", "seed0"), "error: loss is no number\n")

    assert stand(folder.job("finetune", "autoencoder_finetune/labels1/seed0")).waits_for_failed
    assert not stand(folder.job("finetune", "autoencoder_finetune/labels1/seed1")).waits_for_failed


def test_the_failure_of_a_job_that_was_done_since_is_forgotten(folder, stand):
    folder.make(folder.job("ingest"))
    folder.log(folder.job("ingest"), "error: no network\n")

    assert stand(folder.job("ingest")).state == "done"


def test_a_job_runs_as_long_as_its_process_lives(folder, stand):
    job = folder.job("evaluate")
    path = folder.root / job.log
    path.parent.mkdir(parents=True)
    with path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=log
        )
    begun_by = {"process": process.pid, "machine": os.uname().nodename}
    folder.log(job, **begun_by)

    assert stand(job).state == "running"
    process.kill()
    process.communicate(timeout=600)
    assert stand(job).state == "stopped"
    assert "without a message" in stand(job).sentence


def test_a_job_on_another_machine_is_believed_and_its_silence_shown(folder, stand):
    folder.log(folder.job("ingest"))
    path = folder.root / folder.job("ingest").log
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    one = stand(folder.job("ingest"))

    assert one.state == "running"
    assert 3600 <= one.silent_s < 3700


def test_a_job_that_was_asked_to_end_has_not_failed(folder, stand):
    folder.log(folder.job("finetune"), "stopped by SIGTERM; run this again\n")

    assert stand(folder.job("finetune")).state == "stopped"
    assert stand(folder.job("finetune")).sentence == "stopped by SIGTERM"


@pytest.mark.parametrize(
    "text",
    [
        "begun 2026-11-22T12:00:00 by process 1 on elsewhere\n",  # of no time zone
        f"begun {NOON} by process {10**30} on elsewhere\n",
        f"begun {NOON} by process 1 on elsewhere\ndone after 1.2.3 s, 1 s of processor time\n",
        f"begun {NOON} by process 1 on x\ndone after {'9' * 400} s, 1 s of processor time\n",
        "\0\0\xff",
    ],
)
def test_a_log_that_nobody_wrote_so_stops_nothing(text, folder, capsys):
    write_text(folder.root / layout.CONFIG, folder.plan.benchmark.to_yaml())
    folder.write(folder.job("ingest").log, text)

    with pytest.raises(SystemExit, match="3"):
        main(["status", "--directory", str(folder.root)])

    assert "ingest" in capsys.readouterr().out


@pytest.mark.timeout(60)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(folder, stand):
    job = folder.job("finetune", "scratch/labels1/seed0")
    for path in (job.log, job.state, job.cost[0]):
        (folder.root / path).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(folder.root / path)

    assert stand(job).state == "waiting"
    assert stand(job).progress is None
    assert stand(job).duration is None


def test_an_empty_log_is_that_of_a_job_that_starts_unless_it_is_old(folder, stand):
    path = folder.root / folder.job("ingest").log
    path.parent.mkdir(parents=True)
    path.touch()
    assert stand(folder.job("ingest")).state == "running"

    os.utime(path, (1, 1))
    assert stand(folder.job("ingest")).state == "stopped"


def write_state(path, n_steps):
    course = CourseRecord(
        epoch=3,
        history=[],
        best_loss=1.0,
        best_epoch=1,
        schedule={},
        train_s=12.5,
        train_cpu_s=12.5,
    )
    arrays = {"losses": np.zeros(n_steps)}
    write_model(path, StoredModel(arrays, StateHeader(identity={}, course=course)))


@pytest.mark.parametrize("n_steps", [7, 0])
def test_the_place_of_a_training_is_that_of_its_state(n_steps, folder, stand):
    job = folder.job("finetune")
    write_state(folder.root / job.state, n_steps)

    assert stand(job).progress == Progress(epoch=3, n_steps=n_steps, train_s=12.5)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:100],
        lambda text: text.replace(b"seqbench model", b"somebody model"),
        lambda text: text.replace(b'best_epoch\\": 1', b'best_epoch\\": x'),
    ],
    ids=["cut", "of another format", "no number"],
)
def test_a_state_that_is_damaged_shows_no_place(damage, folder, stand):
    job = folder.job("finetune")
    write_state(folder.root / job.state, 7)
    (folder.root / job.state).write_bytes(damage((folder.root / job.state).read_bytes()))

    assert stand(job).progress is None


def test_trials_that_may_go_on_wait_until_their_rung_is_ranked(tmp_path):
    grid = {"datasets": ["waves"], "architectures": ["mlp"], "seeds": [0]}
    search = {"trials": 4, "method": "halving", "factor": 2}
    plan = Plan(Benchmark.load({"runs": [grid], "baselines": [], "tune": search}))

    def trials():
        jobs = jobs_of(plan, read_promotions(plan, tmp_path))
        found = [one for one in job_statuses(jobs, tmp_path) if one.job.step == "tune"]
        return Counter((one.job.name.split("/")[2], one.state) for one in found)

    def go_on(rung, *numbers):
        path = tmp_path / layout.PROMOTION.format(dataset="waves", architecture="mlp", rung=rung)
        promotion = Promotion(dataset="waves", architecture="mlp", rung=rung, trials=numbers)
        write_promotion(path, promotion)

    folder = Folder(tmp_path, plan)
    folder.make(*(job for job in folder.jobs if "/rung0/" in job.name))
    at_most = {("rung1", "waiting"): 3, ("rung2", "waiting"): 2}
    assert trials() == {("rung0", "done"): 4} | at_most

    go_on(0, 0, 3)  # as configured is one of the best two
    folder.write(layout.TRIAL.format(dataset="waves", architecture="mlp", rung=1, trial=3))
    assert trials() == {
        ("rung0", "done"): 4, ("rung1", "done"): 1, ("rung1", "waiting"): 1, ("rung2", "waiting"): 2
    }  # fmt: skip

    go_on(0, 0, 9)  # of a search of more trials, as it was
    assert trials() == {("rung0", "done"): 4} | at_most


def test_a_choice_made_again_leaves_models_as_they_are_but_until_then_they_wait(tmp_path):
    grid = {"datasets": ["waves"], "architectures": ["mlp"], "seeds": [0]}
    raw = {"runs": [grid], "baselines": [], "tune": {"trials": 2}}
    folder = Folder(tmp_path, Plan(Benchmark.load(raw)))
    folder.make(*folder.jobs)

    folder.make(folder.job("tune"))
    waiting = {one.job.step for one in job_statuses(folder.jobs, tmp_path) if one.state != "done"}
    assert waiting == {"choose", "finetune", "evaluate", "best", "report"}

    folder.make(folder.job("choose"))
    waiting = {one.job.step for one in job_statuses(folder.jobs, tmp_path) if one.state != "done"}
    assert waiting == {"report"}  # which shows the trials
