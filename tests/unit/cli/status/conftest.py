"""A small plan, and files as its jobs leave them."""

import os

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import jobs_of

BEGUN = "begun {begun} by process {process} on {machine}\n"
NOON = "2026-11-22T12:00:00+00:00"


class Folder:
    """Where jobs leave their files, each a second younger than the one before."""

    def __init__(self, root, plan):
        self.root = root
        self.plan = plan
        self.jobs = jobs_of(plan)
        self._now = 1_000_000_000

    def job(self, step, name=""):
        """Return the first job of a step whose name has a part."""
        return next(job for job in self.jobs if job.step == step and name in job.name)

    def write(self, path, text=""):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self._now += 1
        os.utime(target, (self._now, self._now))

    def make(self, *jobs):
        for job in jobs:
            for path in job.outputs:
                self.write(path)

    def log(self, job, text="", *, begun=NOON, process=1, machine="elsewhere"):
        """Write a log that begins as it should."""
        self.write(job.log, BEGUN.format(begun=begun, process=process, machine=machine) + text)

    def log_done(self, job, wall_s, cpu_s, **begun_by):
        self.log(job, f"done after {wall_s} s, {cpu_s} s of processor time\n", **begun_by)


@pytest.fixture
def plan():
    grid = {"datasets": ["waves"], "architectures": ["cnn1d"], "seeds": [0, 1]}
    pretrained = grid | {"arms": ["scratch", "autoencoder_finetune"]}
    return Plan(Benchmark.load({"runs": [pretrained], "baselines": ["majority"]}))


@pytest.fixture
def folder(tmp_path, plan):
    return Folder(tmp_path, plan)
