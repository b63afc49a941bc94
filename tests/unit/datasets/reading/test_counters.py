"""Columns that count rows or time, whatever their name, are no channels unless they are named."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading import source
from seqbench.datasets.reading.recording import read_recording

N = 200
DRAWN = np.random.default_rng(0)
SIGNAL = DRAWN.normal(size=N)
COUNTERS = {
    "times with jitter": 1.7e9 + (np.arange(N) + DRAWN.uniform(0, 0.9, N)) / 100,
    "backwards": -np.cumsum(DRAWN.uniform(0.1, 3, N)),
    "packets of four rows": np.arange(N) // 4,
    "a counter of 64": np.arange(N) % 64,
    "a counter of 16 from 1": np.arange(N) % 16 + 1,
    "even times": np.arange(N) * 0.25,
}
CHANNELS = {
    "noise": DRAWN.normal(size=N),
    "three levels": np.arange(N) // 80,
    "a square wave": np.arange(N) // 10 % 2,
    "a triangle": np.abs(np.arange(N) % 40 - 20),
    "constant": np.ones(N),
    "random walk": np.cumsum(DRAWN.normal(size=N)),
}


@pytest.mark.parametrize("form", ["csv", "npy"])
@pytest.mark.parametrize("column", [*COUNTERS, *CHANNELS])
def test_a_column_that_counts_is_refused_until_it_is_named(tmp_path, form, column, monkeypatch):
    monkeypatch.setattr(source, "BLOCK_SAMPLES", N)  # which other tests make smaller
    path = tmp_path / f"one.{form}"
    both = np.column_stack([(COUNTERS | CHANNELS)[column], SIGNAL])
    if form == "npy":
        np.save(path, both)
    else:
        np.savetxt(path, both, delimiter=",", header="odd,x", comments="", fmt="%.17g")
    names = ["ch0", "ch1"] if form == "npy" else ["odd", "x"]

    if column in COUNTERS:
        with pytest.raises(DataError, match=rf"'{names[0]}' .*as times and row numbers do; name"):
            read_recording(path)
    else:
        assert read_recording(path).channels == names
    assert read_recording(path, names).channels == names


@pytest.mark.parametrize("header", ["0,1", "3,4,5", "1,2,3,4", "0"])
def test_a_first_row_that_counts_its_columns_is_refused_until_header_says(tmp_path, header):
    width = header.count(",") + 1
    path = tmp_path / "one.csv"
    rows = [",".join(["0.5", "-0.25", "7", "1"][:width]), ",".join(["2"] * width)]
    path.write_text("\n".join([header, *rows]))

    with pytest.raises(DataError, match="counts columns as tools name them; set `header: yes`"):
        read_recording(path)
    assert len(read_recording(path, header=True).signal) == 2
    assert len(read_recording(path, header=False).signal) == 3


def test_points_between_thousands_are_refused_beside_a_decimal_comma(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("x;y\n0,5;1,5\n-3,0;2,0\n1.234;0,25\n")

    with pytest.raises(DataError, match=r"row 4, column 'x': '1\.234' has a point"):
        read_recording(path)
    path.write_text("x;y\n0,5;1,5\n-3,0;2,0\n1234;0,25\n")
    assert read_recording(path).signal.tolist() == [[0.5, 1.5], [-3, 2], [1234, 0.25]]


@pytest.mark.parametrize("time", ["12:00:00.010", "05/01/2024 12:00:00", "1 May"])
def test_times_that_are_no_iso_dates_are_refused_with_one(tmp_path, time):
    path = tmp_path / "one.csv"
    path.write_text(f"time,x\n{time},1\n{time},2\n")

    with pytest.raises(DataError, match=r"row 2, .*; write times in seconds, or as 2024-"):
        read_recording(path)
