"""Which trials of a rung go on to the next one."""

import pytest

from seqbench.storage.trials import Trial, read_promotion, write_trial
from seqbench.tuning.promotion import promote, promoted


def trial(number, score, loss=1.0, **changes):
    values = {"dataset": "d", "architecture": "mlp", "headline": "accuracy", "rung": 1}
    fields = {"trial": number, "score": score, "loss": loss, "options": {"n": number}}
    return Trial(**values | fields | changes)


FAILED = {"loss": None, "failure": "train_loss is nan"}


@pytest.mark.parametrize(
    ("trials", "n", "expected"),
    [
        ([trial(0, 0.1), trial(1, 0.7), trial(2, 0.6), trial(3, 0.8)], 2, [0, 1, 3]),
        ([trial(0, 0.9), trial(1, 0.7), trial(2, 0.6), trial(3, 0.8)], 2, [0, 3]),
        ([trial(0, 0.9), trial(1, 0.7), trial(2, 0.6)], 1, [0]),
        ([trial(0, 0.1), trial(1, 0.7, 0.9), trial(2, 0.7, 0.8)], 1, [0, 2]),
        ([trial(0, 0.1), trial(1, 0.7), trial(2, 0.7)], 1, [0, 1]),
        ([trial(0, 0.1), trial(1, None, **FAILED), trial(2, 0.0)], 3, [0, 2]),
        ([trial(0, None, None), trial(1, None, None)], 1, [0]),
    ],
    ids=[
        "as configured on top",
        "as configured among the best",
        "as configured alone",
        "loss of equals",
        "first of equals",
        "failed",
        "none defined",
    ],
)
def test_the_best_go_on_and_the_options_as_configured_always(trials, n, expected):
    assert promoted(trials, n) == expected
    assert promoted(trials[::-1], n) == expected


def test_a_promotion_names_its_rung_and_who_goes_on(tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(4)]
    for number, path in enumerate(paths):
        write_trial(path, trial(number, number / 4))

    promote(paths, 2, tmp_path / "promotion.json")

    found = read_promotion(tmp_path / "promotion.json")
    assert (found.dataset, found.architecture, found.rung) == ("d", "mlp", 1)
    assert found.trials == (0, 2, 3)
