"""Measure precisions and memory: time of a step, memory and val, architecture by architecture."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from cases import cases
from common import Clock

from seqbench.process.memory import PeakMemory
from seqbench.training.finetune import peak_bytes

PRECISIONS = ("float32", "tf32", "bfloat16")
EPOCHS, STEPS = 6, 20


def lines(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield a row for each architecture and precision."""
    device = torch.device(device_name)
    on_gpu = device.type == "cuda"
    yield f"{EPOCHS} epochs of {STEPS} steps on the data of gpu.yaml, evaluation on val included;"
    yield "memory is the most that torch took on the card:"
    yield ""
    yield "| architecture | precision | ms a step | peak MB | best val_loss | val score there |"
    yield "|---|---|---|---|---|---|"
    for case in cases(one_each=True):
        for precision in PRECISIONS if on_gpu else ("float32",):
            if clock.left_s < 0:
                yield "\nOut of time: the other architectures are not measured."
                return
            short = case.with_optimizer(
                epochs=EPOCHS,
                warmup_epochs=0,
                schedule="constant",
                min_steps_per_epoch=STEPS,
                max_steps_per_epoch=STEPS,
                precision=precision,
            )
            if on_gpu:
                torch.zeros(1, device=device)  # or nothing is there whose peak could be reset
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats(device)
            memory = PeakMemory()
            trained = short.trained(device)
            history, measured = trained.outcome.history, trained.network.head.measured
            del trained  # not to be in the memory of the next one
            best = min(history, key=lambda row: row["val_loss"])
            step_ms = 1000 * best_epoch_s(history) / STEPS
            peak = f"{peak_bytes(memory, device) / 1e6:.0f}" if on_gpu else "-"
            score = f"{measured} {best[f'val_{measured}']:.3f}"
            row = f"| {case.run.architecture} | {precision} | {step_ms:.2f} | {peak}"
            yield f"{row} | {best['val_loss']:.4f} | {score} |"


def best_epoch_s(history: list[dict[str, float]]) -> float:
    """Return the seconds of the fastest epoch after the first, which warms up."""
    ends = [row["seconds"] for row in history]
    return min(after - before for before, after in pairwise(ends))
