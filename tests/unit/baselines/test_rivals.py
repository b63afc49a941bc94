"""Baselines of aeon are aeon's own classifiers, whose fits are kept as arrays."""

import numpy as np
import pytest
import torch

from seqbench.baselines.base import labels, window_array
from seqbench.baselines.multirocket_hydra import Hydra
from seqbench.config.registry import BASELINES

N_SAMPLES = 40


def aeon_classifier(name, seed):
    from aeon.classification.convolution_based import MultiRocketHydraClassifier
    from aeon.classification.feature_based import Catch22Classifier
    from aeon.classification.interval_based import QUANTClassifier
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    # A classifier with a seed draws another one from it for its trees.
    if name == "catch22":
        forest = RandomForestClassifier(200, random_state=seed)
        return Catch22Classifier(catch24=True, estimator=forest)
    if name == "quant":
        trees = {"criterion": "entropy", "max_features": 0.1}
        return QUANTClassifier(estimator=ExtraTreesClassifier(200, random_state=seed, **trees))
    return MultiRocketHydraClassifier(random_state=seed)


@pytest.mark.parametrize("name", ["multirocket_hydra", "quant", "catch22"])
def test_predictions_are_those_of_the_classifier_of_aeon(name, make_windows):
    splits = make_windows(n_classes=3, lengths=(N_SAMPLES,), noise=2.0)
    learned, test = [splits["train"], splits["val"]], splits["test"]
    x = np.concatenate([window_array(one, N_SAMPLES) for one in learned]).astype(np.float64)
    theirs = aeon_classifier(name, 3).fit(x, labels(learned))
    baseline = BASELINES[name]()

    found = baseline.predict(baseline.fit(learned, seed=3), test)

    unseen = window_array(test, N_SAMPLES).astype(np.float64)
    expected = theirs.predict(unseen)
    assert len(set(expected)) > 1
    assert (expected != test.label).any()  # hard enough to differ
    np.testing.assert_array_equal(found.argmax(axis=1), expected)
    if baseline.gives_probabilities:
        np.testing.assert_allclose(found, theirs.predict_proba(unseen), atol=1e-6)


def test_kernels_are_drawn_without_a_trace():
    torch.manual_seed(7)
    n_threads = torch.get_num_threads()
    state = torch.get_rng_state()

    first, second = (Hydra(4, 2, 30, seed=1).arrays() for _ in range(2))

    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads
    np.testing.assert_equal(first, second)
    assert not np.array_equal(first["kernels"], Hydra(4, 2, 30, seed=2).arrays()["kernels"])
