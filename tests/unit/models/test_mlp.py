"""Dense layers for every sample."""

import torch

from seqbench.models.mlp import MlpEncoder


def test_the_order_of_samples_moves_frames_and_changes_none():
    torch.manual_seed(0)
    encoder = MlpEncoder(3, hidden_sizes=(8, 5)).eval()
    x = torch.randn(2, 7, 3)
    order = torch.randperm(7)

    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order])


def test_a_sample_goes_through_the_layers_as_written():
    torch.manual_seed(0)
    encoder = MlpEncoder(3, hidden_sizes=(8, 5)).eval()
    row = torch.randn(3)
    first, second = encoder.layers

    expected = (second.weight @ (first.weight @ row + first.bias).relu() + second.bias).relu()

    torch.testing.assert_close(encoder(row[None, None])[0, 0], expected)
