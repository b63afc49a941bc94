"""Encoders from other datasets and files, and models on test of other datasets."""

import copy
import csv
import json
from collections import Counter

import pytest
import yaml

from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import jobs_of

pytestmark = pytest.mark.workflow

WAVES = {"source": "waves", "n_windows": 60, "window_samples": 40}
SHORT = {"epochs": 1, "min_steps_per_epoch": 1}
ACROSS = {
    "runs": [
        {
            "datasets": ["here"],
            "architectures": ["cnn1d"],
            "arms": ["scratch", "masked_from_there_finetune"],
            "seeds": [0],
            "test_on": ["there"],
        }
    ],
    "baselines": ["majority"],
    "datasets": {"here": WAVES, "there": WAVES | {"seed": 1, "window_samples": 50}},
    "architectures": {"cnn1d": {"widths": [4, 4, 4]}},
    "pretrain": SHORT,
    "finetune": SHORT,
    "tensorboard": False,
}
MODEL = "results/finetune/here/cnn1d/scratch/labels1/seed0/model.safetensors"


def with_file(file):
    """Return the benchmark with a model that starts from a file."""
    raw = copy.deepcopy(ACROSS)
    raw["runs"].append(
        {
            "datasets": ["here"],
            "architectures": ["cnn1d-file"],
            "arms": ["from_file_finetune"],
            "seeds": [0],
        }
    )
    raw["architectures"]["cnn1d-file"] = {"of": "cnn1d", "widths": [4, 4, 4], "init": str(file)}
    return raw


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("across")


@pytest.fixture(scope="module")
def run(snakemake, folder):
    """Return a function that runs, or plans, a benchmark, and returns the rules that it named."""

    def run(raw, *options):
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(raw))
        done = snakemake(*options, folder=folder, config=config)
        assert done.returncode == 0, done.output[-5000:]
        words = [line.split() for line in done.output.splitlines()]
        return {word[1].rstrip(":") for word in words if word[:1] in (["rule"], ["localrule"])}

    return run


def test_snakemake_plans_the_jobs_of_the_plan(planned, tmp_path):
    (tmp_path / "file").write_bytes(b"a model")
    raw = with_file(tmp_path / "file")

    jobs = jobs_of(Plan(Benchmark.load(raw)))

    own = Counter(job.rule for job in planned(raw))
    assert Counter(job.step for job in jobs) == {k: n for k, n in own.items() if k != "all"}


def test_an_encoder_comes_from_another_dataset_and_models_go_to_its_test(run, folder):
    run(ACROSS)

    transfer = folder / "results/finetune/here/cnn1d/masked_from_there_finetune/labels1/seed0"
    assert json.loads((transfer / "transfer.json").read_text())["fraction"] == 1.0
    assert (folder / "results/pretrain/there/cnn1d/masked/seed0/encoder.safetensors").exists()
    with (folder / "results/tables/_cross.csv").open() as table:
        cells = {(row["arm"], row["trained_on"], row["tested_on"]) for row in csv.DictReader(table)}
    arms = ("scratch", "masked_from_there_finetune", "baseline")
    assert cells == {(arm, "here", name) for arm in arms for name in ("here", "there")}
    page = (folder / "results/report.html").read_text()
    assert 'id="cross"' in page
    assert "masked_from_there_finetune" in page
    with (folder / "results/summary.csv").open() as table:
        assert {row["dataset"] for row in csv.DictReader(table)} == {"here"}


def test_a_run_depends_on_the_content_of_the_file_that_it_starts_from(run, folder):
    file = folder / "file.safetensors"
    content = (folder / MODEL).read_bytes()
    file.write_bytes(content)
    made = run(with_file(file))
    assert {"finetune", "evaluate"} <= made
    assert not {"pretrain", "ingest", "window", "overlap", "cross_evaluate"} & made

    file.touch()
    assert run(with_file(file), "--dry-run") == set()
    file.write_bytes(content + b" ")
    assert "finetune" in run(with_file(file), "--dry-run")
