"""A straight line between the classes: what a network on a table must beat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, window_array
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import UNLABELLED, WindowSet

INVERSE_PENALTIES = np.logspace(-4, 4, 9)
MAX_ITERATIONS = 1000
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@BASELINES.register(
    "logistic_regression",
    accepts=("series", "video"),
    tasks=("classification",),
    imports=("sklearn.linear_model", "sklearn.model_selection"),
)
class LogisticRegressionBaseline(Baseline):
    """Multinomial logistic regression on the samples of a window, or its pixels, side by side.

    Parameters
    ----------
    n_folds
        Folds of the training recordings, groups kept together, by which the weight of
        the squared L2 norm is chosen: the one with the least log-loss. With
        fewer groups in a class, as many; with one, the middle weight is taken.

    Notes
    -----
    Every channel, or pixel, at every sample is a feature, centred and scaled by what it
    is fitted on. Features must mean the same in every window, so windows of
    unequal length are padded with zeros, the mean of train where windows are
    normalised by it, to the longest window of training, and longer ones cut;
    where windows do not start at the same moment of an event, this is no
    more than a floor. A class that training does not hold has the probability 0.
    """

    gives_probabilities = True

    def __init__(self, *, n_folds: Count = 5) -> None:
        self.n_folds = n_folds

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Choose the penalty by cross-validation and fit on all labelled windows."""
        n_samples = max(int(split.length.max()) for split in splits)
        x = np.concatenate([_features(split, n_samples, labelled=True) for split in splits])
        y = labels(splits)
        inverse_penalty = self._inverse_penalty(x, y, _groups(splits))
        return _fitted(x, y, inverse_penalty) | {
            "n_samples": np.array([n_samples]),
            "inverse_penalty": np.array([inverse_penalty]),
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> Floats:
        """Return the probabilities of the classes, (N, K)."""
        x = _features(windows, int(arrays["n_samples"][0]))
        return _probabilities(arrays, x, len(windows.classes))

    def _inverse_penalty(self, x: Floats, y: Ints, groups: Ints) -> float:
        """Return the inverse penalty with the least log-loss on folds held out in turn."""
        from sklearn.model_selection import StratifiedGroupKFold

        n_folds = min(self.n_folds, *(len(set(groups[y == label])) for label in np.unique(y)))
        if n_folds < 2:
            return float(np.median(INVERSE_PENALTIES))
        splits = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0).split(x, y, groups)
        losses = np.zeros(len(INVERSE_PENALTIES))
        for kept, held in splits:
            for i, candidate in enumerate(INVERSE_PENALTIES):
                arrays = _fitted(x[kept], y[kept], float(candidate))
                predicted = _probabilities(arrays, x[held], int(y.max()) + 1)
                of_truth = predicted[np.arange(len(held)), y[held]]
                losses[i] -= np.log(np.maximum(of_truth, np.finfo(np.float64).eps)).sum()
        return float(INVERSE_PENALTIES[losses.argmin()])


def _features(windows: WindowSet, n_samples: int, *, labelled: bool = False) -> Floats:
    """Return all samples of all channels of each window in a row, (N, C * n_samples)."""
    array = window_array(windows, n_samples, labelled=labelled)
    return array.reshape(len(array), -1).astype(np.float64)


def _groups(splits: list[WindowSet]) -> Ints:
    """Return a number for the group of each labelled window."""
    names = [
        split.groups[i]
        for split in splits
        for i in split.recording[split.label != UNLABELLED].tolist()
    ]
    return np.unique(names, return_inverse=True)[1]


def _fitted(x: Floats, y: Ints, inverse_penalty: float) -> Arrays:
    """Return the scaling of features (N, F) and what is linear in them, a row for each class."""
    from sklearn.linear_model import LogisticRegression

    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=inverse_penalty, max_iter=MAX_ITERATIONS)
    model.fit((x - centre) / scale, y)
    return linear_arrays(model) | {"centre": centre, "scale": scale}


def _probabilities(arrays: Arrays, x: Floats, n_classes: int) -> Floats:
    normal = (x - arrays["centre"]) / arrays["scale"]
    logits = normal @ arrays["coefficients"].T + arrays["intercept"]
    return class_probabilities(logits, arrays["seen"], n_classes)


def linear_arrays(model: Any) -> Arrays:
    """Return what a fitted `LogisticRegression` learned, a row for each class that it saw."""
    coefficients, intercept = model.coef_, model.intercept_
    if len(coefficients) == 1:  # of two classes the first has the logit 0
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercept = np.concatenate([[0.0], intercept])
    return {
        "coefficients": np.ascontiguousarray(coefficients),  # as a file gives it back
        "intercept": intercept,
        "seen": model.classes_,
    }


def class_probabilities(logits: Floats, seen: Ints, n_classes: int) -> Floats:
    """Return the softmax of logits of the classes `seen`, (N, K); 0 for the others."""
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = np.zeros((len(logits), n_classes))
    probabilities[:, seen] = weight / weight.sum(axis=1, keepdims=True)
    return probabilities
