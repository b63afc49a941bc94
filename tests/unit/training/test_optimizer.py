"""The optimiser is torch's, without its compiler."""

import subprocess
import sys

import torch

from seqbench.training.optimizer import AdamW

STEPS = """
import sys
import torch
from seqbench.training.optimizer import AdamW
weight = torch.nn.Parameter(torch.ones(3))
optimizer = AdamW([weight], fused=True)
for _ in range(2):
    optimizer.zero_grad()
    weight.square().sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""


def test_steps_and_state_load_no_compiler():
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_steps_and_state_are_those_of_torch():
    first = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    weights, states = [], []
    for kind in (AdamW, torch.optim.AdamW):
        weight = torch.nn.Parameter(first.clone())
        optimizer = kind([weight], lr=0.1, weight_decay=0.2, fused=True)
        for _ in range(3):
            optimizer.zero_grad()
            (weight**3).sum().backward()
            optimizer.step()
        assert weight.grad is not None
        assert weight.requires_grad
        weights.append(weight)
        states.append(optimizer.state_dict()["state"][0])

    assert torch.equal(*weights)
    for name, moment in states[0].items():
        assert torch.equal(moment, states[1][name])
