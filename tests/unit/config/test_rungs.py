"""How many trials of a search by halving go on, and for how many epochs they train."""

import pytest

from seqbench.config.rungs import least_epochs, rungs, shortened
from seqbench.config.stages import FinetuneSettings
from seqbench.config.tuning import TuneSettings


@pytest.mark.parametrize(
    ("n_trials", "factor", "expected"),
    [
        (16, 3, [(16, 9), (5, 3), (1, 1)]),
        (9, 3, [(9, 9), (3, 3), (1, 1)]),
        (8, 3, [(8, 3), (2, 1)]),
        (16, 2, [(16, 16), (8, 8), (4, 4), (2, 2), (1, 1)]),
        (2, 3, [(2, 1)]),  # a space with two points
    ],
)
def test_of_each_rung_one_in_so_many_goes_on_to_as_many_times_the_epochs(
    n_trials, factor, expected
):
    assert rungs(n_trials, factor, [FinetuneSettings(epochs=60)]) == expected


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        ((60, 10), [(16, 9), (5, 3), (1, 1)]),
        ((60, 9), [(16, 3), (5, 1)]),  # a ninth of 9 epochs would be all warm-up
        ((6,), [(16, 3), (5, 1)]),
        ((3,), [(16, 1)]),
    ],
)
def test_the_training_with_the_fewest_epochs_decides_how_many_rungs_there_are(epochs, expected):
    trainings = [FinetuneSettings(epochs=n, warmup_epochs=1) for n in epochs]

    assert rungs(16, 3, trainings) == expected


def test_a_random_search_has_all_trials_in_one_rung():
    trainings = [FinetuneSettings()]

    assert TuneSettings(trials=16).rungs(16, trainings) == [(16, 1)]
    halving = TuneSettings(trials=16, method="halving")
    assert halving.rungs(16, trainings) == rungs(16, 3, trainings)


def test_a_shorter_training_has_its_part_of_epochs_and_warm_up_and_is_otherwise_the_same():
    whole = FinetuneSettings(epochs=60, warmup_epochs=10, patience_epochs=8, min_steps_per_epoch=4)

    short = shortened(whole, 9)

    assert (short.epochs, short.warmup_epochs) == (7, 2)
    same = whole.model_dump().keys() - {"epochs", "warmup_epochs"}
    assert short.model_dump(include=same) == whole.model_dump(include=same)
    assert shortened(whole, 1) == whole


@pytest.mark.parametrize(("warmup", "expected"), [(0, 9), (1, 10), (9, 10), (10, 19)])
def test_the_least_epochs_leave_one_behind_the_warm_up_of_the_first_rung(warmup, expected):
    least = least_epochs(FinetuneSettings(warmup_epochs=warmup), 9)

    assert least == expected
    short = shortened(FinetuneSettings(epochs=least, warmup_epochs=warmup), 9)
    assert short.epochs > short.warmup_epochs
