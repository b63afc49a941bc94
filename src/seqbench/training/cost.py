"""What a model costs: parameters and multiply-accumulates."""

import math

import torch
from torch import Tensor, nn

from seqbench.models.attention import MultiHeadAttention


def n_parameters(module: nn.Module) -> int:
    """Count the trainable and frozen parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def macs_per_window(module: nn.Module, x: Tensor) -> int:
    """Count multiply-accumulates of one forward pass over one window (1, T, ...).

    Linear, convolutional and recurrent layers and the products of attention,
    causal or not, between all pairs of frames are counted; norms, activations
    and pooling, a few per cent, are not. A table of vectors multiplies nothing.
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        nonlocal total
        result = output[0] if isinstance(output, tuple) else output
        if not isinstance(result, Tensor):
            return
        if isinstance(layer, nn.Linear):
            total += result.numel() * layer.in_features
        elif isinstance(layer, nn.Conv1d | nn.Conv2d):
            weights = math.prod(layer.kernel_size) * layer.in_channels // layer.groups
            total += result.numel() * weights
        elif isinstance(layer, nn.RNNBase):
            weights = sum(p.numel() for name, p in layer.named_parameters() if "weight" in name)
            total += weights * inputs[0].shape[1]
        elif isinstance(layer, MultiHeadAttention):
            # Queries with keys, then weights with values; the layer's maps count themselves.
            total += 2 * result.numel() * result.shape[1]

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    try:
        module.eval()(x)
    finally:
        for hook in hooks:
            hook.remove()
    return total
