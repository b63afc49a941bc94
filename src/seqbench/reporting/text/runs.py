"""What stands behind the numbers: every run with its scores, settings, files and command."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from seqbench import layout
from seqbench.config.registry import BASELINES
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.read.results import Result
from seqbench.reporting.read.settings import step_settings
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.beside import Beside
from seqbench.reporting.text.run_options import OptionGroup, option_groups
from seqbench.reporting.text.usage import SAMPLES, usage

N_CURVE_POINTS = 60
COSTS = {
    "n_parameters": ("parameters", formats.amount),
    "macs_per_window": ("MACs a window", formats.amount),
    "train_s": ("training", formats.seconds),
    "train_cpu_s": ("processor time", formats.seconds),
    "train_gpu_s": ("GPU time", formats.seconds),
    "energy_wh": ("energy, estimated", formats.energy),
    "pretrain_s": ("pretraining", formats.seconds),
    "predict_s": ("prediction", formats.seconds),
    "predict_s_per_s": ("prediction per second of signal", formats.seconds),
    "compile_s": ("compilation", formats.seconds),
    "peak_memory_bytes": ("peak memory", formats.memory),
    "epochs": ("epochs", formats.decimal),
    "best_epoch": ("epoch kept", formats.decimal),
}
OUTPUTS = (layout.MODEL, layout.METRICS, layout.PREDICTIONS)
OUTPUTS_OF_TRAINING = (layout.HISTORY, layout.TRANSFER)


def key_of(run: Run) -> str:
    """Return what names a run on the page and in its paths."""
    return run.fill(layout.RUN)


def run_details(plan: Plan, materials: Iterable[Material], beside: Beside) -> dict[str, Any]:
    """Return every run as JSON values for the script of the page.

    Texts that many runs share, such as settings, stand once in ``texts`` and are named by their
    place there, as are groups of options in ``groups``; ``uses`` is how a model is used, by kind
    of sample. All values are words ready to be read.
    """
    texts: dict[str, int] = {}  # with their places
    groups: dict[OptionGroup, int] = {}
    runs = {
        key_of(result.run): _details(plan, material, result, texts, groups, beside)
        for material in materials
        for result in material.results
    }
    uses = {sample: usage("", "{model}", sample) for sample in SAMPLES}
    return {
        "texts": list(texts),
        "groups": [[one.section, one.name, one.options] for one in groups],
        "uses": {sample: [one.command, one.python] for sample, one in uses.items()},
        "runs": runs,
    }


def _details(
    plan: Plan,
    material: Material,
    result: Result,
    texts: dict[str, int],
    groups: dict[OptionGroup, int],
    beside: Beside,
) -> dict[str, Any]:
    run, model = result.run, result.run.fill(layout.MODEL)
    settings = step_settings(plan, run, material.choices)

    def place(text: str) -> int:
        return texts.setdefault(text, len(texts))

    return {
        "dataset": material.dataset,
        "of": run.dataset,
        "architecture": run.architecture,
        "arm": run.arm,
        "labels": formats.percent(float(run.labels)),
        "seed": run.seed,
        "headline": _score(result, result.headline),
        "metric": metric_label(result.headline),
        "scores": _scores(result),
        "cost": [
            [label, write(value)]
            for key, (label, write) in COSTS.items()
            if (value := result.cost(key)) is not None
        ],
        "options": [
            groups.setdefault(group, len(groups)) for group in option_groups(plan, run, settings)
        ],
        "settings": [
            [step, place(job.model_dump_json(indent=2))] for step, job in settings.items()
        ],
        "provenance": place(_provenance(result)),
        "command": command(run),
        "use": None if _knows_the_truth(run) else plan.benchmark.sample(run.dataset),
        "model": model if beside.has(model) else None,
        "files": [
            path
            for path in [*_files(plan, run), *(_log(plan, run, step) for step in settings)]
            if beside.has(path)
        ],
        "curve": _curve(material.histories.get(run), result.cost("best_epoch")),
    }


def command(run: Run) -> str:
    """Return what trains and scores a run anew."""
    return (
        f"snakemake --configfile {layout.CONFIG} --forcerun {run.fill(layout.MODEL)}"
        f" -- {run.fill(layout.METRICS)}"
    )


def _knows_the_truth(run: Run) -> bool:
    """Return whether a baseline needs what no new recording has."""
    return run.is_baseline and "truth" in BASELINES.entry(run.architecture).tags.get("needs", ())


def _scores(result: Result) -> list[list[str]]:
    """Return each metric that is defined on test: its name, value, interval and value on val."""
    return [
        [
            metric_label(name),
            _score(result, name),
            formats.interval(result.interval(name), partial(formats.metric_value, metric=name)),
            _score(result, name, "val"),
        ]
        for name in result.metrics.scores.get("test", {})
        if result.value(name) is not None
    ]


def _score(result: Result, metric: str, split: str = "test") -> str:
    return formats.metric_value(result.value(metric, split), metric)


def _log(plan: Plan, run: Run, step: str) -> str:
    if step == "pretrain" and (one := plan.pretraining(run)) is not None:
        return one.fill(layout.log(step))
    fields = dict(vars(run))
    if step == "ingest":  # of which all folds are made
        fields["dataset"] = plan.benchmark.base_dataset(run.dataset)
    return layout.log(step).format(**fields)


def _files(plan: Plan, run: Run) -> list[str]:
    patterns = [*OUTPUTS, *(OUTPUTS_OF_TRAINING if not run.is_baseline else ())]
    if plan.is_refit(run):
        patterns.append(layout.REFIT)
    files = [run.fill(pattern) for pattern in patterns]
    if (one := plan.pretraining(run)) is not None:
        files += [one.fill(pattern) for pattern in (layout.ENCODER, layout.PRETRAIN_HISTORY)]
    return [*files, run.fill(layout.WINDOWS)]


def _provenance(result: Result) -> str:
    """Return versions, machine and commit of a run, a line each."""
    flat: dict[str, Any] = {}
    for key, value in result.metrics.provenance:
        flat |= value if isinstance(value, dict) else {key: value}
    return "\n".join(f"{key}: {value}" for key, value in flat.items() if value is not None)


def _curve(history: pd.DataFrame | None, best_epoch: float | None) -> dict[str, Any] | None:
    """Return losses and the score on val over epochs, thinned to what a small chart can show.

    The epoch whose weights were kept is never left out.
    """
    if history is None or history.empty:
        return None
    n = len(history)
    shown = np.linspace(0, n - 1, min(n, N_CURVE_POINTS)).round().astype(int)
    kept = np.flatnonzero(history["epoch"] == best_epoch)
    of_shown = history.iloc[np.union1d(shown, kept)]
    names = map(str, history.columns)
    score = next((name for name in names if name.startswith("val_") and name != "val_loss"), None)
    return {
        "epoch": of_shown["epoch"].tolist(),
        "train": _short(of_shown["train_loss"]),
        "val": _short(of_shown["val_loss"]),
        "score": _short(of_shown[score]) if score else [],
        "metric": metric_label(score.removeprefix("val_")) if score else "",
        "best": best_epoch,
    }


def _short(values: pd.Series[float]) -> list[float | None]:
    """Return four digits of each value, None where it is not finite."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]
