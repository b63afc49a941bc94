"""Forests of decision trees as arrays, so that a file of a baseline runs no code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays

Floats = NDArray[np.float64]


def fit_trees(
    x: Floats, y: NDArray[np.int64], weight: Floats, *, n_trees: int, least: int, seed: int
) -> Arrays:
    """Fit extremely randomised trees, and return them end to end; see `forest_arrays`.

    Parameters
    ----------
    x
        Features, (n, D).
    y
        Classes, (n,).
    weight
        Of each row, (n,).
    n_trees, least
        How many trees, and how many rows a leaf has at least.
    seed
        Of the features and thresholds that are tried.

    References
    ----------
    Geurts, Ernst, Wehenkel (2006). Extremely randomized trees. Machine Learning 63:3-42.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(
        n_trees, min_samples_leaf=least, max_features=0.3, random_state=seed
    )
    return forest_arrays(forest.fit(x.astype(np.float32), y, sample_weight=weight))


def forest_arrays(forest: Any) -> Arrays:
    """Return the trees of a fitted classifier of scikit-learn end to end.

    Returns
    -------
    dict
        ``root`` (n_trees,), the node each tree begins with; of each node ``left`` and ``right``
        (-1 in leaves), ``feature``, ``cut`` and ``share`` (n_nodes, n_classes) of the classes;
        ``seen``, the classes.
    """
    trees = [one.tree_ for one in forest.estimators_]
    root = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]

    def nodes(name: str) -> NDArray[np.int64]:
        """Return the numbers of the children of all nodes."""
        found = [getattr(tree, name) for tree in trees]
        return np.concatenate(
            [np.where(one < 0, -1, one + at) for one, at in zip(found, root, strict=True)]
        )

    share = np.concatenate([tree.value[:, 0, :] for tree in trees])
    return {
        "root": root,
        "left": nodes("children_left"),
        "right": nodes("children_right"),
        "feature": np.concatenate([tree.feature for tree in trees]),
        "cut": np.concatenate([tree.threshold for tree in trees]),
        "share": share / share.sum(axis=1, keepdims=True),
        "seen": forest.classes_,
    }


def tree_probabilities(arrays: Arrays, x: Floats, n_classes: int) -> Floats:
    """Return the mean share of each class over the leaves that rows (n, D) end in, (n, n_classes).

    The classes that were not seen have 0.
    """
    values = x.astype(np.float32)  # as the trees were fitted
    rows = np.arange(len(values))
    total = np.zeros((len(values), len(arrays["seen"])))
    for root in arrays["root"]:
        node = np.full(len(values), root)
        while (is_inside := arrays["left"][node] >= 0).any():
            at = node[is_inside]
            goes_left = values[rows[is_inside], arrays["feature"][at]] <= arrays["cut"][at]
            node[is_inside] = np.where(goes_left, arrays["left"][at], arrays["right"][at])
        total += arrays["share"][node]
    found = np.zeros((len(values), n_classes))
    found[:, arrays["seen"]] = total / len(arrays["root"])
    return found
