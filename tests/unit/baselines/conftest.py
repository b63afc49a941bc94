"""Recordings with events, made by hand, for the baselines of detection."""

import numpy as np
import pytest

from seqbench.storage.normalization import Normalization
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.matching import match


@pytest.fixture
def event_windows():
    """Windows of recordings (n, C) with events (onset, type), normalised."""

    def make(
        signals,
        events,
        *,
        classes=("a", "b"),
        rate_hz=2000.0,
        known=None,
        tolerance_ms=5.0,
        centre=None,
        scale=None,
        **changes,
    ):
        n_channels = signals[0].shape[1]
        normalization = Normalization(
            "none" if scale is None else "zscore",
            np.zeros(n_channels) if centre is None else np.array(centre),
            np.ones(n_channels) if scale is None else np.array(scale),
        )
        length = np.array([len(signal) for signal in signals])
        start = np.cumsum([0, *length])[:-1]
        table = [(s + o, k) for s, some in zip(start, events, strict=True) for o, k in some]
        onset, kind = np.array(sorted(table), dtype=np.int64).reshape(-1, 2).T
        spans = np.array(known if known is not None else [(0, n) for n in length])
        timeline = Timeline(
            recording=np.arange(len(signals)),
            start=start,
            stop=start + length,
            known_start=start + spans[:, 0],
            known_stop=start + spans[:, 1],
            onset=onset,
            offset=onset + 1,
            type=kind,
            refractory_s=None,
            tolerance_ms=tolerance_ms,
        )
        joined = np.concatenate(list(signals))
        values = {
            "task": "detection",
            "sample": "series",
            "split": "train",
            "signal": ((joined - normalization.centre) / normalization.scale).astype(np.float32),
            "start": start,
            "length": length,
            "label": np.zeros(len(signals), dtype=np.int64),
            "recording": np.arange(len(signals)),
            "names": [f"r{i}" for i in range(len(signals))],
            "groups": [f"r{i}" for i in range(len(signals))],
            "channels": [f"ch{c}" for c in range(n_channels)],
            "classes": list(classes),
            "normalization": normalization,
            "sampling_rate_hz": rate_hz,
            "timeline": timeline,
        }
        return WindowSet(**values | changes)

    return make


@pytest.fixture
def compare():
    """F1 of the candidates above a score, and the errors of those that match, in samples."""

    def make(candidates, windows, *, tolerance_samples=10, least_score=0.5):
        timeline = windows.timeline
        kept = candidates.score >= least_score
        errors = []
        for place in range(len(timeline)):
            for kind in range(len(windows.classes)):
                mine = kept & (candidates.place == place) & (candidates.type == kind)
                time = candidates.time[mine]
                there = (timeline.place == place) & (timeline.type == kind)
                onset = timeline.onset[there] - timeline.start[place]
                first, second = match(onset, np.rint(time).astype(np.int64), tolerance_samples)
                errors += (time[second] - onset[first]).tolist()
        n_all = len(timeline.onset) + int(kept.sum())
        return 2 * len(errors) / n_all, np.array(errors)

    return make
