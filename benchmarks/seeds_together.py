"""Measure seeds of one run trained side by side, as one batched computation; a prototype.

The networks are stacked by `torch.func`, each with its batch, its dropout and its clipping, and
one AdamW steps all of them. The product does not offer it: docs/explanation/speed.md says why.
"""

import copy
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch
from cases import Case, cases, finish, picked
from common import Clock
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from seqbench.training.model import Model
from seqbench.training.reproducibility import prepare

ARCHITECTURES = ("mlp", "cnn1d", "resnet", "transformer", "dlinear", "cnn2d", "rnn", "lstm")
N_SEEDS = (3, 8)
BATCH, STEPS, CLIP = 32, 10, 1.0
Batches = list[tuple[Tensor, Tensor]]


def lines(device_name: str, clock: Clock, turns: int = 3) -> Iterator[str]:
    """Yield a row for each architecture and number of seeds.

    Seconds are those of the processor on a CPU, of the clock on a GPU.
    """
    device = torch.device(device_name)
    yield f"Training k seeds one after the other over training them together, {STEPS} steps each;"
    yield "the largest difference of their weights afterwards, relative to the largest weight:"
    yield ""
    yield "| architecture | k | in turn, ms | together, ms | times faster | difference |"
    yield "|---|---|---|---|---|---|"
    for case in cases(one_each=True, only=ARCHITECTURES):
        calm = case.without_chance()
        for n_seeds in N_SEEDS:
            if clock.left_s < 0:
                yield "\nOut of time: the rest is not measured."
                return
            name = f"| {case.run.architecture} | {n_seeds} |"
            try:
                apart_s, together_s, difference = compared(calm, n_seeds, device, turns)
            except RuntimeError as error:  # no rule for this operation
                yield f"{name} not possible: {str(error).splitlines()[0][:100]} | - | - | - |"
                break
            row = f"{name} {1000 * apart_s:.0f} | {1000 * together_s:.0f}"
            yield f"{row} | {apart_s / together_s:.2f} | {difference:.0e} |"


def compared(
    case: Case, n_seeds: int, device: torch.device, turns: int
) -> tuple[float, float, float]:
    """Return the seconds of both ways, medians over turns, and how far their weights differ."""
    prepare(1, device)
    models = [case.model(seed).to(device).train() for seed in range(n_seeds)]
    batches = [batches_of(case, seed, device) for seed in range(n_seeds)]
    seconds: list[tuple[float, float]] = []
    for _ in range(turns + 1):  # the first warms up
        apart, stacked = copy.deepcopy(models), copy.deepcopy(models)
        apart_s, _ = timed(lambda: train_apart(apart, batches), device)  # noqa: B023
        together_s, weights = timed(lambda: train_together(stacked, batches), device)  # noqa: B023
        seconds.append((apart_s, together_s))
    expected = {
        name: torch.stack([dict(model.named_parameters())[name] for model in apart])
        for name in weights
    }
    differences = [
        (weights[name] - values).detach().abs().max() / values.detach().abs().max()
        for name, values in expected.items()
    ]
    apart_s, together_s = (median(column) for column in zip(*seconds[1:], strict=True))
    return apart_s, together_s, float(torch.stack(differences).max())


def batches_of(case: Case, seed: int, device: torch.device) -> Batches:
    """Return the windows and targets of each step of a seed, in an order of its own."""
    whole = case.table(device).batch(case.drawn)
    generator = torch.Generator().manual_seed(seed)
    size = min(BATCH, len(whole))
    drawn = [torch.randperm(len(whole), generator=generator)[:size] for _ in range(STEPS)]
    return [(whole.x[rows.to(device)], picked(whole.target, rows.to(device))) for rows in drawn]


def train_apart(models: list[Model], batches: list[Batches]) -> None:
    """Train one model after the other."""
    for model, of_seed in zip(models, batches, strict=True):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        for x, target in of_seed:
            loss = model.head.loss(model(x), target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()


def train_together(models: list[Model], batches: list[Batches]) -> dict[str, Tensor]:
    """Train the models as one; return their weights by name, (k, ...)."""
    weights, statistics = stack_module_state(models)
    optimizer = torch.optim.AdamW(weights.values(), lr=1e-3, fused=True)

    def loss(
        own: dict[str, Tensor], of_own: dict[str, Tensor], x: Tensor, target: Tensor
    ) -> Tensor:
        logits = functional_call(models[0], (own, of_own), (x,))
        return models[0].head.loss(logits, target)

    of_all = vmap(grad_and_value(loss), randomness="different")
    for step in zip(*batches, strict=True):
        x, target = (torch.stack(parts) for parts in zip(*step, strict=True))
        free = {name: values.detach() for name, values in weights.items()}
        gradients, _ = of_all(free, statistics, x, target)
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients.values()]).norm(dim=0)
        shares = (CLIP / (norms + 1e-6)).clamp(max=1)
        for name, values in weights.items():
            values.grad = gradients[name] * shares.view(-1, *(1 for _ in values.shape[1:]))
        optimizer.step()
    return weights


def timed(work: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Return the seconds of some work, and what it returns."""
    now = time.perf_counter if device.type == "cuda" else time.process_time
    finish(device)
    began = now()
    found = work()
    finish(device)
    return now() - began, found
