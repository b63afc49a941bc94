"""The jobs of a plan, as the workflow runs them: what each leaves, and what it needs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seqbench import layout
from seqbench.config.registry import BASELINES
from seqbench.plan.plan import Plan, Run
from seqbench.plan.searches import (
    Promotions,
    choice_file,
    choice_files,
    promotion_files,
    search_files,
    trials_of_rung,
)

Files = Sequence[str]
STEPS = (
    "ingest",
    "window",
    "overlap",
    "tune",
    "tune_baseline",
    "promote",
    "choose",
    "pretrain",
    "fit_baseline",
    "finetune",
    "refit",
    "evaluate",
    "cross_window",
    "cross_evaluate",
    "best",
    "report",
)


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
    ancient
        Those inputs whose time counts for nothing, as the settings hold what they say.
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
    ancient: tuple[str, ...] = ()
    state: str | None = None
    epochs: int | None = None
    cost: tuple[str, str] | None = None
    likeness: tuple[str, ...] = ()


def jobs_of(plan: Plan, promotions: Promotions | None = None) -> list[Job]:
    """Return the jobs of a plan, each behind those whose outputs it reads.

    Of a rung whose trials are not in `promotions` there are as many jobs as it has at most, each
    under the name of a place in the ranking of the rung before.
    """
    promotions = promotions or {}
    benchmark = plan.benchmark
    of_data = [
        _job(plan, "ingest", {"dataset": name}, [layout.RECORDINGS]) for name in plan.ingested
    ]
    for name in plan.windowed:
        recordings = layout.RECORDINGS.format(dataset=benchmark.base_dataset(name))
        of_data.append(_job(plan, "window", {"dataset": name}, [layout.WINDOWS], [recordings]))
    for pair in plan.overlaps:
        of_data.append(
            _job(
                plan,
                "overlap",
                pair._asdict(),
                [layout.OVERLAP],
                [*overlap_inputs(plan, *pair).values()],
            )
        )
    searches = [job for pair in plan.tuned for job in _search(plan, *pair, promotions)]
    pretrained: dict[str, Job] = {}
    of_runs = []
    for run in plan.trained:
        metrics, inputs = run.fill(layout.METRICS), [layout.WINDOWS]
        chosen = choice_files(plan, [run])
        if (pretraining := plan.pretraining(run)) is not None:
            names = pretraining._asdict()  # arms and fractions of labels share the encoder
            outputs = [layout.ENCODER, layout.PRETRAIN_HISTORY]
            where = (pretraining.dataset, run.architecture)
            choice = [choice_file(*where)] if where in plan.tuned else []
            job = _job(plan, "pretrain", names, outputs, inputs, choice, cost=(metrics, "pretrain"))
            epochs = benchmark.pretraining(run.architecture).epochs
            pretrained.setdefault(job.name, replace(job, epochs=epochs))
            inputs = [*inputs, pretraining.fill(layout.ENCODER)]
        outputs = [layout.MODEL, layout.HISTORY, layout.TRANSFER]
        job = _job(plan, "finetune", vars(run), outputs, inputs, chosen, cost=(metrics, "train"))
        epochs = benchmark.finetuning(run.architecture).epochs
        of_runs.append(replace(job, epochs=epochs))
        if plan.is_refit(run):
            inputs = [*inputs, layout.MODEL, layout.HISTORY]
            job = _job(plan, "refit", vars(run), [layout.REFIT], inputs, chosen)
            of_runs.append(replace(job, epochs=epochs))
    for run in plan.baselines:
        names, chosen = vars(run), choice_files(plan, [run])
        of_runs.append(_job(plan, "fit_baseline", names, [layout.MODEL], [layout.WINDOWS], chosen))
    for run in plan.runs:
        outputs, inputs = [layout.PREDICTIONS, layout.METRICS], [layout.WINDOWS, layout.MODEL]
        if plan.is_refit(run):
            inputs.append(layout.REFIT)
        of_runs.append(_job(plan, "evaluate", vars(run), outputs, inputs))
    crossed = {}
    for one in plan.crossings:
        names = {"dataset": one.run.dataset, "tested_on": one.tested_on}
        inputs = [layout.WINDOWS, layout.RECORDINGS.format(dataset=one.tested_on)]
        crossed[tuple(names.values())] = _job(
            plan, "cross_window", names, [layout.CROSS_WINDOWS], inputs
        )
        outputs, inputs = [layout.CROSS_PREDICTIONS, layout.CROSS_METRICS], [layout.CROSS_WINDOWS]
        inputs = [*inputs, plan.model_file(one.run)]
        of_runs.append(_job(plan, "cross_evaluate", vars(one.run) | names, outputs, inputs))
    best = [
        _job(
            plan,
            "best",
            {"dataset": name},
            [layout.BEST],
            best_files(plan, name),
            choice_files(plan, plan.runs_on(name)),
        )
        for name in plan.base_datasets
    ]
    report = Job(
        step="report",
        dataset=None,
        name="report",
        outputs=(layout.SUMMARY, layout.REPORT),
        log=layout.log("report"),
        inputs=tuple(report_files(plan, promotions)),
    )
    made = [*of_data, *crossed.values(), *searches, *pretrained.values(), *of_runs]
    return [*made, *best, report]


def _search(plan: Plan, dataset: str, architecture: str, promotions: Promotions) -> Iterator[Job]:
    """Yield the trials of a model on a dataset, what goes on, and the choice among them."""
    names = {"dataset": dataset, "architecture": architecture}
    n_rungs = len(plan.rungs(architecture))
    for rung in range(n_rungs):
        trials = [
            _trial(plan, names | {"rung": rung}, trial)
            for trial in _reaching(plan, dataset, architecture, rung, promotions)
        ]
        yield from trials
        files = [path for job in trials for path in job.outputs]
        before = promotion_files(dataset, architecture, rung)
        if rung < n_rungs - 1:
            yield _job(plan, "promote", names | {"rung": rung}, [layout.PROMOTION], files, before)
        else:
            yield _job(plan, "choose", names, [layout.CHOICE], files, before)


def _reaching(
    plan: Plan, dataset: str, architecture: str, rung: int, promotions: Promotions
) -> list[int | str]:
    """Return the trials that reach a rung by number, and where nobody knows them yet, by place."""
    known = trials_of_rung(plan, dataset, architecture, rung, promotions)
    if known is not None:
        return [*known]
    n_places = plan.rungs(architecture)[rung].n_trials
    return [0, *(f"-of-place{place}" for place in range(1, n_places + 1))]


def _trial(plan: Plan, names: dict[str, Any], trial: int | str) -> Job:
    architecture, rung = names["architecture"], names["rung"]
    is_baseline = architecture in BASELINES
    step = "tune_baseline" if is_baseline else "tune"
    job = _job(plan, step, names | {"trial": trial}, [layout.TRIAL], [layout.WINDOWS])
    # A rung takes a multiple of the time of the one before: trials of others are not like it.
    job = replace(job, likeness=(f"{step}, rung {rung}", *job.likeness[1:3]))
    if is_baseline or isinstance(trial, str):
        return job
    point, divisor = plan.trials(architecture)[trial], plan.rungs(architecture)[rung].divisor
    settings = plan.job_settings.tune(names["dataset"], architecture, point, divisor)
    return replace(job, epochs=settings.training.optimizer.epochs)


def best_files(plan: Plan, dataset: str) -> list[str]:
    """Return the files from which the best model of a dataset is selected and handed over."""
    patterns = (layout.WINDOWS, layout.MODEL, layout.METRICS)
    runs = plan.runs_on(dataset)
    of_runs = [run.fill(pattern) for run in runs for pattern in patterns]
    models = [plan.model_file(run) for run in runs]
    return list(dict.fromkeys([*of_runs, *models, *overlap_files(plan, runs)]))


def report_files(plan: Plan, promotions: Promotions) -> list[str]:
    """Return the files and folders that the report reads, as far as they are known."""
    best = [layout.BEST.format(dataset=name) for name in plan.base_datasets]
    of_runs = [path for paths in run_files(plan).values() for path in paths]
    overlaps = [layout.OVERLAP.format(**pair._asdict()) for pair in plan.overlaps]
    crossed = [one.fill(layout.CROSS_METRICS) for one in plan.crossings]
    searches = search_files(plan, plan.runs, promotions)
    return list(dict.fromkeys([*of_runs, *searches, *overlaps, *crossed, *best]))


def overlap_files(plan: Plan, runs: Iterable[Run]) -> list[str]:
    """Return the files on what test of runs shares with datasets that they were pretrained on."""
    pairs = dict.fromkeys(pair for run in runs if (pair := plan.overlap(run)))
    return [layout.OVERLAP.format(**pair._asdict()) for pair in pairs]


def overlap_inputs(plan: Plan, dataset: str, source: str) -> dict[str, str]:
    """Return the windows and recordings of two datasets that are compared with each other."""
    base = plan.benchmark.base_dataset
    return {
        "windows": layout.WINDOWS.format(dataset=dataset),
        "source_windows": layout.WINDOWS.format(dataset=source),
        "recordings": layout.RECORDINGS.format(dataset=base(dataset)),
        "source_recordings": layout.RECORDINGS.format(dataset=base(source)),
    }


def run_files(plan: Plan) -> dict[Run, list[str]]:
    """Return the files of each run that the report reads; the score, written last, stands last."""
    with_templates = set(plan.template_runs)
    found = {}
    for run in plan.runs:
        patterns = [layout.WINDOWS, layout.PREDICTIONS]
        if not run.is_baseline:
            patterns += [layout.HISTORY, layout.TRANSFER]
        files = [run.fill(pattern) for pattern in patterns]
        if run in with_templates:
            files.append(plan.model_file(run))
        if (pretraining := plan.pretraining(run)) is not None:
            files.append(pretraining.fill(layout.PRETRAIN_HISTORY))
        found[run] = [*files, run.fill(layout.METRICS)]
    return found


def _job(
    plan: Plan,
    step: str,
    names: dict[str, Any],
    outputs: Files,
    inputs: Files = (),
    ancient: Files = (),
    **more: Any,
) -> Job:
    """Return a job; its files but `ancient` are patterns of the wildcards `names`."""
    base = plan.benchmark.base_dataset(names["dataset"])
    is_training = step in ("tune", "pretrain", "finetune", "refit")
    alone = ("dataset", "seed", "trial", "source", "tested_on")
    return Job(
        step=step,
        dataset=base,
        name=layout.SCOPES[step].format(**names),
        outputs=tuple(path.format(**names) for path in outputs),
        log=layout.log(step).format(**names),
        inputs=(*(path.format(**names) for path in inputs), *ancient),
        ancient=tuple(ancient),
        state=f"{layout.state(step)}/state.safetensors".format(**names) if is_training else None,
        likeness=(step, base, *(names[key] for key in names if key not in alone)),
        **more,
    )
