"""Weights are copied by name and shape; the manifest names every tensor."""

import numpy as np
import pytest
import torch
from torch import nn

from seqbench.errors import UserError
from seqbench.pretraining.transfer import transfer
from seqbench.training.state import state_arrays


def network(n_small: int = 5) -> nn.ModuleDict:
    """Build an encoder of 100 numbers in one tensor and `n_small` in another."""
    return nn.ModuleDict(
        {"big": nn.Linear(10, 10, bias=False), "small": nn.Linear(1, n_small, bias=False)}
    )


def test_all_tensors_that_fit_are_copied_and_named():
    source, target = network(), network()

    manifest = transfer(target, state_arrays(source), "autoencoder")

    assert manifest == {
        "encoder": "autoencoder",
        "fraction": 1.0,
        "copied": ["big.weight", "small.weight"],
        "skipped": [],
    }
    expected = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    with torch.no_grad():
        source["big"].weight.fill_(7.0)  # copies do not follow their source
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, expected[name])


def test_missing_and_unknown_tensors_are_named_with_the_reason():
    arrays = state_arrays(network())
    small = arrays.pop("small.weight")
    arrays["decoder.weight"] = small

    manifest = transfer(network(), arrays, "autoencoder")

    assert manifest["copied"] == ["big.weight"]
    assert manifest["fraction"] == pytest.approx(100 / 105)  # 95.2 %, just enough
    assert manifest["skipped"] == [
        {"name": "small.weight", "why": "not in the pretrained encoder"},
        {"name": "decoder.weight", "why": "not in this encoder"},
    ]


def test_a_tensor_of_another_shape_is_skipped_and_unchanged():
    target = network()
    before = target["small"].weight.detach().clone()
    arrays = state_arrays(network())
    arrays["small.weight"] = np.ones((3, 1), dtype=np.float32)

    manifest = transfer(target, arrays, "autoencoder")

    assert manifest["skipped"] == [
        {"name": "small.weight", "why": "has shape (3, 1) there and (5, 1) here"}
    ]
    assert torch.equal(target["small"].weight, before)


def test_less_than_95_per_cent_is_refused_and_the_tensors_are_named():
    arrays = state_arrays(network(6))
    arrays["small.weight"] = arrays["small.weight"][:2]  # 100 of 106 are 94.3 %

    with pytest.raises(UserError, match="only 94% of the encoder") as caught:
        transfer(network(6), arrays, "autoencoder")

    assert "small.weight has shape (2, 1) there and (6, 1) here" in str(caught.value)
    assert "big.weight" not in str(caught.value)
