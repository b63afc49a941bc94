"""Measure pretraining: the loop over a bare one, augmentations, and what it does for few labels."""

import csv
import math
import subprocess
import time
from functools import partial
from pathlib import Path

from common import ROOT, Ratio, paired, windows_of, workflow

STEPS = 12
SMALL = ROOT / "workflow/benchmarks/label_efficiency_small.yaml"


def costs(turns: int = 9) -> list[tuple[str, Ratio, float | None]]:
    """Return of each objective the throughput over a bare loop, and the share of augmentations.

    `event_rnn` on strikes, batches of 32 windows of 1024 samples. The bare loop
    indexes a tensor of windows and calls the same objective; the share is None
    for objectives that change nothing. Seconds are those of the processor.
    """
    import torch
    from torch import nn

    from seqbench.config.registry import ARCHITECTURES, DATASETS, OBJECTIVES
    from seqbench.config.stages import PretrainSettings
    from seqbench.pretraining.base import Objective
    from seqbench.training.batches import WindowTable
    from seqbench.training.loop import fit
    from seqbench.training.pretrain import Pretraining

    torch.set_num_threads(1)
    made = DATASETS["strikes_continuous"](Path(), train_s=220, val_s=10, test_s=10)
    windows = windows_of(made)["train"]
    table = WindowTable(windows, torch.device("cpu"))
    settings = PretrainSettings(
        epochs=1,
        warmup_epochs=0,
        schedule="constant",
        batch_size=32,
        min_steps_per_epoch=STEPS,
        max_steps_per_epoch=STEPS,
    )
    index = torch.arange(32 * STEPS)
    if len(table) < len(index):
        raise RuntimeError(f"only {len(table)} windows for {len(index)}")
    x = table.batch(index).x

    def objective(name: str, **options: object) -> Objective:
        torch.manual_seed(0)
        encoder = ARCHITECTURES["event_rnn"](len(windows.channels))
        made: Objective = OBJECTIVES[name](encoder, len(windows.channels), **options)
        return made

    def bare(name: str, **options: object) -> float:
        module = objective(name, **options).train()
        generator = torch.Generator().manual_seed(0)
        began = time.process_time()
        optimizer = torch.optim.AdamW(module.parameters(), lr=settings.learning_rate)
        for part in torch.randperm(len(index), generator=generator).split(32):
            loss = module.loss(module.prepare(x[part], None), None)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), settings.gradient_clip or math.inf)
            optimizer.step()
        return time.process_time() - began

    def here(name: str) -> float:
        pretraining = Pretraining(objective(name))
        one = [table.batch(index[:2])]
        outcome = fit(
            pretraining,
            table,
            index,
            lambda: iter(one),
            settings,
            loss_name="monitor_loss",
            generator=torch.Generator().manual_seed(0),
            label=name,
        )
        return outcome.train_cpu_s

    found = []
    for name in OBJECTIVES:
        ratio = paired(partial(bare, name), partial(here, name), turns)
        share = None
        if "augmentations" in OBJECTIVES.entry(name).options.model_fields:
            plain = paired(partial(bare, name, augmentations=()), partial(bare, name), turns)
            share = 1 - plain.median
        found.append((name, ratio, share))
    return found


def lines() -> list[str]:
    """Measure and return the lines of a table."""
    rows = [
        "| pretraining `event_rnn` | loop over bare loop | augmentations in a step |",
        "|---|---|---|",
    ]
    for name, ratio, share in costs():
        rows.append(f"| {name} | {ratio} | {'none' if share is None else f'{share:.0%}'} |")
    return rows


def label_lines() -> list[str]:
    """Run `label_efficiency_small.yaml` twice and return its scores, its time and what differed."""
    seconds, scores = [], []
    for turn in ("first", "second"):
        folder, command = workflow(f"labels_{turn}", "--configfile", str(SMALL))
        began = time.perf_counter()
        subprocess.run(command, check=True)
        seconds.append(time.perf_counter() - began)
        with (folder / "results/summary.csv").open(encoding="utf-8", newline="") as file:
            scores.append([row for row in csv.DictReader(file) if row["split"] != "cost"])
    n_different = sum(one != other for one, other in zip(*scores, strict=True))
    rows = ["| arm | F1 at 5 ms by seed |", "|---|---|"]
    ranked = [r for r in scores[0] if (r["split"], r["metric"]) == ("test", "f1_at_5ms")]
    for name in dict.fromkeys((r["architecture"], r["arm"]) for r in ranked):
        values = [float(r["value"]) for r in ranked if (r["architecture"], r["arm"]) == name]
        rows.append(f"| {' '.join(name)} | {' '.join(f'{value:.3f}' for value in values)} |")
    return [
        f"Label efficiency, small: {seconds[0]:.0f} s and {seconds[1]:.0f} s;"
        f" {n_different} of {len(scores[0])} scores differ between the two.",
        "",
        *rows,
    ]


if __name__ == "__main__":
    print("\n".join(lines()))
