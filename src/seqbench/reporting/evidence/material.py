"""All that the report knows of one dataset, read once and shared by its figures and its section."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd

from seqbench import layout
from seqbench.config.arms import Arm
from seqbench.config.registry import EVIDENCE
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan, Run
from seqbench.plan.workflow_jobs import overlap_files
from seqbench.reporting.read.ensembles import ensemble_result
from seqbench.reporting.read.results import Result
from seqbench.reporting.read.searches import Choices, Search, read_choices, read_searches
from seqbench.reporting.read.split_sizes import SplitSize, split_size
from seqbench.reporting.read.training import Transfer, read_history, read_transfer
from seqbench.reporting.scores.leaderboards import (
    Leaderboard,
    ModelScores,
    ensemble_row,
    leaderboards,
)
from seqbench.storage.overlaps import Overlap, read_overlap
from seqbench.storage.predictions import read_predictions
from seqbench.storage.windows import SPLITS, LeakCheck, WindowSet, read_leakcheck, read_windows

# Okabe and Ito's colours, then Tol's muted ones: distinguished with any kind of colour vision.
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

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class EvidenceInputs:
    """A leaderboard and the files behind it, of which evidence of a task is gathered.

    Parameters
    ----------
    board
        The one with most labels.
    shown
        The dataset, or the fold of the model selected on val.
    windows
        File of the windows of `shown`.
    root
        Folder that holds `results/`.
    template_files
        Files of models that hold templates that are drawn, by run.
    """

    board: Leaderboard
    shown: str
    windows: Path
    root: Path
    template_files: Mapping[Run, Path]

    def predictions(self, run: Run, kind: type[T]) -> T:
        """Return the predictions of a run on test, which must be of a kind."""
        path = self.root / run.fill(layout.PREDICTIONS)
        found = read_predictions(path, "test")
        if not isinstance(found, kind):
            raise FormatError(
                f"{path}: holds {type(found).__name__.lower()}, not {kind.__name__.lower()};"
                " evaluate the run again"
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Material:
    """One dataset: its windows, results and what was recorded while models were trained.

    Parameters
    ----------
    shown
        The dataset itself, or the fold of the model selected on val, of which
        figures draw windows and predictions.
    windows
        Those of train, without their signal.
    splits
        Sizes of train, val and test, of what is shown.
    boards
        A leaderboard for each fraction of labels, the largest first.
    histories
        By run, for trained runs.
    pretraining
        By architecture, objective (and the other dataset that it was pretrained on), dataset or
        fold, and seed.
    transfers
        By run, what became of the pretrained tensors.
    ensemble
        The mean over the seeds of the selected model; None where it has no scores.
    evidence
        What the task of the dataset adds, see `EVIDENCE`; None where it adds nothing.
    leakchecks
        Leaks between splits, of the dataset or of each of its folds where it was looked for.
    overlaps
        What val and test share with other datasets that models of this one were pretrained on.
    colours
        By architecture, the same in all figures of all datasets.
    choices, searches
        Options that were chosen on val for models of the dataset, and the trials before.
    """

    dataset: str
    shown: str
    windows: WindowSet
    splits: list[SplitSize]
    results: list[Result]
    boards: list[Leaderboard]
    histories: dict[Run, pd.DataFrame]
    pretraining: dict[tuple[str, str, str, int], pd.DataFrame]
    transfers: dict[Run, Transfer]
    ensemble: ModelScores | None
    evidence: object
    leakchecks: list[LeakCheck]
    overlaps: list[Overlap]
    colours: dict[str, str]
    choices: Choices
    searches: list[Search]

    @property
    def place(self) -> str:
        """The dataset, in the paths of its figures."""
        return self.dataset

    @property
    def board(self) -> Leaderboard:
        """The leaderboard with most labels."""
        return self.boards[0]

    def of(self, kind: type[T]) -> T:
        """Return the evidence, which must be of a kind.

        Raises
        ------
        TypeError
            If the task of the dataset has no evidence of this kind.
        """
        if not isinstance(self.evidence, kind):
            raise TypeError(f"{self.dataset}: a task of {self.board.task} has no {kind.__name__}")
        return self.evidence

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

    @property
    def leaks(self) -> bool:
        """Whether what the selected model has learned from holds windows or groups of val, test."""
        selected = self.board.selected
        return any(
            check.n_shared_groups or any(check.n_repeated.values()) for check in self.leakchecks
        ) or (selected is not None and self.has_seen_test(selected.chosen.run))

    @property
    def caveat(self) -> Literal["", "floor", "leak"]:
        """Why results prove little: a leak, or no baseline but the floor; "" where they count."""
        return "leak" if self.leaks else "" if self.board.has_rival else "floor"

    def rows_of(self, board: Leaderboard) -> list[ModelScores]:
        """Return the rows of one of its leaderboards, and the ensemble of the first below them."""
        if board is not self.board or self.ensemble is None:
            return list(board.rows)
        return [*board.rows, self.ensemble]

    def has_seen_test(self, run: Run) -> bool:
        """Return whether the pretraining of a run on another dataset has seen val or test."""
        source = None if run.is_baseline else Arm.parse(run.arm).dataset
        return any(
            one.is_leak and (one.dataset, one.source) == (run.dataset, source)
            for one in self.overlaps
        )

    def colour(self, row: ModelScores) -> str:
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
    names = list(dict.fromkeys(run.architecture for run in plan.requested.trained))
    colours = colours_of(names)
    return [_material(plan, results, root, dataset, colours) for dataset in plan.base_datasets]


def colours_of(architectures: Iterable[str]) -> dict[str, str]:
    """Return a colour for each architecture, in their order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(architectures)}


