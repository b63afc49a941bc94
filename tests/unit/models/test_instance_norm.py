import pytest
import torch

from fixtures.networks import network_header
from seqbench.models.instance_norm import centre_and_scale, restored, standardized
from seqbench.training.model import build_model


def test_windows_have_no_mean_and_unit_deviation_and_come_back_exactly():
    x = (3 + 5 * torch.randn(4, 30, 2, generator=torch.Generator().manual_seed(0))).double()
    centre, scale = centre_and_scale(x)

    own = standardized(x, centre, scale, None)

    torch.testing.assert_close(own.mean(dim=1), torch.zeros(4, 2).double(), rtol=0, atol=1e-6)
    ones = torch.ones(4, 2).double()
    torch.testing.assert_close(own.square().mean(dim=1).sqrt(), ones, rtol=1e-4, atol=0)
    torch.testing.assert_close(restored(own, centre, scale), x)


def test_padding_reaches_neither_mean_nor_deviation():
    x = torch.randn(2, 9, 3)
    padded = torch.zeros(2, 12, 3)
    padded[:, :9] = x
    lengths = torch.tensor([9, 9])

    centre, scale = centre_and_scale(padded, lengths)

    torch.testing.assert_close((centre, scale), centre_and_scale(x))
    assert (standardized(padded, centre, scale, lengths)[:, 9:] == 0).all()


def test_planes_of_a_video_are_normalised_over_all_their_pixels():
    x = torch.randn(2, 6, 3, 4, 5)

    centre, scale = centre_and_scale(x)

    assert centre.shape == scale.shape == (2, 1, 3, 1, 1)
    torch.testing.assert_close(centre.flatten(1), x.mean(dim=(1, 3, 4)))


@pytest.mark.parametrize("level", [0.0, 2.5, -1e4])
def test_a_window_that_never_changes_is_zero_and_its_forecasts_stay_near_its_value(level):
    x = torch.full((1, 20, 1), level)
    centre, scale = centre_and_scale(x)

    own = standardized(x, centre, scale, None)
    forecast = restored(torch.full((1, 4, 1), 1.0), centre, scale)

    assert (own == 0).all()
    assert ((forecast - level).abs() < 0.01).all()


@pytest.mark.parametrize("architecture", ["gru", "cnn1d", "transformer", "nlinear", "dlinear"])
def test_forecasts_move_and_grow_with_their_windows(architecture):
    torch.manual_seed(0)
    options = {"instance_norm": True}
    header = network_header(architecture, "series", "forecasting", task_options=options)
    model = build_model(header).double().eval()
    for weights in model.parameters():
        weights.data.add_(0.3 * torch.randn_like(weights))
    x = torch.randn(2, 64, 3).double()
    gain, level = torch.tensor([2.0, 5.0, 0.5]).double(), torch.tensor([-3.0, 0.0, 4.0]).double()

    found, expected = model(gain * x + level), gain * model(x) + level

    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
