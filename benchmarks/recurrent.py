"""Measure a training step and the frames of recurrent layers, by torch over by our kernels.

Sizes are those of the default benchmark and of the lab on recurrent networks, one direction.
"""

import resource
from collections.abc import Callable, Iterator

import torch
from common import paired
from torch import Tensor

from seqbench.models import recurrent_layers
from seqbench.models.recurrent_layers import Gru, Lstm, RecurrentLayer, Rnn

# Channels, samples, windows and units.
SIZES = {
    "basic_motions": (6, 100, 32, 64),
    "japanese_vowels": (12, 29, 32, 64),
    "lab, second layer": (128, 200, 32, 64),
    "256 windows": (6, 100, 256, 64),
}
TURN_S = 0.1


def processor_s() -> float:
    """Return the processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def step(layer: RecurrentLayer, x: Tensor) -> None:
    """Compute the frames and the gradients of input and weights."""
    layer(x)[0].sum().backward()


def frames(layer: RecurrentLayer, x: Tensor) -> None:
    """Compute the frames."""
    with torch.no_grad():
        layer(x)


def ratio(run: Callable[[RecurrentLayer, Tensor], None], layer: RecurrentLayer, x: Tensor) -> float:
    """Return the processor time by torch over that by the kernels, at the same work."""
    own = recurrent_layers.kernels

    def seconds(by_torch: bool) -> float:
        recurrent_layers.kernels = (lambda: None) if by_torch else own  # type: ignore[assignment]
        began = processor_s()
        for _ in range(n_steps):
            run(layer, x)
        return processor_s() - began

    n_steps = 1
    n_steps = max(1, round(TURN_S / max(min(seconds(True) for _ in range(3)), 1e-4)))
    try:
        return paired(lambda: seconds(True), lambda: seconds(False), turns=9).median
    finally:
        recurrent_layers.kernels = own


def lines() -> Iterator[str]:
    """Yield the rows of a table, one for each size."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield "Recurrent layers, time by torch over that by kernels of this project, one thread:"
    yield ""
    yield "| channels, samples, windows, units | rnn step, frames | lstm step | gru step, frames |"
    yield "|---|---|---|---|"
    for name, (n_channels, n_samples, n_windows, n_units) in SIZES.items():
        x = torch.randn(n_windows, n_samples, n_channels, requires_grad=name.startswith("lab"))
        rnn, lstm, gru = (kind(n_channels, n_units) for kind in (Rnn, Lstm, Gru))
        found = [ratio(step, rnn, x), ratio(frames, rnn, x), ratio(step, lstm, x)]
        found += [ratio(step, gru, x), ratio(frames, gru, x)]
        yield (
            f"| {name}: {n_channels}, {n_samples}, {n_windows}, {n_units}"
            f" | {found[0]:.1f}, {found[1]:.1f} | {found[2]:.1f} | {found[3]:.1f}, {found[4]:.1f} |"
        )
