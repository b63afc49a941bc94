"""Measure the throughput of the training loop over that of a bare loop, for each architecture."""

import math
import time
from collections.abc import Iterator
from functools import partial

import torch
from cases import Case, cases, finish, picked
from common import Clock, paired
from torch import nn

from seqbench.training.batches import shuffled
from seqbench.training.finetune import Finetuning
from seqbench.training.loop import fit
from seqbench.training.reproducibility import prepare

TURN_S = 0.5  # of steps in each turn of a loop
LEAST_STEPS, MOST_STEPS = 5, 300


def lines(device_name: str, clock: Clock, turns: int = 5) -> Iterator[str]:
    """Yield the rows of a table, one for each architecture, as long as there is time.

    Seconds are those of the processor on a CPU, which others share, and those of the clock on a
    GPU, which works while the processor waits.
    """
    device = torch.device(device_name)
    yield "Throughput of the training loop over that of a bare loop; on a GPU also over that of one"
    yield "whose libraries choose their algorithms freely, with sums in any order:"
    yield ""
    yield "| architecture | over a bare loop | over a free one | bare loop, ms a step |"
    yield "|---|---|---|---|"
    for case in cases(one_each=True):
        if clock.left_s < 0:
            yield "\nOut of time: the other architectures are not measured."
            return
        case = case.with_optimizer(
            epochs=1, warmup_epochs=0, schedule="constant", precision="float32"
        )
        step_s = min(bare(case, device, 2) / 2 for _ in range(2))
        n_steps = max(LEAST_STEPS, min(MOST_STEPS, math.ceil(TURN_S / step_s)))
        here = partial(ours, case, device, n_steps)
        ratios = [paired(partial(bare, case, device, n_steps), here, turns)]
        if device.type == "cuda":
            ratios.append(paired(partial(bare, case, device, n_steps, free=True), here, turns))
        found = [f"{ratio:.2f}" for ratio in ratios] + ["-"] * (2 - len(ratios))
        step_ms = 1000 * bare(case, device, n_steps) / n_steps
        yield f"| {case.run.architecture} | {' | '.join(found)} | {step_ms:.2f} |"


def ours(case: Case, device: torch.device, n_steps: int) -> float:
    """Return the seconds that the loop of this project takes for some steps."""
    prepare(1, device)
    case = case.with_optimizer(min_steps_per_epoch=n_steps, max_steps_per_epoch=n_steps)
    table = case.table(device)
    one = table.batch(case.drawn[:1])
    finetuning = Finetuning(case.model().to(device), frozen=False, weight=None)
    outcome = fit(
        finetuning,
        table,
        case.drawn,
        lambda: iter([one]),
        case.settings.optimizer,
        loss_name="val_loss",
        generator=torch.Generator().manual_seed(0),
        label=case.name,
    )
    return outcome.train_s if device.type == "cuda" else outcome.train_cpu_s


def bare(case: Case, device: torch.device, n_steps: int, *, free: bool = False) -> float:
    """Return the seconds of a loop as a course would write it, over the same windows and model.

    It indexes tensors of windows and targets, and takes AdamW with its defaults and the same
    clipping; `free` lets the libraries choose their algorithms, whatever the order of their sums.
    """
    prepare(1, device)
    if free:
        torch.use_deterministic_algorithms(False)
    whole = case.table(device).batch(case.drawn)
    model = case.model().to(device).train()
    settings = case.settings.optimizer
    generator = torch.Generator().manual_seed(0)
    now = time.perf_counter if device.type == "cuda" else time.process_time
    finish(device)
    began = now()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)
    for part in shuffled(len(whole), n_steps, settings.batch_size, generator):
        lengths = None if whole.lengths is None else whole.lengths[part]
        rows = part.to(device)
        logits = model(whole.x[rows], lengths)
        loss = model.head.loss(logits, picked(whole.target, rows))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip or math.inf)
        optimizer.step()
    finish(device)
    return now() - began
