"""Hold a device against the CPU: one step of every architecture, and the same training twice."""

import copy
import math
from collections.abc import Iterator

import torch
from cases import Case, cases
from common import Clock
from torch import Tensor

from seqbench.config.stages import FinetuneSettings
from seqbench.training.batches import WindowTable
from seqbench.training.loop import evaluate
from seqbench.training.model import Model
from seqbench.training.reproducibility import prepare
from seqbench.training.supervised import Finetuning

# Largest differences that pass: of logits and gradients relative to the norm on the CPU, of the
# loss relative to its value. float32 differs in the order of sums; TF32 keeps 10 bits of a factor,
# bfloat16 7.
TOLERANCES = {"float32": 1e-3, "tf32": 2e-2, "bfloat16": 1e-1}
VAL_TOLERANCE = 0.1  # of val_loss after a short training in float32: differences grow step by step
BATCH = 32
EPOCHS, STEPS = 3, 8  # of a short training, in batches of 16


def lines(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield a row for each run and precision: differences from the CPU, and whether they pass."""
    device = torch.device(device_name)
    yield "Same weights and batch on the CPU in float32 and on the device; no dropout. Logits and"
    yield "gradients by the norm of their difference over that on the CPU:"
    yield ""
    yield "| run | precision | logits | loss | gradients | tolerance | within |"
    yield "|---|---|---|---|---|---|---|"
    for case in cases():
        if clock.left_s < 0:
            yield "\nOut of time: the other runs are not compared."
            return
        calm = case.without_chance()
        model = calm.model()
        expected = one_step(calm, copy.deepcopy(model), torch.device("cpu"), "float32")
        for precision, tolerance in TOLERANCES.items():
            if device.type == "cpu" and precision != "float32":
                continue
            found = one_step(calm, copy.deepcopy(model), device, precision)
            differences = [relative(a, b) for a, b in zip(found, expected, strict=True)]
            passes = all(one <= tolerance for one in differences)  # false for what is no number
            columns = " | ".join(f"{one:.1e}" for one in differences)
            verdict = "yes" if passes else "**no**"
            yield f"| {case.name} | {precision} | {columns} | {tolerance:.0e} | {verdict} |"


def one_step(
    case: Case, model: Model, device: torch.device, precision: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits, loss and all gradients end to end of a batch in training, on the CPU."""
    prepare(None, device, precision=precision)
    batch = case.table(device).batch(case.drawn[:BATCH])
    model.to(device).train()
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(batch.x, batch.lengths)
        loss = model.head.loss(logits, batch.target)
    loss.backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    parts = (logits.detach(), loss.detach(), torch.cat(gradients))
    logits, loss, gradient = (part.double().cpu() for part in parts)
    return logits, loss, gradient


def relative(found: Tensor, expected: Tensor) -> float:
    """Return the norm of a difference over that of what is expected."""
    size = float(expected.norm())
    return float((found - expected).norm()) / size if size else float(found.norm())


def trainings(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield a row for each run: val after a short training there and on the CPU, and done twice."""
    device = torch.device(device_name)
    yield f"{EPOCHS} epochs of {STEPS} steps in float32, no dropout;"
    yield "a second training on the device must end with the same weights, bit for bit:"
    yield ""
    yield f"| run | val_loss on the CPU | on the device | within {VAL_TOLERANCE:.0%} | same twice |"
    yield "|---|---|---|---|---|"
    for case in cases():
        if clock.left_s < 0:
            yield "\nOut of time: the other runs are not trained."
            return
        calm = case.without_chance().with_optimizer(
            epochs=EPOCHS,
            min_steps_per_epoch=STEPS,
            max_steps_per_epoch=STEPS,
            batch_size=16,
            precision="float32",
        )
        on_cpu = val_loss(calm, calm.trained(torch.device("cpu"), threads=4).network, "cpu")
        networks = [calm.trained(device).network for _ in range(2)]
        found = val_loss(calm, networks[0], device_name)
        same = all(
            torch.equal(a, b)
            for a, b in zip(*(n.state_dict().values() for n in networks), strict=True)
        )
        passes = math.isclose(found, on_cpu, rel_tol=VAL_TOLERANCE)
        verdicts = " | ".join("yes" if one else "**no**" for one in (passes, same))
        yield f"| {case.name} | {on_cpu:.4f} | {found:.4f} | {verdicts} |"


def val_loss(case: Case, network: Model, device_name: str) -> float:
    """Return the loss of a network on val."""
    table = WindowTable(case.val, torch.device(device_name))
    finetuning = Finetuning(network, frozen=False, weight=None)
    settings = FinetuneSettings(precision="float32")
    return evaluate(finetuning, table.batches(64), settings)["val_loss"]
