"""A small world of made-up results, written through the real writers."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.options import Options
from seqbench.config.registry import ARCHITECTURES, BASELINES, FIGURES, OBJECTIVES, TASKS, Entry
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.figures import drawing
from seqbench.reporting.figures.catalog import caption, title
from seqbench.reporting.figures.drawing import Drawing
from seqbench.steps import report
from seqbench.storage.atomic import write_json, write_text
from seqbench.storage.detections import Candidates, Decoding, Detections
from seqbench.storage.metrics import Metrics, write_metrics
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.predictions import Predictions, write_predictions
from seqbench.storage.records import RunIdentity
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import SPLITS, Split, WindowSet, write_windows
from seqbench.tasks.detection.refractory import DECODERS
from seqbench.tasks.scoring import score

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "log_loss", "ece")
Skill = Callable[[Run], float]
WriteResults = Callable[..., Plan]


def _entry(name: str, *, accepts: tuple[str, ...] = ("series",), **tags: object) -> Entry:
    told = {"accepts": accepts, **tags}
    return Entry(name, "nowhere", name, f"A made-up {name}.", told, Options)


@pytest.fixture(autouse=True)
def made_up_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register names that no change to the real ones can take away."""
    register_made_up_names(monkeypatch)


@pytest.fixture(autouse=True)
def quick_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write no PDF but where a test has the fixture `pdfs`, and wait for no disk."""
    if "pdfs" not in request.fixturenames:
        write_quick_files(monkeypatch)


def write_quick_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr(drawing, "as_pdf", lambda figure: b"%PDF")


@pytest.fixture
def pdfs() -> None:
    """Let figures be written as PDF too."""


def register_made_up_names(monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = {n: _entry(n) for n in ("cnn1d", "cnn_lstm", "rnn", "lstm")}
    encoders["event_specific"] = _entry("event_specific", templates_of=("detection",))
    encoders["gru"] = _entry("gru", accepts=("series", "tokens"))
    floors = {
        "majority": _entry(
            "majority",
            tasks=("classification",),
            floor_of=("classification",),
            stochastic=False,
            imports=(),
        ),
        "minirocket": _entry("minirocket", tasks=("classification",), stochastic=True, imports=()),
        "metronome": _entry(
            "metronome",
            tasks=("detection",),
            floor_of=("detection",),
            stochastic=False,
            imports=(),
        ),
        "matched_filter": _entry(
            "matched_filter",
            tasks=("detection",),
            templates_of=("detection",),
            stochastic=False,
            imports=(),
        ),
        "oracle": _entry(
            "oracle",
            tasks=("detection",),
            ceiling_of=("detection",),
            needs=("truth",),
            stochastic=False,
            imports=(),
        ),
    }
    monkeypatch.setattr(ARCHITECTURES, "_entries", encoders)
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
        _write_windows(root / layout.WINDOWS.format(dataset=dataset), names, n_channels, n_test)
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
        write_content(root / run.fill(layout.METRICS), content)
    return plan


def write_content(path: Path, content: dict[str, Any]) -> None:
    """Write metrics as the step of evaluation does."""
    write_metrics(path, Metrics.parse(json.dumps(content)))


class Worlds:
    """Made-up results of a session: each world is written once and copied for every test."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.plans: dict[str, Plan] = {}

    def copy(
        self, root: Path, write: Callable[..., Plan], raw: dict[str, Any], settings: dict[str, Any]
    ) -> Plan:
        """Copy what `write` leaves for a config to a folder, and return its plan."""
        key = repr((write.__name__, raw, {name: _key(v) for name, v in settings.items()}))
        key = hashlib.sha256(key.encode()).hexdigest()[:16]
        if key not in self.plans:
            self.plans[key] = write(self.cache / key, raw, **settings)
        shutil.copytree(self.cache / key, root, dirs_exist_ok=True)
        return self.plans[key]


def _key(setting: object) -> object:
    """Return what distinguishes settings; of functions their code and what it closes over."""
    if not isinstance(setting, FunctionType):
        return setting
    code, cells = setting.__code__, setting.__closure__ or ()
    inner = [_key(cell.cell_contents) for cell in cells]
    used = [_key(setting.__globals__.get(name)) for name in code.co_names]
    return code.co_code, repr(code.co_consts), code.co_names, inner, used


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """Return the worlds that were written so far."""
    return Worlds(tmp_path_factory.mktemp("worlds"))


