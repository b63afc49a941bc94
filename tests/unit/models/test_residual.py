import pytest
import torch
from torch import nn

from seqbench.models.residual import (
    InceptionTimeEncoder,
    ResNetEncoder,
    Shortcut,
    largest_nearby,
)


def n_weights(module: nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def silence(layers: nn.Module) -> None:
    """Let batch norms within give zeros, those of shortcuts left out."""
    for layer in layers.children():
        if isinstance(layer, nn.BatchNorm1d):
            nn.init.zeros_(layer.weight)
        elif not isinstance(layer, Shortcut):
            silence(layer)


def test_the_sizes_are_those_of_the_sources_but_for_the_odd_filters():
    # Six modules of 128 features: filters of 32 features by 39 + 19 + 9 samples, two maps of one
    # sample (the first module has no bottleneck) and a norm; two shortcuts, the first of a channel.
    norm = 2 * 128
    module = 32 * 32 * (39 + 19 + 9) + 2 * 128 * 32 + norm
    first = 32 * (39 + 19 + 9) + 32 + norm
    shortcuts = 128 + norm + 128 * 128 + norm
    assert n_weights(InceptionTimeEncoder(1)) == first + 5 * module + shortcuts

    blocks = sum(
        7 * i * o + 5 * o * o + 3 * o * o + 6 * o for i, o in [(1, 64), (64, 128), (128, 128)]
    )
    shortcuts = 64 + 2 * 64 + 64 * 128 + 2 * 128 + 2 * 128
    assert n_weights(ResNetEncoder(1)) == blocks + shortcuts


@pytest.mark.parametrize(
    ("encoder", "n_shortcuts"), [(InceptionTimeEncoder(3), 2), (ResNetEncoder(3), 3)]
)
def test_where_all_layers_are_silent_the_shortcuts_are_left(encoder, n_shortcuts):
    encoder.eval()
    silence(encoder)
    x = torch.randn(2, 3, 40)

    found = encoder.encode(x.transpose(1, 2)).transpose(1, 2)

    shortcuts = [one for one in encoder.modules() if isinstance(one, Shortcut)]
    assert len(shortcuts) == n_shortcuts
    for shortcut in shortcuts:
        x = shortcut(x, None).relu()
    assert found.any()
    torch.testing.assert_close(found, x)


def test_a_frame_sees_as_far_as_the_filters_of_all_modules_reach():
    encoder = InceptionTimeEncoder(1, n_filters=2, kernel_sizes=(9, 5), n_modules=2).double().eval()
    for weights in encoder.parameters():
        weights.data.abs_()  # no ReLU hides anything
    x = torch.zeros(1, 41, 1, dtype=torch.float64)
    changed = x.clone()
    changed[0, 20] = 1.0

    differs = (encoder(changed) != encoder(x)).any(dim=2)[0]

    assert differs.nonzero().flatten().tolist() == list(range(20 - 8, 20 + 8 + 1))


def test_the_largest_nearby_is_of_the_window_and_not_of_its_padding():
    x = torch.tensor([[[-3.0, -2, -4, -5, 0, 0]]])

    expected = torch.tensor([[[-2.0, -2, -2, -4, 0, 0]]])
    assert torch.equal(largest_nearby(x, torch.tensor([4])), expected)
    torch.testing.assert_close(largest_nearby(x[..., :4], None), expected[..., :4])
