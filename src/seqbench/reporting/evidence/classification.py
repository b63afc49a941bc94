"""What the report shows of a dataset with classes beside its leaderboard.

Axes: N windows of test, K classes, G levels of a grid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import EVIDENCE
from seqbench.errors import FormatError
from seqbench.reporting.evidence.calibration import Calibrated, Calibration
from seqbench.reporting.evidence.material import EvidenceInputs
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.statistics.curves import average_precision, precision_at, precision_recall, roc
from seqbench.storage.predictions import Predictions
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet, read_windows
from seqbench.tasks.classification.metrics import confusion, reliability

Floats = NDArray[np.float64]

N_LEVELS = 201  # of false alarms or recall, at which the curves of several runs are averaged
N_HARDEST = 6
LEAST_PROBABILITY = float(np.finfo(np.float64).eps)


class Confusion(NamedTuple):
    """Counts by true and predicted class, (K, K), summed over the runs of a model."""

    row: ModelScores
    counts: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Confusions:
    """Evidence with classes: of the model selected on val and the best baseline, in this order."""

    confusions: list[Confusion]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Each class of a model against the rest, means over its runs.

    Two classes have one curve, that of the second. A class that test does not
    hold, or nothing else, has none.

    Parameters
    ----------
    classes
        Names of the k classes that have curves.
    levels
        Rates of false alarms, and of recall, (G,).
    hits
        At each level of false alarms, (k, G).
    precision
        At each level of recall, (k, G).
    auroc, average_precision
        Means over runs of the exact areas, (k,).
    share
        Part of test that is of the class: the precision of chance, (k,).
    """

    row: ModelScores
    classes: list[str]
    levels: Floats
    hits: Floats
    precision: Floats
    auroc: Floats
    average_precision: Floats
    share: Floats


@dataclass(frozen=True, kw_only=True)
class HardWindow:
    """A window of test that the runs of a model find hard.

    Parameters
    ----------
    values
        As models see it, (T, C), or (T, C, H, W) of video.
    window
        Its place among the windows of test.
    true, predicted
        Classes; predicted is the one with the highest mean probability.
    p_true, p_predicted
        Their mean probabilities over the runs.
    loss
        Mean of the negative logarithm of the probability of the truth, in nats.
    n_wrong, n_runs
        In how many runs another class had the highest probability.
    """

    values: NDArray[np.float32]
    recording: str
    window: int
    true: str
    predicted: str
    p_true: float
    p_predicted: float
    loss: float
    n_wrong: int
    n_runs: int


@dataclass(frozen=True, kw_only=True)
class ClassificationEvidence(Confusions, Calibrated):
    """Evidence of a classification dataset.

    Parameters
    ----------
    train
        Windows of train with their signal.
    curves
        Of the model selected on val and the best baseline, in this order.
    hardest
        Windows with the highest loss, the hardest first; none if every run is
        right in all, or scores are no probabilities.
    """

    train: WindowSet
    curves: list[Curves]
    hardest: list[HardWindow]


@EVIDENCE.register("labelling", tasks=("labelling",))
def gather_labelling(inputs: EvidenceInputs) -> Confusions:
    """Sum the confusion matrices of the models that are shown."""
    confusions = [
        _confusion(row, [inputs.predictions(one.run, Sequences) for one in row.results])
        for row in inputs.board.compared
    ]
    return Confusions(confusions=confusions)


@EVIDENCE.register("classification", tasks=("classification",))
def gather_classification(inputs: EvidenceInputs) -> ClassificationEvidence:
    """Read the windows of train, and predictions of test windows."""
    board = inputs.board
    predicted = [
        (row, [inputs.predictions(one.run, Predictions) for one in row.results])
        for row in board.compared
    ]
    calibration, hardest = None, []
    selected = board.selected
    if selected is not None and all(one.are_probabilities for one in predicted[0][1]):
        own = predicted[0][1]
        bins = map(reliability, own)
        calibration = Calibration.of_runs(selected, bins, of="test window", error="ece")
        runs = zip(selected.results, own, strict=True)
        of_shown = [one for result, one in runs if result.run.dataset == inputs.shown]
        hardest = hardest_windows(
            read_windows(inputs.windows, "test", memory_limit_bytes=0), of_shown
        )
    return ClassificationEvidence(
        train=read_windows(inputs.windows, "train", memory_limit_bytes=0),
        confusions=[_confusion(row, of_row) for row, of_row in predicted],
        curves=[curves(row, of_row) for row, of_row in predicted],
        calibration=calibration,
        hardest=hardest,
    )


