"""The profile for SLURM on a real cluster; every test waits for runs that go on side by side."""

import csv
import re
from itertools import pairwise

import pytest

from seqbench import layout
from seqbench.process.step_log import read_log
from seqbench.storage.models import read_model

DEADLINE_S = 1800  # of anything; what is waited for takes minutes where nothing else runs
pytestmark = [pytest.mark.workflow, pytest.mark.slurm, pytest.mark.timeout(2 * DEADLINE_S)]
LENGTHY = [
    {"dataset": "tiny", "architecture": "lstm", "arm": "scratch", "labels": "1", "seed": seed}
    for seed in (0, 1)
]
DIVIDED = {"dataset": "tiny", "architecture": "cnn1d", "arm": "scratch", "labels": "1", "seed": 0}


@pytest.fixture(scope="module")
def scenarios(runs):
    return runs["scenarios"]


@pytest.fixture(scope="module")
def job_of(cluster, scenarios, wait_until):
    """Return a function that waits until the first job of a scenario runs, and returns it."""

    def job(rule):
        def running():
            return [job for job in cluster.jobs("running") if job["comment"] == f"rule_{rule}"]

        wait_until(running, DEADLINE_S, f"{rule} runs")
        return running()[0]

    return job


@pytest.fixture(scope="module")
def disturbed(cluster, scenarios, job_of, wait_until):
    """Cancel one job and requeue one."""
    cluster.run("scancel", job_of("cancelled")["id"])
    wait_until((scenarios.folder / "requeued.mark").exists, DEADLINE_S, "the job works")
    cluster.run("scontrol", "requeue", job_of("requeued")["id"])


@pytest.fixture(scope="module")
def output(scenarios, disturbed):
    """Return the output of Snakemake on all scenarios, when the last has ended."""
    assert scenarios.wait(DEADLINE_S) == 1
    return scenarios.output


@pytest.fixture(scope="module")
def lengthy(runs):
    return runs["lengthy"]


def made(folder):
    """Return the lengthy trainings whose model is in place."""
    return [run for run in LENGTHY if (folder / layout.MODEL.format(**run)).exists()]


def state_of(run):
    """Return the folder of the state of a training."""
    return layout.state("finetune").format(**run)


def log_of(folder, run):
    return (folder / layout.log("finetune").format(**run)).read_text()


@pytest.fixture(scope="module")
def warned(cluster, lengthy, disturbed, wait_until, trained_by, held_until_asked_to_end):
    """Let the time of a job run out while its second training goes on; return both and the log."""
    folder = lengthy.folder
    wait_until(lambda: made(folder), DEADLINE_S, "one is done")
    [done] = made(folder)
    [other] = [run for run in LENGTHY if run != done]
    state = folder / state_of(other)
    wait_until(lambda: trained_by(state), DEADLINE_S, "the other trains")
    training = trained_by(state)
    with held_until_asked_to_end(training):
        [job] = jobs(cluster, lengthy, "training")
        cluster.run("scontrol", "update", f"jobid={job['id']}", "EndTime=now+90seconds")
    wait_until(lambda: trained_by(state) != training, DEADLINE_S, "the training ends")
    return done, other, log_of(folder, other)


@pytest.fixture(scope="module")
def preempted(cluster, lengthy, warned, wait_until, trained_by, held_until_asked_to_end):
    """Requeue the job in which the training goes on, as preemption does; return it and the log."""
    _, other, _ = warned
    state = lengthy.folder / state_of(other)
    wait_until(lambda: trained_by(state), DEADLINE_S, "the training goes on")
    training = trained_by(state)
    with held_until_asked_to_end(training):
        [job] = [job for job in jobs(cluster, lengthy, "training") if job["state"] == "RUNNING"]
        cluster.run("scontrol", "requeue", job["id"])
    wait_until(lambda: trained_by(state) != training, DEADLINE_S, "the training ends")
    return job, log_of(lengthy.folder, other)


@pytest.fixture(scope="module")
def lost(cluster, lengthy, warned, preempted, wait_until, trained_by):
    """Lose the node on which the interrupted training goes on; return the job as it was."""
    _, other, _ = warned
    folder = lengthy.folder / state_of(other)
    state = folder / "state.safetensors"
    wait_until(lambda: trained_by(folder), DEADLINE_S, "the training goes on")
    before = state.stat().st_mtime_ns
    wait_until(lambda: state.stat().st_mtime_ns > before, DEADLINE_S, "there is another state")
    [job] = [job for job in jobs(cluster, lengthy, "training") if job["state"] == "RUNNING"]
    cluster.lose_node(job["node"])
    return job


