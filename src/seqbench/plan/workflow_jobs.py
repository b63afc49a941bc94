"""The jobs of a plan, as the workflow runs them: what each leaves, and what it needs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from seqbench import layout
from seqbench.plan.plan import Plan, Run

STEPS = ("ingest", "window", "pretrain", "fit_baseline", "finetune", "evaluate", "report")


@dataclass(frozen=True, eq=False, kw_only=True)
class Job:
    """One job of the workflow.

    Parameters
    ----------
    step
        One of `STEPS`.
    dataset
        As the report shows it, folds together; None: the job is of all.
    name
        What it is done for, as in the path of its log.
    outputs, log, inputs
        Files, relative to the folder that holds `results/`; those alone that
        other jobs leave are inputs.
    state
        File from which an interrupted training goes on; None: this is no training.
    epochs
        Of a training at most.
    cost
        File that holds the cost of the job, once its run is scored, and the name of
        the cost there; None: none does.
    likeness
        Jobs that agree in it take alike: step, dataset, architecture, and the rest.
    """

    step: str
    dataset: str | None
    name: str
    outputs: tuple[str, ...]
    log: str
    inputs: tuple[str, ...] = ()
    state: str | None = None
    epochs: int | None = None
    cost: tuple[str, str] | None = None
    likeness: tuple[str, ...] = ()


def jobs_of(plan: Plan) -> list[Job]:
    """Return the jobs of a plan, each behind those whose outputs it reads."""
    ingested = [_of_data("ingest", name, name, layout.RECORDINGS) for name in plan.base_datasets]
    windowed = [
        _of_data("window", name, base, layout.WINDOWS, layout.RECORDINGS.format(dataset=base))
        for name in plan.datasets
        for base in [plan.benchmark.base_dataset(name)]
    ]
    pretrained: dict[str, Job] = {}
    for run in plan.trained:
        if objective := plan.objective(run):
            job = _pretraining(plan, run, objective)
            pretrained.setdefault(job.name, job)
    of_runs = [
        *(_finetuning(plan, run) for run in plan.trained),
        *(_of_run(plan, run, "fit_baseline", [layout.MODEL]) for run in plan.baselines),
        *(
            _of_run(plan, run, "evaluate", [layout.PREDICTIONS, layout.METRICS], [layout.MODEL])
            for run in plan.runs
        ),
    ]
    report = Job(
        step="report",
        dataset=None,
        name="report",
        outputs=(layout.SUMMARY, layout.REPORT),
        log=layout.log("report"),
        inputs=tuple({path: None for paths in run_files(plan).values() for path in paths}),
    )
    return [*ingested, *windowed, *pretrained.values(), *of_runs, report]


def run_files(plan: Plan) -> dict[Run, list[str]]:
    """Return the files of each run that the report reads; the score, written last, stands last."""
    with_templates = set(plan.template_runs)
    found = {}
    for run in plan.runs:
        patterns = [layout.WINDOWS, layout.PREDICTIONS]
        if not run.is_baseline:
            patterns += [layout.HISTORY, layout.TRANSFER]
        if run in with_templates:
            patterns.append(layout.MODEL)
        files = [run.fill(pattern) for pattern in patterns]
        if objective := plan.objective(run):
            files.append(run.fill(layout.PRETRAIN_HISTORY, objective=objective))
        found[run] = [*files, run.fill(layout.METRICS)]
    return found


def _of_data(step: str, dataset: str, base: str, pattern: str, *inputs: str) -> Job:
    return Job(
        step=step,
        dataset=base,
        name=dataset,
        outputs=(pattern.format(dataset=dataset),),
        log=layout.log(step).format(dataset=dataset),
        inputs=inputs,
        likeness=(step, base),
    )


def _pretraining(plan: Plan, run: Run, objective: str) -> Job:
    fill = partial(run.fill, objective=objective)
    base = plan.benchmark.base_dataset(run.dataset)
    return Job(
        step="pretrain",
        dataset=base,
        name=fill(layout.PRETRAINING),
        outputs=(fill(layout.ENCODER), fill(layout.PRETRAIN_HISTORY)),
        log=fill(layout.log("pretrain")),
        inputs=(fill(layout.WINDOWS),),
        state=fill(f"{layout.state('pretrain')}/state.safetensors"),
        epochs=plan.benchmark.pretraining(run.architecture).epochs,
        cost=(fill(layout.METRICS), "pretrain"),
        likeness=("pretrain", base, run.architecture, objective),
    )


def _finetuning(plan: Plan, run: Run) -> Job:
    objective = plan.objective(run)
    encoder = [] if objective is None else [run.fill(layout.ENCODER, objective=objective)]
    return replace(
        _of_run(plan, run, "finetune", [layout.MODEL, layout.HISTORY, layout.TRANSFER], encoder),
        state=run.fill(f"{layout.state('finetune')}/state.safetensors"),
        epochs=plan.benchmark.finetuning(run.architecture).epochs,
        cost=(run.fill(layout.METRICS), "train"),
    )


def _of_run(
    plan: Plan, run: Run, step: str, outputs: Iterable[str], inputs: Iterable[str] = ()
) -> Job:
    """Return a job of a run; files are patterns, and windows are read by all of them."""
    base = plan.benchmark.base_dataset(run.dataset)
    return Job(
        step=step,
        dataset=base,
        name=run.fill(layout.RUN),
        outputs=tuple(map(run.fill, outputs)),
        log=run.fill(layout.log(step)),
        inputs=tuple(map(run.fill, [layout.WINDOWS, *inputs])),
        likeness=(step, base, run.architecture, run.arm, run.labels),
    )
