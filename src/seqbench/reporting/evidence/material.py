"""All that the report knows of one dataset, read once and shared by its figures and its section."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqbench import layout
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.evidence.classification import ClassificationMaterial, gather_classification
from seqbench.reporting.evidence.detection import DetectionMaterial, gather_detection
from seqbench.reporting.read.results import Result
from seqbench.reporting.read.split_sizes import Part, read_parts
from seqbench.reporting.scores.catalog import figures_of
from seqbench.reporting.scores.leaderboards import Leaderboard, Row, leaderboards
from seqbench.storage.detections import Detections
from seqbench.storage.leakcheck import LeakCheck
from seqbench.storage.predictions import read_predictions
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet, read_leakcheck, read_windows
from seqbench.tasks.classification.metrics import confusion

# Okabe and Ito's colours, then Tol's muted ones: told apart with any kind of colour vision.
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#882255",
    "#44aa99",
    "#999933",
    "#332288",
)
BASELINE_COLOUR = "#767676"


@dataclass(frozen=True)
class Confusion:
    """Windows by true and predicted class, (K, K), summed over the runs of a model."""

    row: Row
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """What one run of a model said of test."""

    row: Row
    result: Result
    sequences: Sequences


@dataclass(frozen=True, kw_only=True)
class Material:
    """One dataset: its windows, results and what was recorded while models were trained.

    Parameters
    ----------
    shown
        The dataset itself, or the fold of the model that val picks, of which
        figures draw windows and answers.
    windows
        Those of train; in detection without their signal, which no figure draws.
    parts
        Sizes of train, val and test, of what is shown.
    boards
        A leaderboard for each fraction of labels, the largest first.
    histories
        By run, for trained runs.
    pretraining
        By architecture, objective, dataset or fold, and seed.
    transfers
        By run, what became of the pretrained tensors.
    confusions
        Of the model picked on val and the best baseline, in this order.
    answers, asked
        Of tasks that answer with values: those of the model picked on val and
        of the best baseline, as far as they have a run on what is shown, and
        the windows of test; else none.
    classification, detection
        What else there is to say of a dataset of the task; None for other tasks.
    leakchecks
        What parts share, of the dataset or of each of its folds where it was looked for.
    colours
        By architecture, the same in all figures of all datasets.
    """

    dataset: str
    shown: str
    windows: WindowSet
    parts: list[Part]
    results: list[Result]
    boards: list[Leaderboard]
    histories: dict[Run, pd.DataFrame]
    pretraining: dict[tuple[str, str, str, int], pd.DataFrame]
    transfers: dict[Run, dict[str, Any]]
    confusions: list[Confusion]
    answers: list[Answers]
    asked: WindowSet | None
    classification: ClassificationMaterial | None
    detection: DetectionMaterial | None
    leakchecks: list[LeakCheck]
    colours: dict[str, str]

    @property
    def place(self) -> str:
        """The dataset, in the paths of its figures."""
        return self.dataset

    @property
    def board(self) -> Leaderboard:
        """The leaderboard with most labels."""
        return self.boards[0]

    @property
    def events(self) -> DetectionMaterial:
        """What there is to say of a detection dataset; asked of no other."""
        if self.detection is None:
            raise ValueError(f"{self.dataset} is no detection dataset")
        return self.detection

    @property
    def judged(self) -> ClassificationMaterial:
        """What there is to say of a classification dataset; asked of no other."""
        if self.classification is None:
            raise ValueError(f"{self.dataset} is no classification dataset")
        return self.classification

    @property
    def test(self) -> WindowSet:
        """The windows of test; of tasks that answer with values alone."""
        if self.asked is None:
            raise ValueError(f"{self.dataset} has no values to tell")
        return self.asked

    @cached_property
    def architectures(self) -> list[str]:
        """Trained architectures, in the order of the colours."""
        own = {result.run.architecture for result in self.results if not result.is_baseline}
        return [name for name in self.colours if name in own]

    @cached_property
    def arms(self) -> list[str]:
        """Arms of trained runs, those without pretraining first."""
        own = {result.run.arm for result in self.results if not result.is_baseline}
        plain = [arm for arm in ("scratch", "random_frozen") if arm in own]
        return plain + sorted(own - set(plain))

    def colour(self, row: Row) -> str:
        """Return the colour of a model."""
        return BASELINE_COLOUR if row.is_baseline else self.colours[row.architecture]


def gather(plan: Plan, results: list[Result], root: Path) -> list[Material]:
    """Read what belongs to the datasets of a plan, each in turn.

    Parameters
    ----------
    plan
        Names the runs; no directory is searched.
    results
        As `results.collect` returns them.
    root
        Folder that holds `results/`.
    """
    names = list(dict.fromkeys(run.architecture for run in plan.asked.trained))
    colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    return [_material(plan, results, root, dataset, colours) for dataset in plan.wholes]


def _material(
    plan: Plan, results: list[Result], root: Path, dataset: str, colours: dict[str, str]
) -> Material:
    trained = sorted(run for run in plan.runs_on(dataset) if not run.is_baseline)
    boards = leaderboards(results, dataset)
    pretrained = [(run, o) for run in trained if (o := plan.objective(run)) is not None]
    pretraining = {
        (run.architecture, objective, run.dataset, run.seed): root
        / layout.PRETRAIN_HISTORY.format(objective=objective, **vars(run))
        for run, objective in pretrained
    }
    transfers = {run: root / run.fill(layout.TRANSFER) for run, _ in pretrained}
    picked = boards[0].picked
    rows = [row for row in (picked, boards[0].best_baseline) if row is not None]
    shown = (picked.chosen.run if picked else trained[0]).dataset
    figures = figures_of(plan, dataset)
    path = root / layout.WINDOWS.format(dataset=shown)
    is_detection = "timeline" in figures
    windows = read_windows(path, "train", signal=not is_detection)
    has_answers = not {"answers", "frames"}.isdisjoint(figures)
    classification = detection = None
    if "roc" in figures:
        classification = gather_classification(boards[0], path, root)
    if is_detection:
        detection = gather_detection(boards[0], path, root, plan.template_runs)
    return Material(
        dataset=dataset,
        shown=shown,
        windows=windows,
        parts=read_parts(path, has_classes=bool(windows.classes)),
        results=[result for result in results if result.dataset == dataset],
        boards=boards,
        histories={run: pd.read_csv(root / run.fill(layout.HISTORY)) for run in trained},
        pretraining={key: pd.read_csv(path) for key, path in pretraining.items()},
        transfers={r: json.loads(p.read_text(encoding="utf-8")) for r, p in transfers.items()},
        confusions=[_confusion(row, root) for row in rows] if "confusion" in figures else [],
        answers=list(_answers(rows, root, shown)) if has_answers else [],
        asked=read_windows(path, "test") if has_answers else None,
        classification=classification,
        detection=detection,
        leakchecks=_leakchecks(plan, dataset, root),
        colours=colours,
    )


def _leakchecks(plan: Plan, dataset: str, root: Path) -> list[LeakCheck]:
    names = sorted({run.dataset for run in plan.runs_on(dataset)})
    found = [read_leakcheck(root / layout.WINDOWS.format(dataset=name)) for name in names]
    return [one for one in found if one is not None]


def _answers(rows: Iterable[Row], root: Path, dataset: str) -> Iterator[Answers]:
    """Yield what models said on a dataset or fold, of those that have a run there."""
    for row in rows:
        result = row.chosen_on(dataset)
        if result is None:
            continue
        predictions = read_predictions(root / result.run.fill(layout.PREDICTIONS), "test")
        if not isinstance(predictions, Sequences):
            raise ValueError(f"{row.name} answers with no values")
        yield Answers(row, result, predictions)


def _confusion(row: Row, root: Path) -> Confusion:
    counts = [_counts(root / result.run.fill(layout.PREDICTIONS)) for result in row.results]
    return Confusion(row, np.stack(counts).sum(axis=0))


def _counts(path: Path) -> NDArray[np.int64]:
    predictions = read_predictions(path, "test")
    if isinstance(predictions, Detections):
        raise ValueError(f"{path}: holds no scores of classes")
    once = np.ones((1, len(predictions)))
    return confusion(predictions, once)[0].astype(np.int64)
