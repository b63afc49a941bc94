"""Searches of options: what they run, and what they run again."""

import copy
import csv
import json

import pytest
import yaml

from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import jobs_of

pytestmark = pytest.mark.workflow

# As configured nothing is learned; of the trials only the third, with 0.01, learns.
SEARCHED = {
    "runs": [{"datasets": ["tiny"], "architectures": ["mlp"], "seeds": [0]}],
    "baselines": ["majority"],
    "datasets": {"tiny": {"source": "waves", "n_windows": 80, "window_samples": 20}},
    "finetune": {"epochs": 2, "min_steps_per_epoch": 20, "learning_rate": 1e-9},
    "architectures": {
        "mlp": {"tune": {"trials": 3, "space": {"learning_rate": [1e-8, 1e-2, 1e-7]}}}
    },
    "tensorboard": False,
}
CHOICE = "results/tune/tiny/mlp/choice.json"
MODEL = "results/finetune/tiny/mlp/scratch/labels1/seed0/model.safetensors"


@pytest.fixture
def searched(snakemake, tmp_path):
    """Return a function that runs, or plans, the benchmark with a number of trials."""

    def run(n_trials, *options, **changes):
        raw = copy.deepcopy(SEARCHED) | changes
        raw["architectures"]["mlp"]["tune"]["trials"] = n_trials
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(raw))
        done = snakemake(*options, folder=tmp_path, config=config)
        assert done.returncode == 0, done.output[-5000:]
        return done

    return run


def test_one_more_trial_runs_alone_and_models_are_trained_again_where_the_choice_changes(
    searched, tmp_path
):
    def chosen():
        return json.loads((tmp_path / CHOICE).read_text())["options"]

    def files():
        found = (tmp_path / "results").rglob("*")
        return {p: p.stat().st_mtime_ns for p in found if p.suffix in (".safetensors", ".h5")}

    searched(3)
    assert chosen() == {"learning_rate": 0.01}
    assert ">tuned<" in (tmp_path / "results/report.html").read_text()
    with (tmp_path / "results/tables/_trials.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["trial"] for row in rows if row["is_chosen"] == "True"] == ["2"]
    before = files()

    planned = searched(4, "--dry-run").jobs
    assert planned == {"all": 1, "tune": 1, "choose": 1, "report": 1}
    searched(4)
    assert chosen() == {"learning_rate": 0.01}
    assert files() == before

    searched(2)  # without the trial that was chosen
    assert chosen() == {"learning_rate": 1e-8}
    changed = {str(p.relative_to(tmp_path)) for p, when in files().items() if before[p] != when}
    assert MODEL in changed
    assert all("/mlp/" in path or "/best/" in path for path in changed)
    assert searched(2, "--dry-run").jobs == {}


def test_by_halving_one_more_trial_runs_and_only_those_train_longer_that_are_new(
    snakemake, tmp_path
):
    """As configured and in the first three trials nothing is learned; the fourth learns."""
    raw = copy.deepcopy(SEARCHED)
    raw["finetune"] |= {"epochs": 6, "warmup_epochs": 0}
    config = tmp_path / "config.yaml"

    def run(n_trials, *options):
        space = {"learning_rate": [1e-8, 1e-2, 1e-7, 1e-6]}
        search = {"trials": n_trials, "method": "halving", "space": space}
        raw["architectures"] = {"mlp": {"tune": search}}
        config.write_text(yaml.safe_dump(raw))
        done = snakemake(*options, folder=tmp_path, config=config)
        assert done.returncode == 0, done.output[-5000:]
        return done

    def trials():
        found = (tmp_path / "results/tune/tiny/mlp").glob("rung*/trial*.json")
        return {f"{p.parent.name}/{p.stem}": p.stat().st_mtime_ns for p in found}

    def chosen():
        return json.loads((tmp_path / CHOICE).read_text())["trial"]

    run(3)
    before = trials()
    assert before.keys() >= {"rung0/trial0", "rung0/trial1", "rung0/trial2", "rung1/trial0"}
    assert len(before) <= 5  # three short ones, the best of them, and the options as configured

    planned = run(4, "--dry-run").jobs
    assert planned == {"all": 1, "tune": 1, "promote": 1, "choose": 1, "report": 1}
    run(4)
    after = trials()
    assert after.keys() - before.keys() == {"rung0/trial3", "rung1/trial3"}
    assert before.items() <= after.items()
    assert chosen() == 3
    with (tmp_path / "results/tables/_trials.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["trial"] == "3"]
    assert [(row["rung"], row["epochs"]) for row in rows] == [("0", "2"), ("1", "6")]
    assert run(4, "--dry-run").jobs == {}


def test_the_jobs_of_a_search_are_those_that_the_plan_has(searched):
    both = {
        "baselines": ["majority", "logistic_regression"],
        "baseline_options": {
            "logistic_regression": {"tune": {"trials": 2, "space": {"n_folds": [2]}}}
        },
    }

    planned = searched(3, "--dry-run", **both).jobs

    steps = [job.step for job in jobs_of(Plan(Benchmark.load(SEARCHED | both)))]
    assert planned == {step: steps.count(step) for step in steps} | {"all": 1}
