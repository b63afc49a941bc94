"""Heads that predict samples, and what comes behind them."""

import math

import numpy as np
import pytest
import torch

from seqbench.models.conv_lstm import ConvLstmEncoder, MapForecaster
from seqbench.models.recurrent import LstmEncoder
from seqbench.storage.normalization import Normalization
from seqbench.tasks.forecasting.head import ForecastingHead
from seqbench.tasks.labelling.head import LabellingHead
from seqbench.tasks.regression.head import RegressionHead

UNITS = Normalization("zscore", np.array([10.0, -5.0]), np.array([2.0, 4.0]))


@pytest.fixture
def encoder():
    encoder = LstmEncoder(3, hidden_size=4, pooling="last")
    encoder.stride = 2
    return encoder


def frames(encoder, n_windows: int = 2, n_frames: int = 3) -> torch.Tensor:
    return torch.randn(n_windows, n_frames, encoder.n_features)


def test_a_frame_predicts_the_samples_of_its_stride(encoder):
    head = LabellingHead(encoder, 5, 0.0)
    x = frames(encoder)

    logits = head(x)

    assert logits.shape == (2, 6, 5)
    changed = x.clone()
    changed[:, 1] += 1
    moved = (head(changed) != logits).any(dim=2)
    assert moved.tolist() == [[False, False, True, True, False, False]] * 2


def test_labelling_costs_log_k_at_chance_and_forgets_what_is_unknown(encoder):
    head = LabellingHead(encoder, 4, 0.0)
    logits = torch.zeros(2, 6, 4)
    logits[1, 3:] = torch.randn(3, 4)
    target = torch.tensor([[0, 1, 2, 3, 0], [1, 1, 2, -1, -1]])

    assert head.loss(logits, target).item() == pytest.approx(math.log(4))
    assert head.loss(logits, torch.full((2, 5), -1)).item() == 0


def test_labelling_measures_the_fraction_of_known_samples_that_is_right(encoder):
    head = LabellingHead(encoder, 2, 0.0)
    logits = torch.tensor([[[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]]])

    assert head.measure(logits, torch.tensor([[0, 0, -1]])).tolist() == [0.5]
    torch.testing.assert_close(head.scores(logits).sum(dim=2), torch.ones(1, 3).double())


def test_regression_costs_the_mean_square_of_what_is_known(encoder):
    head = RegressionHead(encoder, UNITS, 0.0)
    predicted = torch.zeros(1, 4, 2)
    target = torch.tensor([[[1.0, 2.0], [3.0, torch.nan], [torch.nan, torch.nan]]])

    assert head.loss(predicted, target).item() == pytest.approx((1 + 4 + 9) / 3)
    assert head.measure(predicted, target).tolist() == pytest.approx([(1 + 4 + 9) / 3])


def test_a_batch_of_which_nothing_is_known_teaches_nothing(encoder):
    head = RegressionHead(encoder, UNITS, 0.0)
    predicted = head(frames(encoder))

    head.loss(predicted, torch.full((2, 6, 2), torch.nan)).backward()

    assert all((p.grad == 0).all() for p in head.parameters())


def test_values_come_back_in_their_units(encoder):
    predicted = torch.tensor([[[0.0, 1.0]]])

    for head in (RegressionHead(encoder, UNITS, 0.0), ForecastingHead(encoder, UNITS, 1, 20, 0.0)):
        assert head.scores(predicted).tolist() == [[[10.0, -1.0]]]
        assert not head.state_dict().keys() & {"centre", "scale"}


def test_a_forecast_holds_all_values_of_all_samples(encoder):
    head = ForecastingHead(encoder, UNITS, 7, 20, 0.0)

    forecast = head(frames(encoder), torch.tensor([3, 2]))

    assert forecast.shape == (2, 7, 2)
    assert head.loss(forecast, forecast.detach()).item() == 0


def test_a_forecast_of_frames_without_maps_is_linear_in_all_pixels(encoder):
    head = ForecastingHead(encoder, UNITS, 3, 20, 0.0, (4, 5))

    forecast = head(frames(encoder))

    assert forecast.shape == (2, 3, 2, 4, 5)
    assert [p.numel() for p in head.parameters()] == [120 * encoder.n_features, 120]
    values = head.scores(torch.ones(1, 1, 2, 4, 5))
    assert (values[0, 0, 0] == 12).all()
    assert (values[0, 0, 1] == -1).all()
    moved = forecast.detach() + torch.tensor([[[1.0]], [[3.0]]])
    assert head.loss(forecast, moved).item() == pytest.approx((1 + 9) / 2, rel=1e-5)
    assert head.measure(forecast, moved).tolist() == pytest.approx([5.0, 5.0], rel=1e-5)


def test_maps_of_an_encoder_are_carried_on():
    torch.manual_seed(0)
    encoder = ConvLstmEncoder((2, 5, 7), patch_size=4, widths=(3, 2))
    head = ForecastingHead(encoder, UNITS, 3, 20, 0.0, (5, 7))

    forecast = head(encoder(torch.randn(2, 5, 2, 5, 7)), torch.tensor([5, 2]))

    assert isinstance(head.output, MapForecaster)
    assert head.output.map_stride == 4  # a pixel of the maps stands for a patch
    assert forecast.shape == (2, 3, 2, 5, 7)
    head.loss(forecast, torch.zeros_like(forecast)).backward()
    for parameter in [*encoder.parameters(), *head.parameters()]:
        assert parameter.grad.abs().sum() > 0
