"""Convolutions in the memory order of windows: the same numbers as those of torch."""

import pytest
import torch
from torch import nn

from seqbench.models.convolution import Conv1d


@pytest.mark.parametrize(
    ("n_channels", "size", "step", "n_samples"),
    [(6, 7, 2, 33), (1, 5, 1, 8), (20, 3, 1, 12), (6, 81, 1, 102), (2, 33, 1, 7), (3, 81, 5, 90)],
)
def test_windows_of_any_length_are_convolved_as_torch_does(n_channels, size, step, n_samples):
    torch.manual_seed(0)
    convolution = Conv1d(n_channels, 4, size, stride=step, padding=size // 2)
    x = torch.randn(3, n_samples, n_channels).transpose(1, 2).requires_grad_()

    found, expected = convolution(x), nn.Conv1d.forward(convolution, x)

    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    grad = torch.randn_like(expected)
    inputs = [x, *convolution.parameters()]
    for one, other in zip(
        torch.autograd.grad(found, inputs, grad),
        torch.autograd.grad(expected, inputs, grad),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{"dilation": 2}, {"groups": 2}, {"padding": 40, "padding_mode": "circular"},
     {"padding": "same"}],
)  # fmt: skip
@pytest.mark.parametrize("size", [7, 81])
def test_other_kinds_of_filters_and_padding_are_those_of_torch(size, options):
    convolution = Conv1d(6, 4, size, **options)
    x = torch.randn(3, 200, 6).transpose(1, 2)

    assert torch.equal(convolution(x), nn.Conv1d.forward(convolution, x))


@pytest.mark.parametrize("size", [7, 81])
def test_features_of_a_frame_are_side_by_side_in_memory(size):
    convolution = Conv1d(6, 4, size, padding=size // 2)

    assert convolution(torch.randn(2, 100, 6).transpose(1, 2)).transpose(1, 2).is_contiguous()
