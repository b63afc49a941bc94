"""Random numbers and cropping of objectives."""

import pytest
import torch
from torch import Tensor

from seqbench.pretraining.base import Objective

C = 2


class Draws(Objective):
    """The loss is the next random number."""

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        return torch.rand((), generator=self.generator(x))


@pytest.fixture
def draws(copy_encoder):
    return lambda: Draws(copy_encoder(), C)


def drawn(objective: Objective, n: int) -> list[float]:
    return [objective.loss(torch.zeros(1, 1, C), None).item() for _ in range(n)]


def test_every_evaluation_draws_the_same_numbers(draws):
    objective = draws()

    first = drawn(objective.eval(), 3)
    objective.train()
    drawn(objective, 2)

    assert len(set(first)) == 3
    assert drawn(objective.eval(), 3) == first
    assert drawn(objective.eval(), 3) == first


def test_training_evaluation_and_other_seeds_draw_different_numbers(draws):
    one, other = draws(), draws()

    assert drawn(one.train(), 1) != drawn(other.train(), 1)
    assert drawn(one.train(), 1) != drawn(one.eval(), 1)


def test_windows_are_cropped_to_the_longest(draws, windows):
    assert draws().prepare(windows, torch.tensor([3, 5, 2, 1, 4, 5])).shape == (len(windows), 5, C)
    assert draws().prepare(windows, None).shape == windows.shape
