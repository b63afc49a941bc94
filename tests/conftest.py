"""Tiny recordings and windows, made by hand, for the tests of every layer."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS, Normalization, Split, WindowSet, write_windows

# Tiny tensors gain nothing from threads, and lose much where other work runs beside the tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def recordings():
    """Recordings with one label each, or with `intervals` (recording, class, start, stop)."""

    def make(
        labels: Sequence[str] = ("a", "b"),
        *,
        lengths: Sequence[int] | int = 10,
        intervals: Sequence[tuple[int, int, int, int]] | None = None,
        seed: int = 0,
        **changes: Any,
    ) -> Recordings:
        generator = np.random.default_rng(seed)
        n = len(labels)
        lengths = [lengths] * n if isinstance(lengths, int) else list(lengths)
        channels = changes.pop("channels", ["x", "y"])
        values: dict[str, Any] = {
            "task": "classification",
            "sample": "series",
            "names": [f"r{i}" for i in range(n)],
            "groups": [f"r{i}" for i in range(n)],
            "splits": [""] * n,
            "channels": channels,
            "units": ["mV"] * len(channels),
            "signals": [
                generator.normal(size=(length, len(channels))).astype(np.float32)
                for length in lengths
            ],
            "sampling_rate_hz": 100.0,
            "source": {"origin": "made up"},
        } | changes
        if intervals is None:
            return Recordings.one_label_each(list(labels), values.pop("signals"), **values)
        table = np.array(intervals, dtype=np.int64).reshape(-1, 4)
        return Recordings(
            classes=sorted(set(labels)),
            label_recording=table[:, 0],
            label=table[:, 1],
            label_start=table[:, 2],
            label_stop=table[:, 3],
            **values,
        )

    return make


@pytest.fixture
def make_windows():
    """Windows of classes that differ in frequency, one recording each; written if a path is given.

    Lengths are dealt out in turn, so one length makes equal windows.
    """

    def make(
        path: Path | None = None,
        *,
        n_windows: int = 12,
        lengths: Sequence[int] = (20,),
        n_classes: int = 2,
        n_channels: int = 2,
        noise: float = 0.1,
        mode: str = "none",
        splits: Sequence[Split] = SPLITS,
        seed: int = 0,
    ) -> dict[Split, WindowSet]:
        made: dict[Split, WindowSet] = {}
        n_recordings = n_windows * len(splits)
        for number, split in enumerate(splits):
            generator = np.random.default_rng([seed, number])
            label = np.arange(n_windows) % n_classes
            # Blocks of one class each of which takes the next length.
            length = np.array([lengths[(i // n_classes) % len(lengths)] for i in range(n_windows)])
            signals = []
            for one, samples in zip(label, length, strict=True):
                phase = 2 * np.pi * (one + 1) * np.arange(samples) / 12
                wave = np.stack([np.sin(phase + c) for c in range(n_channels)], axis=1)
                signals.append(wave + generator.normal(scale=noise, size=wave.shape))
            made[split] = WindowSet(
                task="classification",
                sample="series",
                split=split,
                signal=np.concatenate(signals).astype(np.float32),
                start=np.cumsum([0, *length])[:-1],
                length=length,
                label=label,
                recording=np.arange(n_windows) + number * n_windows,
                names=[f"r{i}" for i in range(n_recordings)],
                groups=[f"g{i // 2}" for i in range(n_recordings)],
                channels=[f"ch{c}" for c in range(n_channels)],
                classes=[f"class{k}" for k in range(n_classes)],
                normalization=Normalization(mode, np.zeros(n_channels), np.ones(n_channels)),
                sampling_rate_hz=100.0,
            )
        if path is not None:
            write_windows(path, made)
        return made

    return make
