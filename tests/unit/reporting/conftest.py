"""A small world of made-up results, written through the real writers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from seqbench import layout
from seqbench.config import Benchmark
from seqbench.options import Options
from seqbench.plan import Plan, Run
from seqbench.registry import ARCHITECTURES, BASELINES, OBJECTIVES, Entry
from seqbench.storage.atomic import write_json, write_text
from seqbench.storage.predictions import Predictions, write_predictions
from seqbench.storage.windows import Normalization, WindowSet, write_windows

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "log_loss", "ece")
Skill = Callable[[Run], float]
WriteResults = Callable[..., Plan]


def _entry(name: str, **tags: object) -> Entry:
    return Entry(name, "nowhere", name, f"A made-up {name}.", tags, Options)


@pytest.fixture(autouse=True)
def made_up_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register names that no change to the real ones can take away."""
    series = {
        n: _entry(n, accepts=("series",)) for n in ("cnn1d", "cnn_lstm", "rnn", "lstm", "gru")
    }
    floors = {
        "majority": _entry(
            "majority",
            tasks=("classification",),
            floor_of=("classification",),
            stochastic=False,
            imports=(),
        ),
        "minirocket": _entry("minirocket", tasks=("classification",), stochastic=True, imports=()),
    }
    monkeypatch.setattr(ARCHITECTURES, "_entries", series)
    monkeypatch.setattr(BASELINES, "_entries", floors)
    monkeypatch.setattr(OBJECTIVES, "_entries", {"contrastive": _entry("contrastive")})


def write_made_up_results(
    root: Path,
    raw: dict[str, Any],
    *,
    skill: Skill,
    classes: dict[str, list[str]] | None = None,
    n_channels: int = 3,
    n_test: int = 40,
    edit: Callable[[Run, dict[str, Any]], None] | None = None,
) -> Plan:
    """Write all that the steps before the report would leave for a config.

    Parameters
    ----------
    root
        Becomes the folder that holds `results/`.
    raw
        The config.
    skill
        Accuracy of each run; every other metric follows from it.
    classes
        Names of the classes by dataset; those of a dataset not named are ``a`` and ``b``.
    edit
        Called with each run and its metrics before they are written.
    """
    plan = Plan(Benchmark.load(raw))
    write_text(root / layout.CONFIG, yaml.safe_dump(raw))
    for dataset in plan.datasets:
        names = (classes or {}).get(dataset, ["a", "b"])
        _write_windows(root / layout.WINDOWS.format(dataset=dataset), names, n_channels)
    for run in plan.runs:
        names = (classes or {}).get(run.dataset, ["a", "b"])
        generator = np.random.default_rng(
            [run.seed, *map(ord, run.dataset + run.architecture + run.arm)]
        )
        accuracy = skill(run)
        content = _metrics(run, accuracy, n_test)
        _write_predictions(root / run.fill(layout.PREDICTIONS), names, accuracy, n_test, generator)
        if run.arm != "baseline":
            _write_training(root, run, plan.objective(run), content, generator)
        if edit is not None:
            edit(run, content)
        write_json(root / run.fill(layout.METRICS), content)
    return plan


@pytest.fixture
def write_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteResults:
    """Return `write_made_up_results` for the folder in which the test now works."""
    monkeypatch.chdir(tmp_path)

    def write(raw: dict[str, Any], **settings: Any) -> Plan:
        return write_made_up_results(tmp_path, raw, **settings)

    return write


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    """Return what makes a config with one grid of runs."""

    def make(baselines: Sequence[str] = ("majority",), **grid: object) -> dict[str, Any]:
        runs = {
            "datasets": ["waves"],
            "architectures": ["cnn1d"],
            "arms": ["scratch"],
            "seeds": [0, 1, 2],
        }
        return {"title": "Made up", "baselines": list(baselines), "runs": [runs | grid]}

    return make


