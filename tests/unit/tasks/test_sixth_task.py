"""A task from one module of another package goes through every step."""

import csv
import importlib
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from seqbench import layout
from seqbench.config import plugins
from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.config.options import Options
from seqbench.config.registry import BASELINES, REGISTRIES, TASK_PROFILES, TASK_WINDOWS, TASKS
from seqbench.plan.job_code import JobCode
from seqbench.plan.plan import Plan, Run
from seqbench.process import code_digest
from seqbench.steps import evaluate, finetune, fit_baseline, ingest, report, window
from seqbench.tasks.scoring import metric_code

MODULE = "counting_task"
SOURCE = Path(__file__).parent.parent.parent / "data" / f"{MODULE}.py"
CONFIG = {
    "runs": [{"datasets": ["clicks"], "architectures": ["cnn1d"], "seeds": [0]}],
    "baselines": ["mean_count"],
    "datasets": {"clicks": {"source": "pulses", "window": {"length_samples": 32}}},
    "finetune": {"epochs": 2},
}


def forget() -> None:
    importlib.invalidate_caches()
    plugins.plugin_modules.cache_clear()
    code_digest._file.cache_clear()
    code_digest._parsed.cache_clear()
    for registry in REGISTRIES:
        vars(registry).pop("_entries", None)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The module beside its metadata, where Python looks for packages; and an empty folder."""
    site, work = tmp_path / "site", tmp_path / "work"
    metadata = site / f"{MODULE}-1.0.dist-info"
    metadata.mkdir(parents=True)
    work.mkdir()
    shutil.copy(SOURCE, site)
    (metadata / "METADATA").write_text(f"Name: {MODULE}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{plugins.GROUP}]\ncounting = {MODULE}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(work)
    forget()
    yield
    monkeypatch.undo()
    sys.modules.pop(MODULE, None)
    forget()
    for registry in REGISTRIES:
        for name in registry._objects.keys() - set(registry):
            del registry._objects[name]


@pytest.mark.usefixtures("installed")
def test_a_task_of_another_package_goes_through_every_step():
    plan = Plan(Benchmark.load(CONFIG))
    floor = plan.runs[-1]
    jobs = plan.job_settings
    files = {
        name: pattern.format(dataset="clicks")
        for name, pattern in (("recordings", layout.RECORDINGS), ("windows", layout.WINDOWS))
    }

    def start(step: ModuleType, settings: Options, run: Run | None = None, **paths: str) -> None:
        given = {"settings": settings.to_json()} | ({} if run is None else vars(run)) | paths
        step.main([text for key, value in given.items() for text in (f"--{key}", str(value))])

    start(ingest, jobs.ingest("clicks"), recordings=files["recordings"])
    start(window, jobs.window("clicks"), **files)
    for run in plan.runs:
        one = {"windows": files["windows"], "model": run.fill(layout.MODEL)}
        if run is floor:
            start(fit_baseline, jobs.fit_baseline("clicks", "mean_count"), run, **one)
        else:
            beside = {"history": run.fill(layout.HISTORY), "transfer": run.fill(layout.TRANSFER)}
            start(finetune, jobs.finetune("clicks", "cnn1d", "scratch", 1.0), run, **one, **beside)
        scored = {
            "predictions": run.fill(layout.PREDICTIONS),
            "metrics": run.fill(layout.METRICS),
        }
        start(evaluate, jobs.evaluate("clicks"), run, **one, **scored)
    Path(layout.CONFIG).write_text(plan.benchmark.to_yaml())
    report.run(*map(Path, ("", layout.SUMMARY, layout.REPORT)))

    metrics = json.loads(Path(floor.fill(layout.METRICS)).read_text())
    assert (metrics["task"], metrics["headline"]) == ("counting", "exact")
    assert metrics["metric_code"] == metric_code("counting") != metric_code("classification")
    with Path(layout.SUMMARY).open() as file:
        found = {(row["architecture"], row["metric"]) for row in csv.DictReader(file)}
    assert {(name, "exact") for name in ("cnn1d", "mean_count")} <= found
    page = Path(layout.REPORT).read_text()
    assert "mean_count" in page
    assert "<b>Predicted and true counts.</b> Test windows by true and predicted count." in page
    assert Path(layout.FIGURE.format(dataset="clicks", figure="counts")).is_file()


@pytest.mark.usefixtures("installed")
def test_its_settings_are_checked_by_its_own_hook():
    overlapping = CONFIG | {
        "datasets": {"clicks": {"source": "pulses", "window": {"overlap": 0.5}}},
        "tasks": {"counting": {"most": 0}},
    }

    with pytest.raises(ConfigError) as caught:
        Benchmark.load(overlapping)

    assert caught.value.problems == [
        "datasets.clicks.window.overlap: pulses would count twice; take it out",
        "tasks.counting.most: input should be greater than or equal to 1 (got 0)",
    ]


@pytest.mark.usefixtures("installed")
def test_its_module_counts_for_its_own_jobs_alone():
    code = JobCode(Benchmark.load(CONFIG))

    for modules in (
        code.ingest("clicks"),
        code.window("clicks"),
        code.finetune("clicks", "cnn1d"),
        code.evaluate("clicks", "cnn1d"),
    ):
        assert MODULE in code_digest.closure(*modules)
    assert MODULE not in code_digest.closure(*code.window("waves"), *code.finetune("waves", "lstm"))


def test_without_its_package_nothing_is_known_of_it():
    assert "counting" not in TASKS
    assert "mean_count" not in BASELINES


def test_every_task_has_its_windows_and_its_profile():
    assert set(TASKS) == set(TASK_WINDOWS) == set(TASK_PROFILES)
    for name in TASKS:
        assert TASKS[name]().name == TASK_PROFILES[name]().name == name
