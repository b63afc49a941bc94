"""Measure what the README claims about speed: ratios in one run, with the machine's description.

``make bench`` writes build/bench.md. Ratios compare two ways of doing the same
work side by side, turn by turn, so that the drift of a shared machine touches
both alike; seconds are given for orientation only.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from common import BUILD, ROOT, Clock, windows_of

from seqbench.storage.windows import Split

LAB_EPOCHS = 20


def lab() -> tuple[float, float, float]:
    """Time the introductory lab: this project to 99 % on val, and a script with its 20 epochs.

    Returns seconds of this project, of the script, and of training alone in this project.

    The script is written as courses write it: per-item Dataset, DataLoader,
    Adam, a two-layer bidirectional LSTM 64 with attention, 840 windows of 200
    samples in batches of 32. Both start from a fresh process.
    """
    code = {
        "script": "from bench import lab_script; lab_script()",
        "seqbench": "from bench import lab_here; lab_here()",
    }
    seconds, said = {}, {}
    for name, text in code.items():
        began = time.perf_counter()
        said[name] = subprocess.run(
            [sys.executable, "-c", text],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT / "benchmarks",
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        ).stdout
        seconds[name] = time.perf_counter() - began
    return seconds["seqbench"], seconds["script"], float(said["seqbench"])


def lab_script() -> None:
    """Train as a teaching script does: everything per item, all epochs, no early end."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    from seqbench.config.registry import DATASETS

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, 64, 2, batch_first=True, bidirectional=True, dropout=0.3)
            self.attention = nn.Linear(128, 1)
            self.classifier = nn.Sequential(
                nn.Linear(128, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            frames, _ = self.lstm(x)
            weights = torch.softmax(self.attention(frames).squeeze(-1), dim=1)
            return self.classifier(torch.sum(frames * weights.unsqueeze(-1), dim=1))

    torch.manual_seed(0)
    splits = windows_of(DATASETS["waves"](Path()))
    loaders = {}
    sizes: dict[Split, int] = {"train": 32, "val": 64}
    for split, batch_size in sizes.items():
        windows = splits[split]
        x = torch.from_numpy(windows.signal[:].reshape(len(windows), -1, 1))
        data = TensorDataset(x, torch.from_numpy(windows.label))
        loaders[split] = DataLoader(data, batch_size, shuffle=split == "train")
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(LAB_EPOCHS):
        model.train()
        for x, y in loaders["train"]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for x, _ in loaders["val"]:
                model(x)


def lab_here() -> None:
    """Train the same network until 99 % of val are right; print the seconds of training."""
    import torch

    from seqbench.config.registry import DATASETS
    from seqbench.config.stages import FinetuneSettings
    from seqbench.storage.model_header import NetworkHeader
    from seqbench.training.batches import Batch, WindowTable
    from seqbench.training.loop import fit
    from seqbench.training.model import build_model
    from seqbench.training.reproducibility import seed_everything
    from seqbench.training.supervised import Finetuning

    class Reached(Exception):
        pass

    class UntilReached(Finetuning):
        def watch(self, batch: Batch) -> dict[str, torch.Tensor]:
            means = super().watch(batch)
            if means["val_accuracy"] >= 0.99:
                raise Reached
            return means

    torch.set_num_threads(1)
    generator = seed_everything(0)
    splits = windows_of(DATASETS["waves"](Path()))
    device = torch.device("cpu")
    train, val = WindowTable(splits["train"], device), WindowTable(splits["val"], device)
    options = {"hidden_size": 64, "n_layers": 2, "dropout": 0.3, "pooling": "attention"}
    header = NetworkHeader(
        architecture="lstm",
        architecture_options=options,
        task="classification",
        channels=tuple(splits["train"].channels),
        classes=tuple(splits["train"].classes),
        sampling_rate_hz=splits["train"].sampling_rate_hz,
        window_samples=int(splits["train"].length.max()),
        head_dropout=0.2,
    )
    began = time.perf_counter()
    try:
        fit(
            UntilReached(build_model(header), frozen=False, weight=None),
            train,
            torch.arange(len(train)),
            lambda: val.batches(len(val)),  # one batch, whose mean is that of val
            FinetuneSettings(epochs=LAB_EPOCHS, learning_rate=0.005),
            loss_name="val_loss",
            generator=generator,
            label="lab",
        )
    except Reached:
        print(time.perf_counter() - began)
    else:
        raise SystemExit("99 % of val was never reached")


def event_lines() -> list[str]:
    """Measure events, training and use, and return the lines of the table."""
    import event_models
    import events

    (BUILD / "events").mkdir(parents=True, exist_ok=True)
    strikes = events.measured("strikes")
    short, long = events.measured("short"), events.measured("long")
    lines = [
        f"Strikes at noise 0.1: F1@5 ms {strikes['f1']:.3f} after {strikes['train_cpu_s']:.0f}"
        f" processor seconds of training ({strikes['train_s']:.0f} s),"
        f" peak {strikes['peak_bytes'] / 1e9:.2f} GB.",
        f"Prediction on one core: {short['times_real']:.0f} times real time;"
        f" six hours (1 GB) peak at {long['peak_bytes'] / 1e9:.2f} GB.",
        "",
        "| training step, batch 32 of 2000 samples | seconds | peak GB |",
        "|---|---|---|",
    ]
    for name, seconds, peak in event_models.step_costs():
        lines.append(f"| {name} | {seconds:.2f} | {peak / 1e9:.2f} |")
    lines += ["", "| event-specific filters | loop over types / groups |", "|---|---|"]
    lines += [f"| {name} | {ratio:.1f} |" for name, ratio in event_models.filter_ratios()]
    lines += ["", "| pursuit | ratio |", "|---|---|"]
    lines += [f"| {name} | {ratio:.2f} |" for name, ratio in event_models.pursuit_ratios()]
    return lines


def export_lines() -> list[str]:
    """Measure exported models and return the lines of their table."""
    import exports

    lines = ["`event_rnn` through ONNX Runtime over torch, both on one core:", ""]
    lines += ["| windows at a time | times faster |", "|---|---|"]
    return lines + [f"| {n} | {ratio:.1f} |" for n, ratio in exports.event_rnn_ratios()]


def loop_lines() -> list[str]:
    """Measure the training loop and return the lines of its table."""
    import loop

    return list(loop.lines("cpu", Clock(math.inf), turns=9))


def recurrent_lines() -> list[str]:
    """Measure recurrent layers and return the lines of their table."""
    import recurrent

    return list(recurrent.lines())


def lab_lines() -> list[str]:
    """Measure the introductory lab and return its lines."""
    here, script, training = lab()
    return [
        f"Introductory lab: {here:.1f} s to 99 % on val, {training:.1f} s of them training; the",
        f"script with its {LAB_EPOCHS} epochs {script:.1f} s; ratio {here / script:.2f}.",
    ]


def pretraining_lines() -> list[str]:
    """Measure pretraining and return the lines of its table."""
    import pretraining

    return pretraining.lines()


def label_lines() -> list[str]:
    """Run the small benchmark of label efficiency and return its lines."""
    import pretraining

    return pretraining.label_lines()


def plan_lines() -> list[str]:
    """Measure large plans and return the lines of their table."""
    import plans

    return plans.lines()


def pipeline_lines() -> list[str]:
    """Measure the default benchmark and many short runs, and return where their time goes."""
    import core_seconds

    default, command = core_seconds.measured("bench")
    lines = core_seconds.lines("Default benchmark", default)
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, text=True)
    lines += ["", f"A second `snakemake` takes {time.perf_counter() - began:.1f} s.", ""]
    short, _ = core_seconds.measured("short", "--configfile", str(core_seconds.short_runs()))
    return lines + core_seconds.lines("Short runs", short)


PARTS = {
    "loop": loop_lines,
    "recurrent": recurrent_lines,
    "lab": lab_lines,
    "events": event_lines,
    "pretraining": pretraining_lines,
    "labels": label_lines,
    "export": export_lines,
    "plans": plan_lines,
    "pipeline": pipeline_lines,
}


def main() -> None:
    """Measure, and write the table after each part, so that a fault in the last costs no other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    from seqbench.process.origin import commit, machine, versions

    BUILD.mkdir(exist_ok=True)
    text = f"# Measurements\n\nCommit {commit()}; {machine()}; torch {versions()['torch']}.\n"
    for part in parts:
        text += "\n" + "\n".join(PARTS[part]()) + "\n"
        (BUILD / "bench.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
