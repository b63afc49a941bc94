from collections import Counter
from pathlib import Path

from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import STEPS, jobs_of

ROOT = Path(__file__).parents[3]


def test_the_jobs_of_the_shipped_config_are_those_that_snakemake_plans():
    jobs = jobs_of(Plan(Benchmark.read(ROOT / "config.yaml")))

    # As `test_the_shipped_config_plans_every_run_of_its_grids` has it of a dry run.
    assert Counter(job.step for job in jobs) == {
        "ingest": 8,
        "window": 8,
        "pretrain": 2 * 2 * 3,
        "finetune": 3 * 5 * 3 + 2 * 2 * 2 * 3 + (1 + 1 + 2 + 2 + 2) * 3,
        "fit_baseline": 3 * (1 + 3 + 1) + 3 + 1 + 1 + 3 + 1,
        "evaluate": 93 + 24,
        "best": 8,
        "report": 1,
    }
    assert {job.step for job in jobs} == set(STEPS)


def test_each_job_stands_behind_those_whose_outputs_it_reads():
    plan = Plan(Benchmark.read(ROOT / "tests" / "data" / "config.smoke.yaml"))
    made: set[str] = set()

    for job in jobs_of(plan):
        assert set(job.inputs) <= made, job.name
        assert made.isdisjoint(job.outputs), job.name
        made |= set(job.outputs)


def test_folds_are_windows_of_one_dataset():
    grid = {"datasets": ["halves"], "architectures": ["cnn1d"], "seeds": [0]}
    halves = {"source": "waves", "split": {"folds": 2}}
    plan = Plan(Benchmark.load({"runs": [grid], "baselines": [], "datasets": {"halves": halves}}))
    jobs = jobs_of(plan)

    assert Counter(job.step for job in jobs) == {
        "ingest": 1, "window": 2, "finetune": 2, "evaluate": 2, "best": 1, "report": 1,
    }  # fmt: skip
    assert {job.dataset for job in jobs if job.step != "report"} == {"halves"}
