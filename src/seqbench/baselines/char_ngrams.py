"""Short runs of characters and a linear classifier: what recurrence over text must beat."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seqbench.baselines.base import Arrays, Baseline, labels
from seqbench.baselines.logistic_regression import class_probabilities, linear_arrays
from seqbench.config.options import Count, Positive
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import UNLABELLED, WindowSet

MARK = -1  # at both ends of a sequence; ids of tokens are 0 or more
FILLER = -2  # behind n-grams shorter than the longest
TOLERANCE, MAX_ITERATIONS = 1e-3, 300

Gram = tuple[int, ...]


@BASELINES.register(
    "char_ngrams",
    accepts=("tokens",),
    tasks=("classification",),
    imports=("scipy.sparse", "sklearn.linear_model"),
    space={"longest": (2, 3, 4, 5, 6), "inverse_penalty": {"low": 0.1, "high": 100.0, "log": True}},
)
class CharNgramsBaseline(Baseline):
    """Counts of character n-grams and multinomial logistic regression.

    Parameters
    ----------
    longest
        Characters of the longest n-grams; all shorter ones are counted too.
    inverse_penalty
        Inverse weight of the squared L2 norm of the coefficients: less makes a
        smoother model.

    Notes
    -----
    A mark stands at both ends of a sequence, so that beginnings and endings
    are n-grams of their own. The counts of a sequence are divided by their L2
    norm. A class that training does not hold has the probability 0.
    """

    gives_probabilities = True

    def __init__(self, *, longest: Count = 4, inverse_penalty: Positive = 3.0) -> None:
        self.longest = longest
        self.inverse_penalty = inverse_penalty

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Collect the n-grams of all labelled windows and fit the classifier."""
        from sklearn.linear_model import LogisticRegression

        counts = [
            self._counts(split, i)
            for split in splits
            for i in np.flatnonzero(split.label != UNLABELLED).tolist()
        ]
        grams = sorted({gram for of_window in counts for gram in of_window})
        column = {gram: i for i, gram in enumerate(grams)}
        model = LogisticRegression(
            C=self.inverse_penalty, tol=TOLERANCE, max_iter=MAX_ITERATIONS
        ).fit(_features(counts, column), labels(splits))
        linear = linear_arrays(model)
        ngrams = np.full((len(grams), self.longest), FILLER, dtype=np.int32)
        for row, gram in zip(ngrams, grams, strict=True):
            row[: len(gram)] = gram
        coefficients = linear["coefficients"].astype(np.float32)
        return linear | {"ngrams": ngrams, "coefficients": coefficients}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the probabilities of the classes, (N, K)."""
        rows = arrays["ngrams"].tolist()
        column = {tuple(n for n in row if n != FILLER): i for i, row in enumerate(rows)}
        counts = [self._counts(windows, i) for i in range(len(windows))]
        logits = _features(counts, column) @ arrays["coefficients"].T.astype(np.float64)
        logits += arrays["intercept"]
        return class_probabilities(logits, arrays["seen"], len(windows.classes))

    def _counts(self, windows: WindowSet, index: int) -> dict[Gram, int]:
        """Count the n-grams of one window; a mark alone is none."""
        tokens = [MARK, *windows.window(index)[:, 0].astype(np.int64).tolist(), MARK]
        counts = Counter(
            tuple(tokens[begin : begin + n])
            for n in range(1, self.longest + 1)
            for begin in range(len(tokens) - n + 1)
        )
        del counts[(MARK,)]
        return counts


def _features(counts: list[dict[Gram, int]], column: dict[Gram, int]) -> csr_matrix:
    """Return the counts of known n-grams, (N, G), each row divided by its L2 norm."""
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for of_window in counts:
        known = {column[gram]: count for gram, count in of_window.items() if gram in column}
        norm = max(1.0, sum(count**2 for count in known.values()) ** 0.5)
        columns += known
        values += [count / norm for count in known.values()]
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(counts), len(column)))
