"""Counts of n-grams, where the right ones are known."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.baselines.char_ngrams import MARK, CharNgramsBaseline
from seqbench.windowing.windows import make_windows


@pytest.fixture
def parts(recordings):
    """Words that end in a or begin with it; val and test have other letters between."""
    words = ["bda", "aab", "cba", "abc", "dda", "add", "bca", "acb", "xxa", "axx"]
    splits = make_windows(
        recordings(
            ["ends", "begins"] * 5,
            signals=[np.array([[ord(c)] for c in word], dtype=np.float32) for word in words],
            sample="tokens",
            channels=["letter"],
        ),
        job({"val": ["r6", "r7"], "test": ["r8", "r9"]}, "none"),
    )
    return [splits["train"], splits["val"]], splits["test"]


def test_ends_are_marked_and_n_grams_of_every_length_counted(parts):
    train = parts[0][0]

    counts = CharNgramsBaseline(longest=3)._counts(train, 1)  # aab, whose ids are 1 1 2

    assert counts == {
        (1,): 2,
        (2,): 1,
        (MARK, 1): 1,
        (1, 1): 1,
        (1, 2): 1,
        (2, MARK): 1,
        (MARK, 1, 1): 1,
        (1, 1, 2): 1,
        (1, 2, MARK): 1,
    }


def test_what_stands_at_an_end_is_not_confused_with_the_same_letter_at_the_other(parts):
    learned, test = parts
    baseline = CharNgramsBaseline(longest=2, inverse_penalty=100.0)

    probabilities = baseline.predict(baseline.fit(learned, seed=0), test)

    assert (probabilities.argmax(axis=1) == test.label).all()
    assert probabilities.max(axis=1).min() > 0.8


def test_a_class_that_training_does_not_hold_has_no_probability(parts):
    learned, test = parts
    three = [
        replace(part, classes=["none", *part.classes], label=part.label + 1) for part in learned
    ]
    baseline = CharNgramsBaseline()

    probabilities = baseline.predict(
        baseline.fit(three, seed=0), replace(test, classes=["none", *test.classes])
    )

    assert (probabilities[:, 0] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_sequence_without_a_known_n_gram_gets_the_intercept(parts):
    learned, test = parts
    baseline = CharNgramsBaseline(longest=1)
    arrays = baseline.fit(learned, seed=0)
    unknown = replace(test, signal=np.zeros_like(test.signal))

    expected = np.exp(arrays["intercept"])
    np.testing.assert_allclose(
        baseline.predict(arrays, unknown)[0], expected / expected.sum(), rtol=1e-9
    )