def without_trainings(plan: Plan, results: list[Result], root: Path, dataset: str) -> Material:
    """Read what belongs to a dataset but what trainings and predictions left behind."""
    own = [result for result in results if result.dataset == dataset]
    trained = [result for result in own if not result.is_baseline]
    choices = read_choices(plan, root, dataset)
    boards = leaderboards(own, dataset, {name: len(plan.trials(name)) for _, name in choices})
    selected = boards[0].selected
    shown = (selected.chosen if selected else trained[0]).run.dataset
    path = root / layout.WINDOWS.format(dataset=shown)
    windows = read_windows(path, "train", signal=False)
    return Material(
        dataset=dataset,
        shown=shown,
        windows=windows,
        splits=[
            split_size(read_windows(path, split, labels=bool(windows.classes), signal=False))
            for split in SPLITS
        ],
        results=own,
        boards=boards,
        histories={},
        pretraining={},
        transfers={},
        ensemble=None,
        evidence=None,
        leakchecks=_leakchecks(plan, dataset, root),
        overlaps=[read_overlap(root / path) for path in overlap_files(plan, plan.runs_on(dataset))],
        colours={},
        choices=choices,
        searches=[],
    )


def _material(
    plan: Plan, results: list[Result], root: Path, dataset: str, colours: dict[str, str]
) -> Material:
    material = without_trainings(plan, results, root, dataset)
    trained = [result for result in material.results if not result.is_baseline]
    pretrained = [(one.run, p) for one in trained if (p := plan.pretraining(one.run)) is not None]
    started = [one.run for one in trained if Arm.parse(one.run.arm).is_pretrained]
    inputs = EvidenceInputs(
        board=material.board,
        shown=material.shown,
        windows=root / layout.WINDOWS.format(dataset=material.shown),
        root=root,
        template_files={run: root / plan.model_file(run) for run in plan.template_runs},
    )
    return replace(
        material,
        histories={
            one.run: read_history(root / one.run.fill(layout.HISTORY), one.metrics.cost.epochs)
            for one in trained
        },
        pretraining={
            (run.architecture, run.arm.rpartition("_")[0], run.dataset, run.seed): read_history(
                root / one.fill(layout.PRETRAIN_HISTORY)
            )
            for run, one in pretrained
        },
        transfers={run: read_transfer(root / run.fill(layout.TRANSFER)) for run in started},
        ensemble=_ensemble(root, material.board),
        evidence=_evidence(inputs),
        colours=colours,
        searches=read_searches(plan, root, material.choices),
    )


def _ensemble(root: Path, board: Leaderboard) -> ModelScores | None:
    found = ensemble_result(root, board.selected.results) if board.selected else None
    return None if found is None else ensemble_row(found, board)


def _leakchecks(plan: Plan, dataset: str, root: Path) -> list[LeakCheck]:
    names = sorted({run.dataset for run in plan.runs_on(dataset)})
    found = [read_leakcheck(root / layout.WINDOWS.format(dataset=name)) for name in names]
    return [one for one in found if one is not None]


def _evidence(inputs: EvidenceInputs) -> object:
    for name in EVIDENCE:
        if inputs.board.task in EVIDENCE.entry(name).tags["tasks"]:
            return EVIDENCE[name](inputs)
    return None
