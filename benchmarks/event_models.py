"""Measure the models of timed events: a training step, and filters in groups against a loop.

Every figure is of one thread, whose processor seconds are those of the clock
where nothing else runs. A training step is measured in a fresh process, its
memory with libraries included; ratios compare two ways turn by turn.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from common import ROOT, paired, windows_of

BATCH, SAMPLES, CHANNELS, TYPES, RATE_HZ = 32, 2000, 6, 16, 2000.0
STEPS = (
    ("LSTMEventClassifier", "EventTimingLoss", 10),
    ("LSTMEventClassifier", "EventTimingLoss", 1),
    ("EventSpecificClassifier", "EventSpecificLoss", 10),
)


def step_costs() -> list[tuple[str, float, float]]:
    """Return name, processor seconds and peak bytes of a training step, each in its own process.

    Batch 32, 2000 samples, 6 channels, 16 types, hidden 128, two layers: what
    the description of these classifiers states. A stride of 10 takes frames
    of 5 ms, one of 1 every sample.
    """
    rows = []
    for model, loss, stride in STEPS:
        code = f"from event_models import one_step; one_step({model!r}, {loss!r}, {stride})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            cwd=Path(__file__).parent,
            env={"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        cost = json.loads(done.stdout)
        rows.append((f"{model}, stride {stride}", cost["seconds"], cost["peak_bytes"]))
    return rows


def one_step(model_name: str, loss_name: str, stride: int) -> None:
    """Print the seconds of the faster of two steps and the largest memory of this process."""
    import resource

    import torch

    import seqbench.library.models
    import seqbench.library.training

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = getattr(seqbench.library.models, model_name)(num_events=TYPES, stride=stride)
    criterion = getattr(seqbench.library.training, loss_name)(stride=stride)
    optimizer = torch.optim.Adam(model.parameters())
    x = torch.randn(BATCH, SAMPLES, CHANNELS)
    labels = torch.randint(0, 2, (BATCH, TYPES)).float()
    times = torch.randint(0, SAMPLES, (BATCH, TYPES)).float()

    def step() -> float:
        began = time.process_time()
        optimizer.zero_grad()
        criterion(*model(x), labels, times)["total"].backward()
        optimizer.step()
        return time.process_time() - began

    seconds = min(step() for _ in range(2))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


def filter_ratios(turns: int = 3) -> list[tuple[str, float]]:
    """Return how many times longer a loop over types takes than filters in groups.

    Forward and backward, batch 8. ``every sample`` does the same work twice:
    the kernels of the description at the rate of the samples. ``frames``: the
    loop does that work, the groups that of `EventSpecificClassifier` with
    stride 10. ``encoder``: both do that of the encoder `event_specific`.
    """
    import torch
    from torch import nn

    from seqbench.config.registry import ARCHITECTURES
    from seqbench.models.event_specific import EventSpecificCNN

    torch.set_num_threads(1)
    x = torch.randn(8, SAMPLES, CHANNELS)

    class Loop(nn.Module):
        """A stack for each type and one for all, one after the other."""

        def __init__(
            self, width: int, kernel_sizes: tuple[int, ...], strides: tuple[int, ...]
        ) -> None:
            super().__init__()
            inputs = (CHANNELS, *(width for _ in kernel_sizes[1:]))
            self.stacks = nn.ModuleList(
                nn.Sequential(
                    *(
                        layer
                        for n, size, step in zip(inputs, kernel_sizes, strides, strict=True)
                        for layer in (
                            nn.Conv1d(n, width, size, stride=step, padding=size // 2),
                            nn.ReLU(),
                        )
                    )
                )
                for _ in range(TYPES + 1)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.transpose(1, 2)
            return torch.stack([stack(x) for stack in self.stacks], dim=1)

    def timed(model: nn.Module) -> Callable[[], float]:
        def step() -> float:
            model.zero_grad()
            began = time.process_time()
            features = model(x)
            parts = features if isinstance(features, tuple) else (features,)
            torch.stack([part.square().mean() for part in parts]).sum().backward()
            return time.process_time() - began

        return step

    options = ARCHITECTURES.entry("event_specific").options().model_dump()
    own = tuple(options[key] for key in ("features_per_template", "kernel_sizes", "strides"))
    described = (32, (11, 21, 41), (1, 1, 1))
    pairs = [
        ("every sample", described, described),
        ("frames", described, (32, (11, 3, 5), (10, 1, 1))),
        ("encoder", own, own),
    ]
    rows = []
    for name, (width, sizes, steps), (group_width, group_sizes, group_steps) in pairs:
        grouped = EventSpecificCNN(
            TYPES, CHANNELS, group_width, kernel_sizes=group_sizes, strides=group_steps
        )
        rows.append((name, paired(timed(Loop(width, sizes, steps)), timed(grouped), turns).median))
    return rows


def pursuit_ratios(turns: int = 3) -> list[tuple[str, float]]:
    """Return what pursuit of whole batches costs: beside the filter, and a step beside `event_rnn`.

    The filter looks through the recordings of test, one event after the other; the network
    through the same samples in windows of 1024, 16 at a time.
    """
    import numpy as np
    import torch

    from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
    from seqbench.config.registry import DATASETS
    from seqbench.models.embedding import build_encoder
    from seqbench.models.event_pursuit import EventPursuitEncoder

    torch.set_num_threads(1)
    windows = windows_of(DATASETS["strikes_continuous"](Path(), test_s=60.0))
    baseline, test = MatchedFilterBaseline(), windows["test"]
    arrays = baseline.fit([windows["train"]], seed=0)
    n_channels, n_types = len(test.channels), len(test.classes)
    network = EventPursuitEncoder(n_channels, RATE_HZ, n_types)
    network.start(baseline.fitted(arrays), n_samples=1024)
    n = len(test.signal) // 1024
    x = torch.from_numpy(np.asarray(test.signal)[: n * 1024].reshape(n, 1024, n_channels))

    def one_after_the_other() -> float:
        began = time.process_time()
        baseline.predict(arrays, test)
        return time.process_time() - began

    def at_once() -> float:
        began = time.process_time()
        for batch in x.split(16):
            network.pursuit(batch)
        return time.process_time() - began

    def step_of(encoder: torch.nn.Module) -> Callable[[], float]:
        def step() -> float:
            began = time.process_time()
            encoder(x[:16]).square().mean().backward()
            return time.process_time() - began

        return step

    recurrent = build_encoder("event_rnn", {}, n_channels, sampling_rate_hz=RATE_HZ)
    return [
        (
            "events one after the other / at once",
            paired(one_after_the_other, at_once, turns).median,
        ),
        (
            "a step of event_pursuit / event_rnn",
            paired(step_of(network), step_of(recurrent), turns).median,
        ),
    ]


def main() -> None:
    """Measure and print."""
    print("| training step | processor seconds | peak GB |\n|---|---|---|")
    for name, seconds, peak in step_costs():
        print(f"| {name} | {seconds:.2f} | {peak / 1e9:.2f} |")
    print("\n| event-specific filters | loop / groups |\n|---|---|")
    for name, ratio in filter_ratios():
        print(f"| {name} | {ratio:.1f} |")
    print("\n| pursuit | ratio |\n|---|---|")
    for name, ratio in pursuit_ratios():
        print(f"| {name} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
