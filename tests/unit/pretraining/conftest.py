"""An encoder that hides nothing, and windows of unequal lengths."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder

T, C = 24, 2
LENGTHS = torch.tensor([24, 9, 17, 1, 24, 12])


class CopyEncoder(Encoder):
    """Frames are every `stride`-th sample; the last input is kept."""

    def __init__(self, n_features: int = C, stride: int = 1) -> None:
        super().__init__()
        self.n_features = n_features
        self.stride = stride
        self.seen = torch.empty(0)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.seen = x
        self.seen_lengths = lengths
        return x[:, :: self.stride]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def copy_encoder() -> type[CopyEncoder]:
    return CopyEncoder


@pytest.fixture
def noise() -> Callable[..., Tensor]:
    return lambda *shape, seed=3: torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def lengths() -> Tensor:
    """Samples of each of the `windows`."""
    return LENGTHS.clone()


@pytest.fixture(params=["full", "padded"])
def any_lengths(request) -> Tensor | None:
    """Of windows that all fill T, or of `windows`."""
    return LENGTHS.clone() if request.param == "padded" else None


@pytest.fixture
def inside(lengths) -> Tensor:
    """True before the end of each of the `windows`, (B, T)."""
    return torch.arange(T) < lengths[:, None]


@pytest.fixture
def windows(noise, inside) -> Tensor:
    """Noise, (B, T, C), zero after each end."""
    return noise(len(LENGTHS), T, C) * inside[..., None]


@pytest.fixture
def make_constant() -> Callable[..., None]:
    """Make a layer return its bias for any input."""

    def make(layer: nn.Module, bias: float | list[float] = 0.0) -> None:
        nn.init.zeros_(layer.weight)
        with torch.no_grad():
            layer.bias.copy_(torch.as_tensor(bias).expand_as(layer.bias))

    return make