@pytest.fixture
def write_results(tmp_path: Path, worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> WriteResults:
    """Return `write_made_up_results` for the folder in which the test now works."""
    monkeypatch.chdir(tmp_path)

    def write(raw: dict[str, Any], **settings: Any) -> Plan:
        return worlds.copy(tmp_path, write_made_up_results, raw, settings)

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


@pytest.fixture
def rich_config(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what makes a config of which every list has two entries, but for changes."""

    def make(**changes: object) -> dict[str, Any]:
        grid: dict[str, object] = {
            "datasets": ["waves", "gun_point"],
            "architectures": ["cnn1d", "gru"],
            "arms": ["scratch", "contrastive_finetune"],
            "labels": [0.2, 1.0],
            "seeds": [0, 1],
        }
        return config(("majority", "minirocket"), **(grid | changes))

    return make


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test of the text the time that figures take."""
    monkeypatch.setattr(drawing, "draw", lambda figure, material: blank(figure))


def blank(figure: str) -> Drawing:
    """Return a figure that shows nothing, with its words."""
    shows_data = FIGURES.entry(figure).tags.get("shows_data", False)
    words = {"title": title(figure), "caption": caption(figure), "alt": ""}
    return Drawing(
        **words, shows_data=shows_data, svg=b"<svg/>", pdf=b"", csv="", width=1, height=1
    )


@pytest.fixture
def page_without_figures(without_figures: None) -> Callable[[], str]:
    """Return what runs the step without figures, and returns the page."""
    del without_figures

    def make() -> str:
        report.run(Path(layout.CONFIG), Path(layout.SUMMARY), Path(layout.REPORT))
        return Path(layout.REPORT).read_text(encoding="utf-8")

    return make


@dataclass(frozen=True, kw_only=True)
class EventWorld:
    """Made-up recordings with events, and what models find in them.

    Parameters
    ----------
    skill
        Part of the events that a run finds; what it misses, it finds elsewhere.
    n_test
        Recordings of test; train and val have one each.
    has_events
        False: test holds no event, and nothing is found there.
    bias_ms
        How late models are.
    """

    skill: Skill
    n_types: int = 3
    n_channels: int = 2
    n_test: int = 2
    seconds: float = 20.0
    rate_hz: float = 500.0
    refractory_s: float | None = 0.8
    tolerance_ms: float = 5.0
    bias_ms: float = 0.5
    has_events: bool = True
    finds_nothing: bool = False
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of the types."""
        return list(self.classes) or [f"e{k:02d}" for k in range(self.n_types)]

    @property
    def shapes(self) -> NDArray[np.float64]:
        """One of 40 samples for each type and channel, (K, C, 40)."""
        time = np.arange(40) / 40
        pitch = 1 + np.arange(len(self.names))[:, None, None] % 7
        phase = np.arange(self.n_channels)[:, None]
        return np.sin(2 * math.pi * (pitch * time + phase / 5)) * np.exp(-3 * time)


def write_made_up_events(root: Path, raw: dict[str, Any], world: EventWorld) -> Plan:
    """Write all that the steps before the report would leave for detection datasets."""
    plan = Plan(Benchmark.load(raw))
    write_text(root / layout.CONFIG, yaml.safe_dump(raw))
    for dataset in plan.datasets:
        windows = {split: _recorded(world, split) for split in SPLITS}
        write_windows(root / layout.WINDOWS.format(dataset=dataset), windows)
        for run in [run for run in plan.runs if run.dataset == dataset]:
            generator = np.random.default_rng([run.seed, *map(ord, run.architecture + run.arm)])
            found = {
                split: _found(world, run, windows[split], generator)
                for split in SPLITS[1:]
                if run.arm != "baseline" or split == "test"
            }
            content = _metrics(run, world.skill(run), len(windows["test"]))
            content |= {"task": "detection", "headline": f"f1_at_{world.tolerance_ms:g}ms"}
            content["scores"] = {
                split: score(TASKS["detection"](), of_split, resamples=0)
                for split, of_split in found.items()
            }
            write_predictions(root / run.fill(layout.PREDICTIONS), found)
            if run.arm != "baseline":
                _write_training(root, run, plan.objective(run), content, generator)
            if run.architecture in ("event_specific", "matched_filter"):
                model = _model(world, run, generator)
                write_model(root / run.fill(layout.MODEL), model)
            write_content(root / run.fill(layout.METRICS), content)
    return plan


def write_event_world(root: Path, raw: dict[str, Any], **settings: Any) -> Plan:
    """Write a made-up world of events by its settings."""
    return write_made_up_events(root, raw, EventWorld(**settings))


@pytest.fixture(scope="module")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a whole report that several tests may look at, and returns its path."""

    def make(raw: dict[str, Any], *, events: bool = False, **settings: Any) -> Path:
        root = tmp_path_factory.mktemp("page")
        with pytest.MonkeyPatch.context() as patch:
            register_made_up_names(patch)
            write_quick_files(patch)
            patch.chdir(root)
            if events:
                write_made_up_events(root, raw, EventWorld(**settings))
            else:
                write_made_up_results(root, raw, **settings)
            paths = {"config": layout.CONFIG, "summary": layout.SUMMARY, "page": layout.REPORT}
            report.main([word for name, path in paths.items() for word in (f"--{name}", path)])
        return root / layout.REPORT

    return make


@pytest.fixture
def write_events(tmp_path: Path, worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> WriteResults:
    """Return `write_made_up_events` for the folder in which the test now works."""
    monkeypatch.chdir(tmp_path)

    def write(raw: dict[str, Any], **settings: Any) -> Plan:
        return worlds.copy(tmp_path, write_event_world, raw, settings)

    return write


@pytest.fixture
def event_config(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what makes a config of detection with floor, baseline and ceiling."""

    def make(
        baselines: Sequence[str] = ("metronome", "matched_filter", "oracle"), **grid: object
    ) -> dict[str, Any]:
        raw = config(baselines, **({"datasets": ["strikes"], "seeds": [0, 1]} | grid))
        sources = {
            "strikes": {"source": "strikes_windows", "seed": 3},
            "measured": {"source": "mitdb"},  # nobody knows its truth
        }
        return raw | {"datasets": sources}

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
    # All models find the same resamples of test easy or hard.
    resampled = np.clip(accuracy + np.random.default_rng(0).normal(scale=0.025, size=200), 0, 1)
    test["test"]["accuracy"]["resampled"] = resampled.tolist()
    return {
        "run": {
            "dataset": run.dataset,
            "architecture": run.architecture,
            "arm": run.arm,
            "labels": float(run.labels),
            "seed": run.seed,
        },
        "task": "classification",
        "headline": "accuracy",
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


def _write_windows(path: Path, classes: list[str], n_channels: int, n_test: int) -> None:
    """Write windows of 100 samples, each a recording and a group of its own, classes in turn."""
    sizes: dict[Split, int] = {"train": 8 * len(classes), "val": 8, "test": n_test}
    n_seen = sizes["train"] + sizes["val"]
    names = [f"r{i}" for i in range(n_seen)] + [f"t{i}" for i in range(n_test)]
    splits: dict[Split, WindowSet] = {}
    first = 0
    for split, n_windows in sizes.items():
        generator = np.random.default_rng(SPLITS.index(split))
        label = np.arange(n_windows) % len(classes)
        time = np.linspace(0, 1, 100)[:, None]
        tones = 2 + label[:, None, None] + np.arange(n_channels)
        signal = np.sin(2 * math.pi * tones * time) + 0.1 * generator.normal(
            size=(n_windows, 100, n_channels)
        )
        splits[split] = WindowSet(
            task="classification",
            sample="series",
            split=split,
            signal=signal.reshape(-1, n_channels).astype(np.float32),
            start=np.arange(n_windows) * 100,
            length=np.full(n_windows, 100),
            label=label,
            recording=first + np.arange(n_windows),
            names=names,
            groups=[f"g{name}" for name in names],
            channels=[f"axis {c}" for c in range(n_channels)],
            classes=classes,
            normalization=Normalization("zscore", np.zeros(n_channels), np.ones(n_channels)),
            sampling_rate_hz=50.0,
        )
        first += n_windows
    write_windows(path, splits)


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
    accuracy = content["scores"]["test"][content["headline"]]["value"] or 0.5
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
        if not (root / path).exists():  # arms and label fractions share it
            _write_table(root / path, shared | {"monitor_loss": train + 0.1})
    write_json(root / run.fill(layout.TRANSFER), transfer)


def _write_table(path: Path, columns: dict[str, Any]) -> None:
    write_text(path, pd.DataFrame(columns).to_csv(index=False))


def _recorded(world: EventWorld, split: Split) -> WindowSet:
    """Return noise with a shape at each event, cut into windows of 500 samples."""
    generator = np.random.default_rng(SPLITS.index(split))
    n_recordings = world.n_test if split == "test" else 1
    n = int(world.seconds * world.rate_hz)
    signal = generator.normal(scale=0.15, size=(n_recordings * n, world.n_channels))
    period = world.rate_hz * (world.refractory_s or 0.8) * 1.02
    events = [
        (place * n + int(onset), kind)
        for place in range(n_recordings if world.has_events or split == "train" else 0)
        for kind in range(len(world.names))
        for onset in np.cumsum(period + generator.exponential(2 * world.rate_hz, 1000))
        if onset < n - 60
    ]
    events.sort()
    onset, kind = np.array(events, dtype=np.int64).reshape(-1, 2).T
    for start, k in events:
        signal[start : start + 40] += world.shapes[k].T
    starts = np.arange(n_recordings) * n
    begin = np.arange(0, n_recordings * n - 499, 500)
    first = [SPLITS.index(split) * 10 + place for place in range(n_recordings)]
    return WindowSet(
        task="detection",
        sample="series",
        split=split,
        signal=signal.astype(np.float32),
        start=begin,
        length=np.full(len(begin), 500),
        label=np.zeros(len(begin), dtype=np.int64),
        recording=np.array([first[i] for i in begin // n]),
        names=[f"walk {i}" for i in range(40)],
        groups=[f"person {i}" for i in range(40)],
        channels=[f"axis {c}" for c in range(world.n_channels)],
        classes=world.names,
        normalization=Normalization(
            "zscore", np.zeros(world.n_channels), np.ones(world.n_channels)
        ),
        sampling_rate_hz=world.rate_hz,
        timeline=Timeline(
            recording=np.array(first),
            start=starts,
            stop=starts + n,
            known_start=starts,
            known_stop=starts + n - 100,
            onset=onset,
            offset=onset + 40,
            type=kind,
            refractory_s=world.refractory_s,
            tolerance_ms=world.tolerance_ms,
        ),
        truth={"templates": world.shapes, "template_onset": np.array(0)},
        source={"notes": list(world.notes)},
    )


def _found(
    world: EventWorld, run: Run, windows: WindowSet, generator: np.random.Generator
) -> Detections:
    """Return candidates at events and elsewhere, some of them twice."""
    assert windows.timeline is not None
    timeline = windows.timeline
    n_events = 0 if world.finds_nothing else len(timeline.onset)
    place = timeline.place[:n_events]
    start, kind = timeline.onset[:n_events] - timeline.start[place], timeline.type[:n_events]
    late = generator.normal(world.bias_ms * (1 + kind % 3), 1.0) * world.rate_hz / 1000
    is_found = generator.random(n_events) < world.skill(run)
    away = np.where(is_found, 0.0, generator.uniform(0.05, 0.4, n_events) * world.rate_hz)
    found_score = np.where(is_found, generator.beta(8, 2, n_events), generator.beta(3, 3, n_events))
    again = generator.random(n_events) < 0.2  # nearer to the first than the period allows
    candidates = Candidates.joined(
        [
            Candidates(place=place, time=start + late + away, type=kind, score=found_score),
            Candidates(
                place=place[again],
                time=(start + late + 0.1 * world.rate_hz)[again],
                type=kind[again],
                score=generator.beta(4, 3, int(again.sum())),
            ),
        ]
    )
    thresholds = {name: np.full(len(world.names), 0.5) for name in DECODERS}
    decoding = Decoding(decoder="optimal", thresholds=thresholds)
    return Detections.of(windows, candidates, decoding, are_probabilities=run.arm != "baseline")


def _model(world: EventWorld, run: Run, generator: np.random.Generator) -> StoredModel[Any]:
    """Return shapes as a model would have learned them."""
    identity = asdict(run) | {"labels": float(run.labels)}
    header = BaselineHeader(
        run=RunIdentity(**identity), task="detection", baseline="any", classes=tuple(world.names)
    )
    noisy = world.shapes + generator.normal(scale=0.1, size=world.shapes.shape)
    k, c = noisy.shape[:2]
    if run.arm != "baseline":
        delays = generator.normal(scale=3, size=(k, c))
        bank = {"templates": noisy, "onset_delays": delays}
        arrays = {f"encoder.template_bank.{name}": array for name, array in bank.items()}
        return StoredModel(arrays, header)
    arrays = {
        "filters": np.tile([1.0, -0.3], (c, 1)),
        "mixing": np.eye(c),
        "templates": np.pad(noisy, [(0, 0), (0, 0), (5, 10)]),
        "onset": np.array([5.0]),
    }
    return StoredModel(arrays, header)