def jobs(cluster, run, rule):
    """Return the jobs that SLURM knows of a rule or group of a run, oldest first."""
    found = [
        job
        for job in cluster.jobs()
        if job["comment"].startswith(f"rule_{rule}") and job["folder"] == str(run.folder)
    ]
    return sorted(found, key=lambda job: int(job["id"]))


def span(log):
    """Return when the step of a log began and ended, in seconds."""
    found = read_log(log)
    begun = found.begun.timestamp()
    return begun, begun + found.wall_s


def scores(folder):
    """Return the rows of the summary that a machine has no part in."""
    with (folder / layout.SUMMARY).open() as file:
        return [row for row in csv.DictReader(file) if row["split"] != "cost"]


@pytest.mark.full
def test_a_training_that_is_warned_of_its_end_writes_a_state_and_leaves(warned):
    _, _, log = warned

    assert "stopped by SIGTERM after step" in log


@pytest.mark.full
def test_a_training_that_is_preempted_writes_a_state_and_goes_on_in_the_same_job(preempted, lost):
    job, log = preempted

    assert "stopped by SIGTERM after step" in log
    assert job["id"] == lost["id"]


@pytest.mark.full
def test_what_was_done_before_its_job_failed_is_not_trained_again(lengthy, warned, lost):
    assert lengthy.wait(DEADLINE_S) == 0, lengthy.output[-3000:]
    done, _, _ = warned

    assert "training goes on after step 0 of epoch 121" in log_of(lengthy.folder, done)


@pytest.mark.full
def test_a_training_that_ran_out_of_time_goes_on_in_a_job_with_more(cluster, lengthy, warned, lost):
    assert lengthy.wait(DEADLINE_S) == 0, lengthy.output[-3000:]
    _, other, _ = warned
    first, second = jobs(cluster, lengthy, "training")

    assert first["state"] == "FAILED"
    assert (second["state"], second["limit"]) == ("COMPLETED", "2:00:00")  # twice two of 30 min
    assert "training goes on after step" in log_of(lengthy.folder, other)


@pytest.mark.full
def test_a_training_outlives_its_node(cluster, lengthy, lost):
    assert lengthy.wait(DEADLINE_S) == 0, lengthy.output[-3000:]
    [job] = [job for job in cluster.jobs() if job["id"] == lost["id"]]

    assert job["state"] == "COMPLETED"
    assert job["node"] != lost["node"]


@pytest.mark.full
def test_what_was_disturbed_gives_the_weights_of_a_local_run(runs, lengthy, lost):
    assert runs["local_lengthy"].wait(DEADLINE_S) == 0, runs["local_lengthy"].output[-3000:]
    assert lengthy.wait(DEADLINE_S) == 0, lengthy.output[-3000:]

    for path in (layout.MODEL.format(**run) for run in LENGTHY):
        here, there = (
            read_model(runs[name].folder / path) for name in ("local_lengthy", "lengthy")
        )
        assert here.arrays.keys() == there.arrays.keys()
        for name, array in here.arrays.items():
            assert array.tobytes() == there.arrays[name].tobytes(), name
    assert scores(lengthy.folder) == scores(runs["local_lengthy"].folder)
    assert not (lengthy.folder / layout.STATES).exists()


def test_a_job_with_a_gpu_is_on_such_a_node_and_sees_one(scenarios, output):
    node, devices = (scenarios.folder / "device.txt").read_text().split()

    assert node in ("gpu1", "gpu2")
    assert devices in ("0", "1")


def test_a_job_that_fails_is_tried_again_with_more_memory_and_time(cluster, scenarios, output):
    first, second = jobs(cluster, scenarios, "failed_once")

    assert (first["state"], first["memory"], first["limit"]) == ("FAILED", "2000M", "10:00")
    assert (second["state"], second["memory"], second["limit"]) == ("COMPLETED", "4000M", "20:00")
    assert (scenarios.folder / "failed_once.txt").exists()


def test_a_job_over_its_time_is_ended_and_reported(cluster, scenarios, output):
    [job] = jobs(cluster, scenarios, "too_slow")

    assert job["state"] == "TIMEOUT"
    assert f"SLURM-job '{job['id']}' failed" in output


def test_a_job_cancelled_from_outside_is_reported(cluster, scenarios, output):
    [job] = jobs(cluster, scenarios, "cancelled")

    assert job["state"] == "CANCELLED"
    assert f"SLURM-job '{job['id']}' failed" in output


def test_a_requeued_job_is_waited_for(cluster, scenarios, output):
    [job] = jobs(cluster, scenarios, "requeued")

    assert job["state"] == "COMPLETED"
    assert (scenarios.folder / "requeued.txt").exists()


