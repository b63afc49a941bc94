"""Convolutional LSTMs against their equations, and videos folded into maps and back."""

import numpy as np
import pytest
import torch
from torch import Tensor

from seqbench.errors import UserError
from seqbench.models.conv_lstm import (
    ConvLSTM,
    ConvLSTMCell,
    ConvLstmEncoder,
    MapForecaster,
    folded,
    unfolded,
)
from seqbench.training.cost import macs_per_window


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def correlated(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return maps (D, H, W) of maps (C, H, W) under filters (D, C, 3, 3), zeros around them."""
    rows, columns = x.shape[1:]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    return sum(
        np.einsum("dc,chw->dhw", weight[:, :, i, j], padded[:, i : i + rows, j : j + columns])
        for i in range(3)
        for j in range(3)
    )


def test_a_step_is_the_equations():
    torch.manual_seed(0)
    cell = ConvLSTMCell(2, 3).double()
    x, hidden, memory = (torch.randn(1, n, 4, 5).double() for n in (2, 3, 3))
    of_x, of_hidden, bias = (
        p.detach().numpy() for p in (cell.of_input.weight, cell.of_state.weight, cell.of_state.bias)
    )

    found_hidden, found_cell = cell(x, (hidden, memory))

    gates = correlated(x[0].numpy(), of_x) + correlated(hidden[0].numpy(), of_hidden)
    enter, forget, leave, new = np.split(gates + bias[:, None, None], 4)
    expected = sigmoid(forget) * memory[0].numpy() + sigmoid(enter) * np.tanh(new)
    np.testing.assert_allclose(found_cell[0].detach(), expected, rtol=1e-12)
    np.testing.assert_allclose(
        found_hidden[0].detach(), sigmoid(leave) * np.tanh(expected), rtol=1e-12
    )


def test_a_new_cell_remembers():
    bias = ConvLSTMCell(2, 3).of_state.bias

    assert bias.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6


def test_without_input_the_state_goes_on_as_if_it_were_zero():
    torch.manual_seed(0)
    blind, seeing = ConvLSTMCell(0, 3), ConvLSTMCell(2, 3)
    seeing.of_state.load_state_dict(blind.of_state.state_dict())
    state = (torch.randn(1, 3, 4, 4), torch.randn(1, 3, 4, 4))

    torch.testing.assert_close(blind(None, state), seeing(torch.zeros(1, 2, 4, 4), state))
    with pytest.raises(ValueError, match="without input reads nothing"):
        blind.read(torch.zeros(1, 2, 0, 4, 4))


def test_reading_is_stepping():
    torch.manual_seed(0)
    cell, x = ConvLSTMCell(2, 3), torch.randn(4, 5, 2, 6, 7)
    state = cell.init_hidden(4, (6, 7))
    stepped = []
    for t in range(5):
        state = cell(x[:, t], state)
        stepped.append(state[0])

    outputs, last = cell.read(x)

    torch.testing.assert_close(outputs, torch.stack(stepped, dim=1))
    torch.testing.assert_close(last, state)


@pytest.mark.parametrize("return_all_layers", [False, True])
def test_both_orders_of_axes_are_the_same_network(return_all_layers):
    options = {"kernel_size": (3, 5), "num_layers": 2, "return_all_layers": return_all_layers}
    networks = []
    for batch_first in (True, False):
        torch.manual_seed(0)
        networks.append(ConvLSTM(2, [3, 4], batch_first=batch_first, **options))
    x = torch.randn(5, 6, 2, 7, 8)

    outputs, states = networks[0](x)
    turned_outputs, turned_states = networks[1](x.transpose(0, 1))

    assert [o.shape[2] for o in outputs] == ([3, 4] if return_all_layers else [4])
    for one, turned in zip(outputs, turned_outputs, strict=True):
        assert torch.equal(one, turned.transpose(0, 1))
    for (hidden, cell), turned in zip(states, turned_states, strict=True):
        assert torch.equal(hidden, turned[0])
        assert torch.equal(cell, turned[1])
    assert torch.equal(outputs[-1][:, -1], states[-1][0])


def test_a_sequence_can_be_read_in_two_parts():
    torch.manual_seed(0)
    network, x = ConvLSTM(2, 3, num_layers=2, return_all_layers=True), torch.randn(6, 2, 2, 5, 5)

    outputs, end = network(x)
    _, middle = network(x[:4])
    rest, last = network(x[4:], middle)

    torch.testing.assert_close(rest[-1], outputs[-1][4:])
    torch.testing.assert_close(last, end)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 4}, "must be odd"),
        ({"hidden_dim": [3], "num_layers": 2}, "one entry for each layer"),
        ({"kernel_size": [3, 3, 3], "num_layers": 2}, "one entry for each layer"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        ConvLSTM(**{"input_dim": 2, "hidden_dim": 3} | options)


def test_a_pixel_of_a_map_is_a_patch():
    x = torch.arange(24.0).reshape(1, 1, 1, 4, 6)

    maps = folded(x, 2)

    assert maps.shape == (1, 1, 4, 2, 3)
    assert maps[0, 0, :, 1, 2].tolist() == [16, 17, 22, 23]


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 3)])
def test_unfolding_gives_the_frames_back(size):
    x = torch.randn(2, 3, 2, *size)

    assert torch.equal(unfolded(folded(x, 4).flatten(0, 1), 4, size).unflatten(0, (2, 3)), x)


def forecaster() -> tuple[MapForecaster, Tensor]:
    torch.manual_seed(0)
    return MapForecaster((6, 3, 2), 4, (4, 2, 9, 6)), torch.randn(3, 5, 36)


def test_the_forecast_follows_the_last_frame_of_each_window():
    head, frames = forecaster()
    lengths = torch.tensor([5, 2, 1])

    forecast = head(frames, lengths)

    assert forecast.shape == (3, 4, 2, 9, 6)
    for row, length in enumerate(lengths.tolist()):
        alone = head(frames[row : row + 1, :length])
        torch.testing.assert_close(forecast[row : row + 1], alone)


def test_products_are_counted_for_every_step():
    encoder = ConvLstmEncoder((1, 8, 8), patch_size=4, widths=(3, 2))
    head = MapForecaster(encoder.map_shape, 4, (7, 1, 8, 8))

    # Maps of 2 x 2 pixels, filters of 3 x 3, four gates; 16 features come from a patch.
    steps = 5 * 4 * 9 * 4 * (3 * (16 + 3) + 2 * (3 + 2))
    assert macs_per_window(encoder, torch.zeros(1, 5, 1, 8, 8)) == steps
    # The first cell, then each step: gates, a layer of 5, and one of 16 for the patch.
    expected = 4 * (5 * 5 + 7 * (9 * 4 * 5 * 5 + 5 * 5 + 5 * 16))
    assert macs_per_window(head, torch.zeros(1, 1, encoder.n_features)) == expected
