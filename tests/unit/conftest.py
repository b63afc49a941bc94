"""What tests of several rooms share.

A detector whose weights are known, a matched filter of two kinds of knocks, as a model file; and
file systems in memory, which are full or read-only for one process alone.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqbench.storage.model_header import ModelHeader
from seqbench.storage.normalization import NormalizationRecord
from seqbench.storage.records import RunIdentity

RATE_HZ = 2000.0
CHANNELS = ["x", "y", "z"]
CLASSES = ["=left", "right"]  # the first would be a formula in a spreadsheet
STRIDE, WINDOW = 10, 512
REFRACTORY_S = 0.05
WIDTH = 3.0  # standard deviation of a knock in samples
CENTRE, SCALE = (10.0, -20.0, 0.0), (4.0, 0.5, 1.0)
BOUNDS_MS: list[list[float] | None] = [[-1.0, 2.0], None]


@dataclass(frozen=True)
class Knocks:
    """The model and what it was made for.

    A knock of type k is a bell on channel k; its onset is the top of the bell.
    The last channel is noise.
    """

    model: Path
    header: ModelHeader
    arrays: dict[str, NDArray[Any]]

    def recording(
        self, onsets: list[tuple[float, int]], n_samples: int, seed: int = 0
    ) -> NDArray[np.float32]:
        """Return knocks (time in samples, type) in noise, (n_samples, 3), in units of their own."""
        noise = np.random.default_rng(seed).normal(scale=0.03, size=(n_samples, 3))
        for onset, kind in onsets:
            near = np.arange(max(0, int(onset) - 30), min(n_samples, int(onset) + 31))
            noise[near, kind] += np.exp(-0.5 * ((near - onset) / WIDTH) ** 2)
        return (noise * SCALE + CENTRE).astype(np.float32)

    def drawn(self, n_samples: int, seed: int = 0) -> list[tuple[float, int]]:
        """Draw knocks at any time, those of one type further apart than the refractory period."""
        generator = np.random.default_rng(seed)
        onsets = [
            (float(slot + generator.uniform(0, 90)), kind)
            for kind in (0, 1)
            for slot in range(60, n_samples - 150, 200)
        ]
        return sorted(onsets)


@pytest.fixture(scope="session")
def knocks(tmp_path_factory: pytest.TempPathFactory) -> Knocks:
    """Return the matched filter as a `model.safetensors`, made by hand and not by training."""
    import torch

    from seqbench.storage.models import StoredModel, write_model
    from seqbench.tasks.detection.head import HALF, N_BINS
    from seqbench.training.model import build_model
    from seqbench.training.state import state_arrays

    header = ModelHeader(
        run=RunIdentity(dataset="knocks", architecture="cnn1d", arm="scratch", labels=1.0, seed=0),
        task="detection",
        architecture="cnn1d",
        architecture_options={"widths": [2 * N_BINS], "kernel_sizes": [101], "strides": [STRIDE]},
        channels=tuple(CHANNELS),
        classes=tuple(CLASSES),
        sampling_rate_hz=RATE_HZ,
        refractory_s=REFRACTORY_S,
        tolerance_ms=5.0,
        window_samples=WINDOW,
        normalization=NormalizationRecord(mode="zscore", centre=CENTRE, scale=SCALE),
        tuned={
            "decoder": "optimal",
            "thresholds": {name: [0.5, 0.5] for name in ("threshold", "greedy", "optimal")},
            "timing_bounds_ms": BOUNDS_MS,
        },
    )
    model = build_model(header)
    state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    state["encoder.norms.0.weight"] += 1
    state["encoder.norms.0.running_var"] += 1
    state["encoder.norms.0.bias"] -= 0.3  # what correlates less is noise
    shift = torch.arange(N_BINS) - HALF  # one sample a bin
    place = torch.arange(101) - 50 - shift[:, None]
    bell = torch.exp(-0.5 * (place / WIDTH).square())
    presence = torch.exp(-0.5 * (shift / 6).square())
    for kind in (0, 1):
        features = slice(kind * N_BINS, (kind + 1) * N_BINS)
        # Feature b of a type is 1 where a knock is `shift[b]` samples behind the frame.
        state["encoder.convolutions.0.weight"][features, kind] = bell / bell[HALF].square().sum()
        state["head.output.weight"][kind, features, 0] = 3 * presence
        state["head.output.bias"][kind] = -3 * 2.6
        for b in range(N_BINS):
            state["head.output.weight"][2 * (1 + b) + kind, kind * N_BINS + b, 0] = 20
    model.load_state_dict(state)
    arrays = state_arrays(model)
    path = tmp_path_factory.mktemp("knocks") / "model.safetensors"
    write_model(path, StoredModel(arrays, header))
    return Knocks(path, header, arrays)


@pytest.fixture
def mounted() -> Callable[[str, Path], list[str]]:
    """Return a function that gives the beginning of a command: what it runs finds a mount."""

    def command(options: str, folder: Path) -> list[str]:
        mount = f'mount -t tmpfs -o {options} none "$0" && exec "$@"'
        words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
        try:
            subprocess.run([*words, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("this system lets no user mount a file system in memory")
        return words

    return command
