"""Measure the throughput of the training loop over that of a bare loop, for each architecture."""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from cases import Case, cases, finish, picked
from common import Clock, paired
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from seqbench.training.batches import shuffled
from seqbench.training.loop import fit
from seqbench.training.reproducibility import prepare
from seqbench.training.supervised import Finetuning

TURN_S = 0.5  # of steps in each turn of a loop
LEAST_STEPS, MOST_STEPS = 5, 300


def lines(device_name: str, clock: Clock, turns: int = 5) -> Iterator[str]:
    """Yield the rows of a table, one for each architecture, as long as there is time.

    Seconds are those of the processor on a CPU, which others share, and those of the clock on a
    GPU, which works while the processor waits. A ratio is the median of its turns, with their
    quartiles. The last columns are of the training loop: its time, the operations in the products
    of matrices, convolutions and recurrences of a step, and their rate over that of one large
    product of matrices in float32.
    """
    device = torch.device(device_name)
    yield "Throughput of the training loop over that of a bare loop; on a GPU also over that of one"
    yield "whose libraries choose their algorithms freely, with sums in any order:"
    yield ""
    yield "| architecture | over a bare loop | over a free one | ms a step | GFLOP | of the peak |"
    yield "|---|---|---|---|---|---|"
    peak = peak_flops(device)
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
        found = [str(ratio) for ratio in ratios] + ["-"] * (2 - len(ratios))
        step_s = ours(case, device, n_steps) / n_steps
        work = flops(case)
        found += [f"{1000 * step_s:.2f}", f"{work / 1e9:.3g}", f"{work / step_s / peak:.0%}"]
        yield f"| {case.run.architecture} | {' | '.join(found)} |"


def peak_flops(device: torch.device, size: int = 2048, turns: int = 5) -> float:
    """Return the operations a second of a product of matrices in float32, the best of some."""
    prepare(1, device)
    one, other = torch.randn(2, size, size, device=device)

    def seconds() -> float:
        now = _clock(device)
        finish(device)
        began = now()
        torch.mm(one, other)
        finish(device)
        return now() - began

    seconds()
    return 2 * size**3 / min(seconds() for _ in range(turns))


def flops(case: Case) -> int:
    """Count the operations of a training step, forward and backward; a product and a sum are two.

    Those of recurrences, whose kernels torch does not see, are those of their weights.
    """
    batch = case.table(torch.device("cpu")).batch(case.drawn[: case.settings.optimizer.batch_size])
    model = case.model().train()
    of_recurrences = 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], _: object) -> None:
        nonlocal of_recurrences
        weights = sum(p.numel() for name, p in layer.named_parameters() if "weight" in name)
        of_recurrences += 3 * 2 * weights * math.prod(inputs[0].shape[:2])

    for layer in model.modules():
        if isinstance(layer, nn.RNNBase):
            layer.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter:
        model.loss(batch.x, batch.lengths, batch.target).backward()
    return counter.get_total_flops() + of_recurrences


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
    now = _clock(device)
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


def _clock(device: torch.device) -> Callable[[], float]:
    return time.perf_counter if device.type == "cuda" else time.process_time
