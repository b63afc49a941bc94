"""Weights of a pretrained encoder into a new one, with an account of every tensor."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from seqbench.errors import UserError

MINIMUM_FRACTION = 0.95


def transfer(encoder: nn.Module, arrays: dict[str, NDArray[Any]], source: str) -> dict[str, Any]:
    """Copy weights by name and shape.

    Parameters
    ----------
    encoder
        Receives the weights.
    arrays
        Weights of the pretrained encoder by name.
    source
        What trained them, for the manifest.

    Returns
    -------
    dict
        ``encoder`` (the source), ``fraction`` of the numbers copied, ``copied``
        names, and ``skipped`` names with the reason.

    Raises
    ------
    UserError
        If less than 95 % of the encoder's numbers were copied; the message
        names the tensors.
    """
    state = encoder.state_dict()
    copied: list[str] = []
    skipped: list[dict[str, str]] = []
    for name, tensor in state.items():
        array = arrays.get(name)
        if array is None:
            skipped.append({"name": name, "why": "not in the pretrained encoder"})
        elif tuple(array.shape) != tuple(tensor.shape):
            why = f"has shape {tuple(array.shape)} there and {tuple(tensor.shape)} here"
            skipped.append({"name": name, "why": why})
        else:
            tensor.copy_(torch.from_numpy(array))
            copied.append(name)
    skipped += [
        {"name": name, "why": "not in this encoder"} for name in arrays if name not in state
    ]
    total = sum(tensor.numel() for tensor in state.values())
    fraction = sum(state[name].numel() for name in copied) / total
    if fraction < MINIMUM_FRACTION:
        reasons = "; ".join(f"{entry['name']} {entry['why']}" for entry in skipped)
        raise UserError(
            f"only {fraction:.0%} of the encoder could be transferred, at least"
            f" {MINIMUM_FRACTION:.0%} must be; pretrain again with the options of the model"
            f" ({reasons})"
        )
    return {"encoder": source, "fraction": fraction, "copied": copied, "skipped": skipped}