def curves(row: ModelScores, of_runs: list[Predictions]) -> Curves:
    """Return the curves of a model, averaged over runs at equal levels."""
    names = of_runs[0].classes
    levels = np.linspace(0, 1, N_LEVELS)
    kinds = [1] if len(names) == 2 else range(len(names))
    by_kind = {k: [c for one in of_runs if (c := _of_class(one, k, levels))] for k in kinds}
    found = {k: of_class for k, of_class in by_kind.items() if of_class}

    def mean(field: str) -> Floats:
        return np.array(
            [np.mean([getattr(one, field) for one in runs], axis=0) for runs in found.values()]
        )

    return Curves(
        row=row,
        classes=[names[k] for k in found],
        levels=levels,
        **{field: mean(field) for field in _OfClass._fields},
    )


def hardest_windows(windows: WindowSet, of_runs: list[Predictions]) -> list[HardWindow]:
    """Return the windows of the highest mean loss among those that a run took for another class.

    The hardest come first.

    Parameters
    ----------
    windows
        Those of test.
    of_runs
        Probabilities for them, of at least one run.

    Raises
    ------
    FormatError
        If the predictions are of other windows.
    """
    if any(not np.array_equal(one.start, windows.start) for one in of_runs):
        raise FormatError("predictions are not of the windows of test; delete them and run again")
    label, classes = windows.label, windows.classes
    probability = np.mean([one.scores for one in of_runs], axis=0)  # (N, K)
    n_wrong = np.sum([one.predicted != label for one in of_runs], axis=0)
    of_truth = np.stack([one.scores[np.arange(len(label)), label] for one in of_runs])
    loss = -np.log(np.maximum(of_truth, LEAST_PROBABILITY)).mean(axis=0)
    predicted, wrong = probability.argmax(axis=1), np.flatnonzero(n_wrong)
    return [
        HardWindow(
            values=windows.window(i).copy(),
            recording=windows.names[windows.recording[i]],
            window=i,
            true=classes[label[i]],
            predicted=classes[predicted[i]],
            p_true=float(probability[i, label[i]]),
            p_predicted=float(probability[i, predicted[i]]),
            loss=float(loss[i]),
            n_wrong=int(n_wrong[i]),
            n_runs=len(of_runs),
        )
        for i in wrong[np.argsort(-loss[wrong], kind="stable")][:N_HARDEST].tolist()
    ]


def _confusion(row: ModelScores, of_runs: Iterable[Predictions | Sequences]) -> Confusion:
    counts = [confusion(one, np.ones((1, len(one))))[0].astype(np.int64) for one in of_runs]
    return Confusion(row, np.sum(counts, axis=0))


class _OfClass(NamedTuple):
    """Curves of one class in one run, as `Curves` has them of several."""

    hits: Floats
    precision: Floats
    auroc: float
    average_precision: float
    share: float


def _of_class(predictions: Predictions, kind: int, levels: Floats) -> _OfClass | None:
    """Return the curves of a class against the rest; None where test does not hold both."""
    positive = predictions.target == kind
    if positive.all() or not positive.any():
        return None
    scores = predictions.scores[:, kind]
    if len(predictions.classes) == 2:
        scores = predictions.scores[:, 1] - predictions.scores[:, 0]
    false_alarms, hits = roc(scores, positive)
    recall, precision = precision_recall(scores, positive)
    return _OfClass(
        hits=np.interp(levels, false_alarms, hits),
        precision=precision_at(levels, recall, precision),
        auroc=float(np.trapezoid(hits, false_alarms)),
        average_precision=average_precision(recall, precision),
        share=float(positive.mean()),
    )
