"""Multiply-accumulates of small layers, counted by hand."""

import pytest
import torch
from torch import nn

from seqbench.models.attention import MultiHeadAttention
from seqbench.training.cost import macs_per_window, n_parameters

T = 7


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Linear(3, 5), (1, 3), 3 * 5),
        (nn.Linear(3, 5), (1, T, 3), T * 3 * 5),
        # 7 samples at stride 2 are 4 frames of 4 channels, each from 3 samples of 2 channels.
        (nn.Conv1d(2, 4, 3, stride=2, padding=1), (1, 2, T), 4 * 4 * 3 * 2),
        # In two groups each output sees one input channel.
        (nn.Conv1d(2, 4, 3, stride=2, padding=1, groups=2), (1, 2, T), 4 * 4 * 3 * 1),
        (nn.RNN(2, 3, batch_first=True), (1, T, 2), T * 3 * (2 + 3)),
        (nn.GRU(2, 3, batch_first=True), (1, T, 2), T * 3 * 3 * (2 + 3)),
        (nn.LSTM(2, 3, batch_first=True), (1, T, 2), T * 4 * 3 * (2 + 3)),
        (nn.LSTM(2, 3, batch_first=True, bidirectional=True), (1, T, 2), 2 * T * 4 * 3 * (2 + 3)),
        # The second layer reads the three units of the first.
        (nn.LSTM(2, 3, 2, batch_first=True), (1, T, 2), T * 4 * 3 * ((2 + 3) + (3 + 3))),
        # Four maps of 6 features each, then each pair of frames twice: score, weighted sum.
        (MultiHeadAttention(6, 2), (1, T, 6), T * 4 * 6 * 6 + 2 * T * T * 6),
        (nn.ReLU(), (1, T, 2), 0),
    ],
    ids=str,
)
def test_a_layer_counts_as_many_products_as_its_formula_has(layer, shape, expected):
    assert macs_per_window(layer, torch.zeros(shape)) == expected


def test_counting_leaves_no_hooks_and_no_gradient():
    network = nn.Sequential(nn.Linear(3, 5))

    first = macs_per_window(network, torch.zeros(1, 3))

    assert macs_per_window(network, torch.zeros(1, 3)) == first
    assert not any(module._forward_hooks for module in network.modules())
    assert network[0].weight.grad is None


def test_parameters_are_counted_frozen_or_not():
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    network[0].requires_grad_(False)

    assert n_parameters(network) == 3 * 5 + 5 + 2 * 5
