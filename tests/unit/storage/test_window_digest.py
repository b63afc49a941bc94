"""The digest of windows says whether two results were scored on the same of them."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.results import described
from seqbench.storage.normalization import Normalization
from seqbench.storage.timeline import Timeline
from seqbench.storage.window_digest import window_digest
from seqbench.storage.windows import WindowSet, write_windows

WINDOWS = WindowSet(
    **described(2, ["a", "b"]),
    task="classification",
    split="test",
    signal=np.ones((40, 2), np.float32),
    start=np.array([0, 10, 20]),
    length=np.full(3, 10),
    label=np.array([0, 1, 0]),
    recording=np.array([1, 1, 2]),
    names=["r0", "r1", "r2"],
    groups=["g", "g", "h"],
    sampling_rate_hz=50.0,
    source={"files": {"a.csv": "1" * 64}},
)
EVENTS = Timeline(
    recording=np.array([1, 2]),
    start=np.array([0, 20]),
    stop=np.array([20, 40]),
    known_start=np.array([0, 20]),
    known_stop=np.array([20, 40]),
    onset=np.array([3, 25]),
    offset=np.array([4, 26]),
    type=np.array([0, 1]),
    refractory_s=0.1,
    tolerance_ms=50.0,
)


@pytest.fixture
def digest(tmp_path):
    """Return what digests windows after a change of them, through a file."""

    def of(windows=WINDOWS, **changes):
        path = tmp_path / "windows.h5"
        write_windows(path, {"test": replace(windows, **changes)})
        return window_digest(path, "test")

    return of


@pytest.mark.parametrize(
    "changes",
    [
        {"label": np.array([0, 1, 1])},
        {"start": np.array([0, 10, 21])},
        {"classes": ["b", "a"]},
        {"recording": np.array([1, 2, 2])},
        {"names": ["r0", "r1", "r3"]},
        {"sampling_rate_hz": 100.0},
        {"source": {"files": {"a.csv": "2" * 64}}},
        {"timeline": EVENTS},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_window_label_or_source_file_is_another_digest(changes, digest):
    assert digest(**changes) != digest()


def test_what_differs_between_machines_or_in_other_splits_does_not_count(digest):
    scaled = Normalization("zscore", np.zeros(2), np.full(2, 1.0000001))
    elsewhere = {"names": ["other", "r1", "r2"], "source": WINDOWS.source | {"licence": "MIT"}}

    changed = {"signal": np.full((40, 2), 2, np.float32), "normalization": scaled}

    assert digest(**changed, **elsewhere) == digest()


@pytest.mark.parametrize("change", [{"onset": np.array([3, 26])}, {"tolerance_ms": 5.0}])
def test_another_event_or_tolerance_is_another_digest(change, digest):
    with_events = replace(WINDOWS, timeline=EVENTS)

    assert digest(with_events, timeline=replace(EVENTS, **change)) != digest(with_events)
