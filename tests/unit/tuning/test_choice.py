import pytest

from seqbench.storage.trials import Trial, read_choice, write_trial
from seqbench.tuning.choice import best_trial, choose


def trial(number, score=0.5, loss=1.0, **changes):
    values = {"dataset": "d", "architecture": "mlp", "headline": "accuracy"}
    fields = {"trial": number, "score": score, "loss": loss, "options": {"n": number}}
    return Trial(**values | fields | changes)


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial(0, 0.5), trial(1, 0.7), trial(2, 0.6)], 1),
        ([trial(0, 0.7, 0.9), trial(1, 0.7, 0.8), trial(2, 0.6, 0.1)], 1),
        ([trial(0), trial(1), trial(2)], 0),  # nothing speaks for a change
        ([trial(0, 0.7, None), trial(1, 0.7, 2.0)], 1),
        ([trial(0, -2.0), trial(1, None, None, failure="diverged")], 0),
        ([trial(0, None, None), trial(1, None, None)], 0),
    ],
    ids=["score", "loss of equals", "first of equals", "no loss", "failed", "none defined"],
)
def test_the_best_on_val_is_chosen(trials, best):
    assert best_trial(trials).trial == best
    assert best_trial(trials[::-1]).trial == best


def test_the_choice_holds_the_options_of_the_best(tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(2)]
    for number, path in enumerate(paths):
        write_trial(path, trial(number, score=number / 2))

    choose(paths, tmp_path / "choice.json")

    found = read_choice(tmp_path / "choice.json")
    assert (found.trial, found.options) == (1, {"n": 1})
    assert (found.dataset, found.architecture) == ("d", "mlp")
