"""Measure whole steps as one CUDA graph against steps launched kernel by kernel; a prototype.

Batches have one shape and rates are constant. The loop of this project does not do it: a graph
holds no batch of another size, no schedule on the processor, and no model that asks the card
for a number within a step.
"""

import time
from collections.abc import Callable, Iterator

import torch
from cases import Case, cases
from common import Clock
from torch import nn

from seqbench.training.reproducibility import prepare

ARCHITECTURES = ("mlp", "cnn1d", "resnet", "lstm", "gru", "transformer", "event_rnn")
BATCH, STEPS, WARM_UP = 32, 200, 5


def lines(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield a row for each architecture."""
    device = torch.device(device_name)
    yield f"{STEPS} steps of one batch of {BATCH} windows, forward to AdamW, in float32:"
    yield ""
    yield "| architecture | kernel by kernel, ms a step | one graph | times faster |"
    yield "|---|---|---|---|"
    for case in cases(one_each=True, only=ARCHITECTURES):
        if clock.left_s < 0:
            yield "\nOut of time: the other architectures are not measured."
            return
        eager = step_s(whole_step(case, device), device)
        try:
            captured = step_s(graph_of(whole_step(case, device), device), device)
        except RuntimeError as error:  # an operation that cannot be captured
            reason = str(error).splitlines()[0][:120]
            yield f"| {case.run.architecture} | {1000 * eager:.3f} | not captured: {reason} | - |"
            torch.cuda.synchronize(device)
            continue
        row = f"| {case.run.architecture} | {1000 * eager:.3f} | {1000 * captured:.3f}"
        yield f"{row} | {eager / captured:.1f} |"


def whole_step(case: Case, device: torch.device) -> Callable[[], None]:
    """Return a function that takes a step on one batch, as a graph can hold it."""
    prepare(1, device)
    batch = case.table(device).batch(case.drawn[:BATCH])
    model = case.model().to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True, capturable=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        model.head.loss(model(batch.x, batch.lengths), batch.target).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def graph_of(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Capture a step after some on a stream of its own, as CUDA wants it; return its replay."""
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    replay: Callable[[], None] = graph.replay
    return replay


def step_s(step: Callable[[], None], device: torch.device) -> float:
    """Return the seconds of a step, the mean of many."""
    for _ in range(WARM_UP):
        step()
    torch.cuda.synchronize(device)
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / STEPS
