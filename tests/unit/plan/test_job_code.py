"""What each job of the smoke benchmark depends on, and what an edit of the code runs again.

A job runs again when its settings or its code digest differ; settings are tested with the plan.
"""

from functools import cache
from pathlib import Path

import pytest

from seqbench.config import stages
from seqbench.config.benchmark import Benchmark
from seqbench.config.options import Options
from seqbench.plan.job_code import JobCode
from seqbench.plan.plan import Plan
from seqbench.process import code_digest
from seqbench.process.code_digest import closure, parsed_text, source_digest

SMOKE = Path(__file__).parents[2] / "data" / "config.smoke.yaml"


@cache
def modules_by_job():
    """Return the modules of every job of the smoke benchmark, by step and what it is done for."""
    plan = Plan(Benchmark.read(SMOKE))
    code = JobCode(plan.benchmark)
    found = {("report", ""): code.report(), ("choose", ""): code.choose()}
    found["promote", ""] = code.promote()
    for dataset in plan.datasets:
        found["ingest", dataset] = code.ingest(dataset)
        found["window", dataset] = code.window(dataset)
    found["overlap", "tiny_airline tiny_ringing"] = code.overlap("tiny_airline", "tiny_ringing")
    found["cross_window", "tiny_airline"] = code.cross_window("tiny_airline")
    for run in plan.runs:
        name = f"{run.dataset} {run.architecture}"
        kind = "baseline" if run.is_baseline else "model"
        fit = code.fit_baseline if run.is_baseline else code.finetune
        found[fit.__name__, name] = fit(run.dataset, run.architecture)
        trial = code.tune_baseline if run.is_baseline else code.tune
        found[trial.__name__, name] = trial(run.dataset, run.architecture)
        found[f"evaluate {kind}", name] = code.evaluate(run.dataset, run.architecture)
        if not run.is_baseline:
            found["refit", name] = code.refit(run.dataset, run.architecture)
        if one := plan.pretraining(run):
            name = f"{run.architecture} {one.objective}"
            found["pretrain", name] = code.pretrain(run.architecture, one.objective)
    for dataset in plan.base_datasets:
        found["best", dataset] = code.best(dataset, plan.architectures_on(dataset))
    return found


def steps():
    return {step for step, _ in modules_by_job()}


def packages(step):
    """Return the sub-packages that any job of a step depends on."""
    return {
        module.split(".")[1]
        for (of, _), modules in modules_by_job().items()
        if of == step
        for module in closure(*modules)
        if module not in ("seqbench", "seqbench.config", "seqbench.config.tolerances")
        and module != "seqbench.datasets.base"  # recordings, which change with it anyway
    }


COMMON = {"steps", "storage"}
FITTING = COMMON | {"tasks", "models", "windowing"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("ingest", COMMON | {"datasets"}),
        ("window", COMMON | {"windowing", "tasks"}),
        ("overlap", COMMON | {"windowing", "tasks"}),
        ("cross_window", COMMON | {"windowing", "tasks"}),
        ("fit_baseline", FITTING | {"baselines"}),
        ("pretrain", FITTING | {"pretraining", "training"}),
        (
            "finetune",
            FITTING | {"pretraining", "training", "baselines"},
        ),  # what a network starts as
        ("refit", FITTING | {"pretraining", "training", "baselines"}),
        ("tune_baseline", FITTING | {"baselines", "statistics", "tuning"}),
        ("tune", FITTING | {"pretraining", "training", "baselines", "statistics", "tuning"}),
        ("promote", COMMON | {"tuning"}),
        ("choose", COMMON | {"tuning"}),
        ("evaluate baseline", FITTING | {"baselines", "statistics"}),
        ("evaluate model", FITTING | {"training", "statistics"}),
        ("best", FITTING | {"training", "statistics", "reporting", "plan"}),
    ],
)
def test_a_step_depends_on_the_packages_that_can_change_its_result(step, expected):
    assert packages(step) == expected


def test_the_digest_of_a_job_is_that_of_its_modules():
    code = JobCode(Plan(Benchmark.read(SMOKE)).benchmark)

    for step, *names in (("finetune", "tiny_waves", "gru"), ("best", "tiny_waves", ("gru",))):
        modules = getattr(code, step)(*names)
        assert code.digest(step, *names) == code.digest(step, *names) == source_digest(*modules)
    gru, lstm = (code.digest("finetune", "tiny_waves", name) for name in ("gru", "lstm"))
    assert code.digest("finetune", "tiny_waves", "cnn1d") not in {gru, lstm}


