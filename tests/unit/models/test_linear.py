import pytest
import torch

from seqbench.errors import UserError
from seqbench.models.linear import ChannelForecaster, DLinearEncoder, NLinearEncoder


def test_the_trend_repeats_both_ends_and_the_remainder_is_what_is_left():
    x = torch.tensor([[1.0, 2, 6, 3, 5, 0], [4, 4, 1, 0, 0, 0]])[..., None]

    frames = DLinearEncoder(1, trend_samples=3).encode(x, torch.tensor([6, 3]))

    trend = torch.tensor([[4.0, 9, 11, 14, 8, 5], [12, 9, 6, 0, 0, 0]]) / 3
    torch.testing.assert_close(frames[..., 0], trend)
    torch.testing.assert_close(frames.sum(dim=2), x[..., 0])


def test_components_of_a_channel_are_mapped_by_themselves_and_summed():
    encoder = DLinearEncoder(2, trend_samples=3)
    forecaster = ChannelForecaster(encoder, n_samples=4, horizon_samples=2)
    x = torch.randn(3, 4, 2)
    frames = encoder.encode(x)

    found = forecaster(frames)

    for channel in range(2):
        trend, remainder = frames[..., channel], frames[..., 2 + channel]
        expected = forecaster.maps[0](trend) + forecaster.maps[1](remainder)
        torch.testing.assert_close(found[..., channel], expected)


def test_nlinear_moves_with_the_last_value_of_each_channel():
    encoder = NLinearEncoder(2)
    forecaster = ChannelForecaster(encoder, n_samples=5, horizon_samples=3)
    x, level = torch.randn(4, 5, 2), torch.tensor([100.0, -7])

    moved = forecaster(encoder.encode(x + level))

    torch.testing.assert_close(moved, forecaster(encoder.encode(x)) + level, rtol=0, atol=1e-4)
    for parameter in forecaster.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(forecaster(encoder.encode(x)), x[:, -1:].expand(-1, 3, -1))


@pytest.mark.parametrize("encoder", [DLinearEncoder(2), NLinearEncoder(2)])
def test_a_linear_series_is_learned(encoder):
    generator = torch.Generator().manual_seed(0)
    phase = 6 * torch.rand(64, 1, 2, generator=generator)
    series = (torch.arange(30)[:, None] / 3 + phase).sin() + phase
    x, target = series[:, :24], series[:, 24:]
    forecaster = ChannelForecaster(encoder, n_samples=24, horizon_samples=6)
    optimizer = torch.optim.Adam(forecaster.parameters(), lr=0.01)

    for _ in range(300):
        loss = (forecaster(encoder.encode(x)) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert loss < 0.01 < 0.1 < (x[:, -1:] - target).square().mean()


def test_windows_of_another_length_are_refused():
    forecaster = ChannelForecaster(NLinearEncoder(1), n_samples=5, horizon_samples=3)

    with pytest.raises(UserError, match="windows of 5 samples; give windows of that length"):
        forecaster(torch.zeros(2, 4, 1))
