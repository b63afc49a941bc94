"""The profile for SLURM on a real cluster; every test waits for runs that go on side by side."""

import csv
import re

import pytest

from seqbench import layout

pytestmark = [pytest.mark.workflow, pytest.mark.slurm]
DEADLINE_S = 600  # of anything; what is waited for takes a minute where nothing else runs
LENGTHY = {
    "dataset": "tiny",
    "architecture": "lengthy",
    "arm": "scratch",
    "labels": "1",
    "seed": "0",
}


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
def disturbed(cluster, runs, scenarios, job_of, wait_until):
    """Disturb jobs from outside: cancel one, requeue one, and lose the node of a training."""
    cluster.ask("scancel", job_of("cancelled")["id"])
    wait_until((scenarios.folder / "requeued.mark").exists, DEADLINE_S, "the job works")
    cluster.ask("scontrol", "requeue", job_of("requeued")["id"])
    training = runs["benchmark"].folder / layout.log("finetune").format(**LENGTHY)
    wait_until(training.exists, DEADLINE_S, "the lengthy run trains")
    [job] = jobs(cluster, "training")
    cluster.lose_node(job["node"])
    return job


@pytest.fixture(scope="module")
def told(scenarios, disturbed):
    """Return what Snakemake said of all scenarios, when the last has ended."""
    assert scenarios.wait(DEADLINE_S) == 1
    return scenarios.output


def jobs(cluster, rule):
    """Return the jobs that SLURM knows of a rule or group, oldest first."""
    found = [job for job in cluster.jobs() if job["comment"].startswith(f"rule_{rule}")]
    return sorted(found, key=lambda job: int(job["id"]))


def scores(folder):
    """Return the rows of the summary that a machine has no part in."""
    with (folder / layout.SUMMARY).open() as file:
        return [row for row in csv.DictReader(file) if row["split"] != "cost"]


def test_a_job_with_a_gpu_is_on_such_a_node_and_sees_one(scenarios, told):
    node, devices = (scenarios.folder / "device.txt").read_text().split()

    assert node in ("gpu1", "gpu2")
    assert devices in ("0", "1")


def test_a_job_that_fails_is_tried_again_with_more_memory_and_time(cluster, scenarios, told):
    first, second = jobs(cluster, "failed_once")

    assert (first["state"], first["memory"], first["limit"]) == ("FAILED", "2000M", "10:00")
    assert (second["state"], second["memory"], second["limit"]) == ("COMPLETED", "4000M", "20:00")
    assert (scenarios.folder / "failed_once.txt").exists()


def test_a_job_over_its_time_is_ended_and_reported(cluster, told):
    [job] = jobs(cluster, "too_slow")

    assert job["state"] == "TIMEOUT"
    assert f"SLURM-job '{job['id']}' failed" in told


def test_a_job_cancelled_from_outside_is_reported(cluster, told):
    [job] = jobs(cluster, "cancelled")

    assert job["state"] == "CANCELLED"
    assert f"SLURM-job '{job['id']}' failed" in told


def test_a_requeued_job_is_waited_for(cluster, scenarios, told):
    [job] = jobs(cluster, "requeued")

    assert job["state"] == "COMPLETED"
    assert (scenarios.folder / "requeued.txt").exists()


def test_an_impossible_request_is_refused_with_the_reason(cluster, told):
    assert jobs(cluster, "impossible") == []
    reason = r"sbatch: error: Batch job submission failed: (Requested node|More processors)"
    assert re.search(r"Error in rule impossible:\s+message: SLURM sbatch failed.*" + reason, told)


def test_every_step_is_on_its_partition(cluster, runs, disturbed):
    assert runs["benchmark"].wait(DEADLINE_S) == 0, runs["benchmark"].output[-3000:]
    partitions = {
        group: {job["partition"] for job in jobs(cluster, group)}
        for group in ("data", "pretraining", "training", "baseline", "report")
    }

    assert partitions == {
        "data": {"cpu"},
        "pretraining": {"gpu"},
        "training": {"gpu"},
        "baseline": {"cpu"},
        "report": {"cpu"},
    }


def test_runs_are_packed_into_few_jobs(cluster, runs, disturbed):
    assert runs["benchmark"].wait(DEADLINE_S) == 0

    assert len(jobs(cluster, "training")) == 1  # three runs of two steps
    assert len(jobs(cluster, "data")) == 1  # two steps


def test_a_training_outlives_its_node(cluster, runs, disturbed):
    assert runs["benchmark"].wait(DEADLINE_S) == 0
    [job] = [job for job in cluster.jobs() if job["id"] == disturbed["id"]]

    assert job["state"] == "COMPLETED"
    assert job["node"] != disturbed["node"]


def test_the_cluster_gives_the_numbers_of_a_local_run(runs, disturbed):
    assert runs["local"].wait(DEADLINE_S) == 0, runs["local"].output[-3000:]
    assert runs["benchmark"].wait(DEADLINE_S) == 0

    assert scores(runs["benchmark"].folder) == scores(runs["local"].folder)
