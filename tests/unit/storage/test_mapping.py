"""A dataclass survives a group of HDF5, each field by its type."""

from dataclasses import dataclass, field, replace
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from seqbench.config.stages import TransformSettings
from seqbench.storage.mapping import read_record, write_record


@dataclass(frozen=True, kw_only=True)
class Inner:
    centre: NDArray[np.float64]
    mode: str


@dataclass(frozen=True, kw_only=True)
class Everything:
    text: str
    flag: bool
    count: int
    rate_hz: float | None
    index: NDArray[np.int64]
    frames: NDArray[np.float64]
    names: list[str]
    inner: Inner
    maybe_inner: Inner | None = None
    maybe_array: NDArray[np.float64] | None = None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    transform: TransformSettings = field(default_factory=TransformSettings)


RECORD = Everything(
    text="Straße <b>",
    flag=True,
    count=3,
    rate_hz=None,
    index=np.array([4, 0, 7]),
    frames=np.arange(16.0).reshape(2, 2, 2, 2),
    names=["größer", "", "c"],
    inner=Inner(centre=np.array([0.5]), mode="zscore"),
)
FULL = replace(
    RECORD,
    rate_hz=12.5,
    names=[],
    maybe_inner=RECORD.inner,
    maybe_array=np.zeros((0, 3)),
    arrays={"templates": np.ones((2, 3), dtype=np.float32), "n": np.array([3])},
    source={"origin": "Zürich", "notes": ["a"], "n": 1.5, "nothing": None},
    transform=TransformSettings(log=True, difference_samples=(12,)),
)


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as opened:
        yield opened


@pytest.mark.parametrize("record", [RECORD, FULL], ids=["defaults", "full"])
def test_every_field_survives(file, record, assert_same):
    write_record(file, record)

    assert_same(read_record(file, Everything), record)


def test_fields_may_stand_elsewhere_or_be_given(file):
    write_record(file, RECORD, paths={"names": "table/name"}, skip={"index"})

    read = read_record(file, Everything, paths={"names": "table/name"}, index=np.zeros(1))

    assert "index" not in file
    assert list(file["table/name"].asstr()) == read.names == RECORD.names
    assert read.index.tolist() == [0]


def test_frames_are_compressed_and_of_single_precision(file):
    write_record(file, RECORD)

    assert (file["frames"].dtype, file["frames"].compression) == (np.float32, "gzip")
    assert file["index"].compression is None