def test_only_a_network_that_starts_as_a_baseline_depends_on_it():
    of_finetuning = {
        name.split()[1]
        for (step, name), modules in modules_by_job().items()
        if step == "finetune" and "seqbench.baselines.matched_filter.baselines" in modules
    }

    assert of_finetuning == {"event_pursuit"}


def test_only_recurrent_networks_depend_on_the_kernels_of_recurrence():
    of_finetuning = {
        name.split()[1]
        for (step, name), modules in modules_by_job().items()
        if step == "finetune" and "seqbench.models.recurrent_kernels" in closure(*modules)
    }

    assert {"rnn", "lstm", "gru", "cnn_lstm"} <= of_finetuning
    assert not {"cnn1d", "dlinear", "transformer"} & of_finetuning


def test_windows_depend_on_no_head_and_no_metric():
    of_tasks = {
        module
        for (step, _), modules in modules_by_job().items()
        if step in ("window", "overlap", "cross_window")
        for module in closure(*modules)
        if module.startswith("seqbench.tasks")
    }

    assert {module.rpartition(".")[2] for module in of_tasks} <= {"windows", "events"}


def test_the_report_depends_on_no_model_and_no_training():
    assert not packages("report") & {"models", "training", "pretraining", "library", "prediction"}


@pytest.fixture
def rerun(monkeypatch):
    """Return a function that edits a module and returns the steps with jobs that run again."""

    def digests():
        return {
            job: source_digest.__wrapped__(*modules) for job, modules in modules_by_job().items()
        }

    def edit(old, new, edited):
        before = digests()
        text = code_digest._file(edited).read_text()
        assert old in text
        parsed, other = code_digest._parsed, parsed_text(text.replace(old, new), "seqbench")
        monkeypatch.setattr(
            code_digest, "_parsed", lambda module: other if module == edited else parsed(module)
        )
        after = digests()
        return {step for step, name in before if before[step, name] != after[step, name]}

    return edit


TRAINED = {"tune", "pretrain", "finetune", "refit", "evaluate model", "best"}
SCORED = {"tune", "tune_baseline", "evaluate baseline", "evaluate model", "best"}


@pytest.mark.parametrize(
    ("old", "new", "module", "expected"),
    [
        ("math.pi", "math.tau", "training.schedule", TRAINED),
        ("np.float32(0.5)", "np.float32(0.4)", "models.recurrent_kernels", TRAINED),
        ("0.5, 1.0,", "0.5, 0.75, 1.0,", "config.tolerances",
         SCORED | {"report"}),
        ("Peak step size", "Largest step", "config.stages", set()),
        ('__version__ = "', '__version__ = "9', "", set()),
        ("seconds between two states", "from state to state", "steps.training_arguments", set()),
        ("FEWEST_NEIGHBOURS = 30", "FEWEST_NEIGHBOURS = 9", "windowing.leakcheck",
             {"window", "overlap"}),
        ("N_CHARACTERS = 14", "N_CHARACTERS = 9", "reporting.figures.classification",
         {"report"}),
        ("N_RESAMPLES = 500", "N_RESAMPLES = 9", "tasks.scoring", SCORED),
        ("one.trial,", "-one.trial,", "tuning.ranking", {"promote", "choose"}),
        ("The best baseline", "A baseline", "reporting.text.usage", {"best", "report"}),
    ],
)  # fmt: skip
def test_an_edit_runs_again_what_it_can_change(rerun, old, new, module, expected):
    assert rerun(old, new, f"seqbench.{module}".rstrip(".")) == expected


def test_settings_of_stages_hold_values_alone():
    """No code digest covers `config.stages`: a step must get all that it does from the values."""
    own = {
        f"{name}.{member}"
        for name, kind in vars(stages).items()
        if isinstance(kind, type)
        and issubclass(kind, Options)
        and kind.__module__ == stages.__name__
        for member in vars(kind)
        if not member.startswith("_") and not member.startswith("model_")
    }

    assert own == {"SplitSettings.of_fold"}  # the plan uses it