def _metrics(run: Run, accuracy: float, n_test: int) -> dict[str, Any]:
    def scores(value: float) -> dict[str, Any]:
        worse = {"log_loss": 2 * (1 - value), "ece": (1 - value) / 2}
        return {
            name: {"value": v, "low": max(v - 0.05, 0.0), "high": min(v + 0.05, 1.0)}
            for name in METRICS
            for v in [worse.get(name, value)]
        }

    is_baseline = run.arm == "baseline"
    size = 1 + len(run.architecture)
    cost: dict[str, Any] = {
        "train_s": 1.2,
        "train_cpu_s": 1.4,
        "predict_s": 0.01,
        "n_parameters": 7,
    }
    if not is_baseline:
        cost = {
            "n_parameters": 9000 * size**2,
            "macs_per_window": 150_000 * size**2,
            "train_s": 3.0 * size**1.5 + run.seed,
            "train_cpu_s": 3.3 * size**1.5 + run.seed,
            "predict_s": 0.02 * size,
            "peak_memory_bytes": None,
            "epochs": 40,
            "best_epoch": 30,
        }
    test = {"test": scores(accuracy)}
    return {
        "run": {
            "dataset": run.dataset,
            "architecture": run.architecture,
            "arm": run.arm,
            "labels": float(run.labels),
            "seed": run.seed,
        },
        "task": "classification",
        "scores": test if is_baseline else {"val": scores(accuracy)} | test,
        "n_windows": {"train": 32, "val": 8, "test": n_test},
        "cost": cost,
        "model": {},
        "provenance": {
            "versions": {
                "seqbench": "0.1.0",
                "python": "3.11.7",
                "torch": "2.13.0",
                "numpy": "2.3.5",
            },
            "commit": "0123456789ab",
            "machine": {"processor": "A processor", "cores": "4", "system": "Linux x86_64"},
            "device": "cpu",
            "threads": 1,
        },
    }


def _write_windows(path: Path, classes: list[str], n_channels: int) -> None:
    generator = np.random.default_rng(0)
    n_windows = 8 * len(classes)
    length = np.full(n_windows, 100)
    label = np.arange(n_windows) % len(classes)
    time = np.linspace(0, 1, 100)[:, None]
    tones = 2 + label[:, None, None] + np.arange(n_channels)
    signal = np.sin(2 * math.pi * tones * time) + 0.1 * generator.normal(
        size=(n_windows, 100, n_channels)
    )
    shared: dict[str, Any] = {
        "task": "classification",
        "sample": "series",
        "names": [f"r{i}" for i in range(n_windows)],
        "groups": [f"g{i}" for i in range(n_windows)],
        "channels": [f"axis {c}" for c in range(n_channels)],
        "classes": classes,
        "normalization": Normalization("zscore", np.zeros(n_channels), np.ones(n_channels)),
        "sampling_rate_hz": 50.0,
    }
    windows = WindowSet(
        split="train",
        signal=signal.reshape(-1, n_channels).astype(np.float32),
        start=np.arange(n_windows) * 100,
        length=length,
        label=label,
        recording=np.arange(n_windows),
        **shared,
    )
    write_windows(path, {"train": windows})


def _write_predictions(
    path: Path, classes: list[str], accuracy: float, n_test: int, generator: np.random.Generator
) -> None:
    k = len(classes)
    target = np.arange(n_test) % k
    wrong = np.arange(n_test) >= round(accuracy * n_test)
    predicted = np.where(wrong, (target + generator.integers(1, k, n_test)) % k, target)
    names = [f"t{i}" for i in range(n_test)]
    predictions = Predictions(
        scores=np.eye(k)[predicted],
        target=target,
        recording=names,
        group=names,
        start=np.arange(n_test) * 100,
        length=np.full(n_test, 100),
        classes=classes,
        are_probabilities=True,
    )
    write_predictions(path, {"test": predictions})


def _write_training(
    root: Path,
    run: Run,
    objective: str | None,
    content: dict[str, Any],
    generator: np.random.Generator,
) -> None:
    epoch = np.arange(1, 41)
    accuracy = content["scores"]["test"]["accuracy"]["value"]
    train = 1.2 * np.exp(-epoch / 9) + 0.05 + 0.02 * generator.random(40)
    val = train + (1 - accuracy) * (1 - np.exp(-epoch / 12)) * 1.5 + 0.05 * generator.random(40)
    content["cost"]["best_epoch"] = int(epoch[val.argmin()])
    shared = {
        "epoch": epoch,
        "steps": epoch * 10,
        "learning_rate": 1e-3,
        "train_loss": train,
        "gradient_norm": 1.0,
        "seconds": 0.5,
    }
    _write_table(
        root / run.fill(layout.HISTORY), shared | {"val_loss": val, "val_accuracy": accuracy}
    )
    transfer = {"encoder": "random", "fraction": None, "copied": [], "skipped": []}
    if objective is not None:
        content["cost"]["pretrain_s"] = 12.5
        transfer = {"encoder": objective, "fraction": 1.0, "copied": ["conv.weight"], "skipped": []}
        path = layout.PRETRAIN_HISTORY.format(
            dataset=run.dataset, architecture=run.architecture, objective=objective, seed=run.seed
        )
        _write_table(root / path, shared | {"monitor_loss": train + 0.1})
    write_json(root / run.fill(layout.TRANSFER), transfer)


def _write_table(path: Path, columns: dict[str, Any]) -> None:
    write_text(path, pd.DataFrame(columns).to_csv(index=False))