def test_an_impossible_request_is_refused_with_the_reason(cluster, scenarios, output):
    assert jobs(cluster, scenarios, "impossible") == []
    reason = r"sbatch: error: Batch job submission failed: (Requested node|More processors)"
    assert re.search(r"Error in rule impossible:\s+message: SLURM sbatch failed.*" + reason, output)


def test_a_job_out_of_memory_is_tried_again_with_more(cluster, scenarios, output):
    first, second = jobs(cluster, scenarios, "too_large")

    assert (first["state"], first["memory"]) == ("FAILED", "1000M")
    assert re.search(rf"StepId={first['id']}.0 exceeded memory limit", output)
    assert (second["state"], second["memory"]) == ("COMPLETED", "2000M")
    assert (scenarios.folder / "too_large.txt").exists()


@pytest.mark.full
def test_every_step_is_on_its_partition(cluster, runs):
    assert runs["benchmark"].wait(DEADLINE_S) == 0, runs["benchmark"].output[-3000:]
    partitions = {
        group: {job["partition"] for job in jobs(cluster, runs["benchmark"], group)}
        for group in ("data", "windows", "pretraining", "training", "baseline", "report")
    }

    assert partitions == {
        "data": {"short"},
        "windows": {"short"},
        "pretraining": {"gpushort"},
        "training": {"gpushort"},
        "baseline": {"short"},
        "report": {"short"},
    }


@pytest.mark.full
def test_runs_are_packed_into_few_jobs(runs):
    assert runs["benchmark"].wait(DEADLINE_S) == 0

    n_jobs = runs["benchmark"].output.count("has been submitted with SLURM jobid")
    n_steps = len(list((runs["benchmark"].folder / "results/logs").rglob("*.log")))
    assert n_jobs < n_steps / 2


@pytest.mark.full
def test_no_pack_asks_for_more_time_than_its_partition_gives(cluster, runs):
    assert runs["benchmark"].wait(DEADLINE_S) == 0

    # Two trainings of 20 minutes and evaluations of 10; three baselines of 10 and as much.
    limits = {job["limit"] for job in jobs(cluster, runs["benchmark"], "training")}
    assert limits == {"1:00:00"}
    [baselines] = jobs(cluster, runs["benchmark"], "baseline")
    assert baselines["limit"] == "1:00:00"


@pytest.mark.full
def test_members_of_a_pack_run_one_after_another(runs):
    assert runs["benchmark"].wait(DEADLINE_S) == 0
    logs = list((runs["benchmark"].folder / "results/logs/fit_baseline").rglob("*.log"))

    spans = sorted(span(log) for log in logs)

    assert len(spans) == 3
    assert all(stop <= start + 1 for (_, stop), (start, _) in pairwise(spans))  # whole seconds


def test_what_sbatch_refuses_is_shown_with_its_reason(runs):
    assert runs["refused"].wait(DEADLINE_S) == 1

    output = runs["refused"].output
    assert "sbatch: error: Batch job submission failed: Requested time limit is invalid" in output
    assert "Error in group" in output


@pytest.mark.full
def test_the_cluster_gives_the_numbers_of_a_local_run(runs):
    local, cluster = runs["local_benchmark"], runs["benchmark"]
    assert local.wait(DEADLINE_S) == 0, local.output[-3000:]
    assert cluster.wait(DEADLINE_S) == 0, cluster.output[-3000:]

    assert scores(cluster.folder) == scores(local.folder)
    assert not (cluster.folder / layout.STATES).exists()


@pytest.mark.full
def test_a_training_over_two_nodes_gives_the_weights_of_one_here(cluster, runs):
    here, there = runs["local_divided"], runs["divided"]
    assert here.wait(DEADLINE_S) == 0, here.output[-3000:]
    assert there.wait(DEADLINE_S) == 0, there.output[-3000:]

    [job] = jobs(cluster, there, "training")
    assert job["nodes"] == "2"
    model = layout.MODEL.format(**DIVIDED)
    found = [read_model(one.folder / model).arrays for one in (here, there)]
    assert found[0].keys() == found[1].keys()
    for name, array in found[0].items():
        assert array.tobytes() == found[1][name].tobytes(), name


@pytest.mark.full
def test_code_and_config_that_are_edited_while_it_runs_make_no_result(runs):
    edited = runs["edited"]

    assert edited.wait(DEADLINE_S) == 0, edited.output[-3000:]
    history = (edited.folder / layout.HISTORY.format(**DIVIDED)).read_text().splitlines()
    assert len(history) == 3  # two epochs, as at its start, and the names of columns
