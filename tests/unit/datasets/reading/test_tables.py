"""Tables of numbers: dialects, columns, and the clock of a time column."""

import time

import numpy as np
import pandas as pd
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import open_recording, read_recording


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("1,2\n3,4\n", ["ch0", "ch1"]),
        ("1,2\n3,4", ["ch0", "ch1"]),
        ("x,y\n1,2\n3,4\n\n\n", ["x", "y"]),
        ("x;y\r\n1;2\r\n3;4\r\n", ["x", "y"]),
        ("x\ty\n1\t2\n3\t4\n", ["x", "y"]),
        ("\ufeffx,y\n1,2\n3,4\n", ["x", "y"]),
        ("\ufeff1,2\n3,4\n", ["ch0", "ch1"]),
        ("\n\nx,y\n1,2\n\n3,4\n", ["x", "y"]),
        ('"x; left","y, right"\n"1","2"\n"3","4"\n', ["x; left", "y, right"]),
        ('"x, left";y\n1;2\n3;4\n', ["x, left", "y"]),
        (" x , y \n 1, 2\n 3 ,4 \n", ["x", "y"]),
        ("größe,位置\n1,2\n3,4\n", ["größe", "位置"]),
        ("0,x\n1,2\n3,4\n", ["0", "x"]),
        ("x,x\n1e0,+2.\n3.0E+0,4\n", ["x", "x.2"]),
        ("1 2\n3 4\n", ["ch0", "ch1"]),
        ("   1.0   2.0  \r\n   3.0   4.0  \r\n", ["ch0", "ch1"]),
        ('# of a logger, 2024\n\n x  "y left"\n1\u20092\n3  4\n', ["x", "y left"]),
        ("x y\ng g\n1 2\n\n3 4\n", ["x", "y"]),
    ],
)
def test_dialects_of_csv_are_understood(tmp_path, joined, text, channels):
    path = tmp_path / "one.csv"
    path.write_bytes(text.encode("utf-8"))

    assert read_recording(path).channels == channels
    assert joined(path).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2\n3,-inf\n", "row 2, column 'ch1': -inf is not finite; cut it out or fill it in"),
        ("x,y\n\n0,1e39\n", "row 3, column 'y': 1e39 is not finite"),
        ("Acc X\n1\n2 5\n", "row 3, column 'Acc X': '2 5' is not a number"),
        ("1 2\n3 4\n5 6\n7 8 9\n", "row 4: 3 cells, but 2 in the first row"),
        ("time s, x\n1 2\n", "row 2: 1 cell, but 2 in the first row"),
        ("x,y\n1 5,2\n", "row 2, column 'x': '1 5' is not a number; write a number with a decimal"),
        ("x,y\n1,1_000\n", "row 2, column 'y': '1_000' is not a number"),
        ("time,1.5,y\n0,1,2\n", "row 1: '1.5' stands in the first row beside what is no number"),
        ("x,,y\n0,1,2\n", "row 1: column 2 has no name; name it"),
        ("x,y\n0,1,2\n3,4,5\n", "row 2: 3 cells, but 2 in the first row"),
        (
            "time,t,x\n0,1,2\n",
            ": 'time' and 't' are both names of a time column; name one",
        ),
        ("time_s\n0\n1\n", ": it holds no channels; add a column"),
        ("time,x,y\n0,1,2\nnan,1,2\n", "row 3, column 'time': nan is not finite"),
        (
            "time_ms,x\n\n0,1\n0.01,1\n0.01,1\n",
            "row 5, column 'time_ms': 0.01 ms is not",
        ),
        ("", ": the file is empty; fill it or remove it"),
    ],
)
def test_tables_that_are_no_recording_are_refused(tmp_path, refusal, text, problem):
    path = tmp_path / "one.csv"
    path.write_text(text)

    assert problem in refusal(path)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("0.1,1.50", "row 152: 2 cells, but 3 in the first row"),
        ("0.1,1.50,0.2,0.3", "row 152: 4 cells, but 3 in the first row"),
        ("0.1,1.50,wind", "row 152, column 'ay': 'wind' is not a number"),
        ("0.1,,0.2", "row 152, column 'time_s': the cell is empty"),
        ("0.1,3.012,0.2", "row 152, column 'time_s': the step of 0.032 s is not uniform"),
        ("0.1,2.98,0.2", "row 152, column 'time_s': 2.98 s is not after 2.98 s"),
        ('0.1,3.00,"0.2', "row 152: broken cell"),
        ("0.1,3.00,\0", "row 152: it is not text"),
    ],
)
def test_a_bad_row_late_in_a_csv_file_is_named_by_its_line(write, before_refusal, row, problem):
    path = write(".csv")
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:151], row, *lines[152:]]))

    samples, message = before_refusal(path)

    assert len(samples) == 143  # eleven blocks
    assert problem in message


def test_a_byte_late_in_a_csv_file_that_is_not_utf_8_is_named_by_its_line(write, refusal):
    path = write(".csv")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:151], b"\xff,3,1", *lines[152:]]))

    assert "row 152: it is not UTF-8" in refusal(path)


def test_blank_lines_late_in_a_csv_file_are_no_fault(write, joined):
    path = write(".csv")
    expected = read_recording(path).signal
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:151], "", *lines[151:], "", "   ", "\t", ""]))

    np.testing.assert_array_equal(joined(path), expected)


@pytest.mark.parametrize("name", ["TIME_S", "seconds", "Time (s)", "t_s", "Timestamp [sec]"])
def test_a_time_column_gives_the_rate_wherever_it_stands(tmp_path, name):
    path = tmp_path / "one.csv"
    path.write_text(f"x,{name}\n1,10.00\n2,10.25\n3,10.50\n")

    recording = read_recording(path)

    assert recording.channels == ["x"]
    assert recording.sampling_rate_hz == 4


@pytest.mark.parametrize(
    ("rate_hz", "decimals"), [(2000, 4), (360, 3), (512, 3), (30, 3), (0.1, 0), (12.5, 2)]
)
def test_times_rounded_to_decimals_still_give_the_rate(tmp_path, joined, block, rate_hz, decimals):
    path = tmp_path / "one.csv"
    rows = [f"{i / rate_hz:.{decimals}f},{i % 9}" for i in range(400)]
    path.write_text("\n".join(["time_s,x", *rows]))

    assert joined(path)[:, 0].tolist() == [i % 9 for i in range(400)]
    assert read_recording(path).sampling_rate_hz == rate_hz
    with open_recording(path) as recording:
        assert recording.sampling_rate_hz == pytest.approx(rate_hz, rel=1 / block)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_clock_that_changes_its_rate_is_found_on_the_way(tmp_path, before_refusal, suffix):
    times = np.concatenate([np.arange(100) * 0.01, 1 + np.arange(300) * 0.0102])
    frame = pd.DataFrame({"t": times, "x": 0.0})
    path = tmp_path / f"one{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)

    samples, message = before_refusal(path)

    assert 100 < len(samples) < 300
    assert "drifts by over one sample" in message


def test_the_first_step_of_a_block_is_checked(tmp_path, before_refusal, block):
    path = tmp_path / "one.parquet"
    times = np.arange(50.0)
    times[block:] += 1
    pd.DataFrame({"t_s": times, "x": 0.0}).to_parquet(path)

    samples, message = before_refusal(path)

    assert len(samples) == block
    assert f"row {block + 1}, column 't_s': the step of 2 s" in message


def test_a_column_that_is_requested_is_no_clock(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("T,x\n20,1\n19,2\n")

    recording = read_recording(path, ["x", "T"])

    assert recording.signal.tolist() == [[1, 20], [2, 19]]
    assert recording.sampling_rate_hz is None


def test_a_column_that_is_not_requested_may_hold_text(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text('x,note,y\n1,"calm, sunny",2\n3,,4\n')

    assert read_recording(path, ["y"]).signal.tolist() == [[2], [4]]


@pytest.mark.parametrize(
    ("index", "channels", "rate_hz"),
    [
        (pd.Index(np.arange(200) / 50, name="time"), ["x", "y"], 50),
        (pd.RangeIndex(10, 610, 3, name="t_s"), ["x", "y"], 1 / 3),
        (pd.RangeIndex(200, name="sample"), ["x", "y"], None),
        (pd.RangeIndex(200), ["x", "y"], None),
        (pd.Index(np.arange(200) + 7), ["x", "y"], None),
        (pd.date_range("2024-05-01 12:00", periods=200, freq="20ms"), ["x", "y"], 50),
    ],
)
def test_a_named_index_of_pandas_is_a_column(tmp_path, joined, signal, index, channels, rate_hz):
    path = tmp_path / "one.parquet"
    pd.DataFrame(signal, columns=["x", "y"], index=index).to_parquet(path)

    recording = read_recording(path)

    assert (recording.channels, recording.sampling_rate_hz) == (channels, rate_hz)
    np.testing.assert_array_equal(joined(path)[:, -2:], signal.astype(np.float32))


def test_the_time_for_a_wide_table_grows_with_its_width(tmp_path):
    path = tmp_path / "one.csv"
    values = np.arange(100_000).reshape(2, -1)
    np.savetxt(path, values, fmt="%d", delimiter=",", header="x" + ",x" * 49_999, comments="")

    since = time.process_time()
    recording = read_recording(path)

    assert time.process_time() - since < 10  # 0.5; minutes where each column looks at all others
    assert recording.channels[-1] == "x.50000"
    np.testing.assert_array_equal(recording.signal, values)


def rows_of(head, n=20, *, wave=(3, 1, 4, 1, 5)):
    """Return a table whose channel is a wave, below a head; `{i}` is the sample in a row."""
    head, row = head
    return "\n".join([*head, *(row.format(i=i, x=wave[i % len(wave)]) for i in range(n))]) + "\n"


@pytest.mark.parametrize(
    ("head", "row", "channels", "units", "rate_hz", "start_s"),
    [
        (["%OpenBCI", "%Sample Rate = 250 Hz", "EXG 0, EXG 1"], "{x}, {x}", 2, ["", ""], None, 0),
        (["sep=;", "time_ms;x"], "{i};{x}", 1, [""], 1000, 0),
        (["time_s;x"], "0,{i:03d};{x},5", 1, [""], 1000, 0),
        (["  time_ms   x"], "  {i}   {x} ", 1, [""], 1000, 0),
        (["time x", "ms mV"], "{i} {x}", 1, ["mV"], 1000, 0),
        (["time;x", "ms;mV"], "{i};{x}", 1, ["mV"], 1000, 0),
        (["time,x", "(s),(g)"], "{i},{x}", 1, ["g"], 1, 0),
        (["1700000000.0, 1700000000.0", "64.0, 64.0"], "{x}, {x}", 2, ["", ""], 64, 1.7e9),
        (["1700000000", "4"], "{x}", 1, [""], 4, 1.7e9),
        ([",x"], "{i},{x}", 1, [""], None, 0),
        (["Unnamed: 0,time_s,x"], "{i},0.{i:02d},{x}", 1, [""], 100, 0),
        (["date,x"], "2024-05-01 12:00:00.{i:02d}+02:00,{x}", 1, [""], 100, 1714557600),
        (["date,x"], "2024-05-01T10:00:{i:02d}Z,{x}", 1, [""], 1, 1714557600),
        (["timestamp,x"], "1714557600{i:02d}0,{x}", 1, [""], 100, 1714557600),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_the_rows_above_the_samples_are_understood(
    tmp_path, joined, monkeypatch, head, row, channels, units, rate_hz, start_s, fast
):
    if not fast:
        monkeypatch.setattr("seqbench.datasets.reading.csv_table.MOST_FAST_COLUMNS", 0)
    path = tmp_path / "one.csv"
    path.write_text(rows_of((head, row)))

    one = read_recording(path)

    wave = [[3, 1, 4, 1, 5][i % 5] + 0.5 * (",5" in row) for i in range(20)]
    assert joined(path).tolist() == [[x] * channels for x in wave]
    assert one.units == units
    assert one.sampling_rate_hz == (rate_hz and pytest.approx(rate_hz))
    assert (one.times.start_s if one.times else 0) == start_s


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        (rows_of((["0,1"], "{x},{x}")), {}, "row 1: the first row, '0,1', counts columns"),
        (rows_of((["1,2,3"], "{x},{x},{x}")), {}, "the first row, '1,2,3', counts columns"),
        (rows_of((["0"], "{x}.5")), {}, "set `header: yes` if it is no sample, else `header: no`"),
        (
            rows_of((["x,label"], "{x},{x}")),
            {},
            "column 'label': a column of this name holds",
        ),
        (rows_of(([], "{i}.5,{x}")), {}, "'ch0' changes by the same step in every row"),
        (rows_of((["x,n"], "{x},-{i}")), {}, "'n' changes by the same step in every row"),
        (rows_of((["time,x"], "{i},{x}")), {}, "its step of 1 has no unit: it may be 1 or 1000 Hz"),
        (rows_of((["a,x"], "{i},{x}")), {"time_column": "b"}, "no column 'b', which `time_column`"),
        (rows_of((["date,x"], "2024-05-01 12:00,{x}")), {}, "is not after"),
        (rows_of((["date,x"], "2024-05-01T10:{i:02d}Z,{x}")) + "noon,1\n", {}, "'noon' is no date"),
    ],
)
def test_a_table_that_may_be_one_or_another_is_refused(tmp_path, text, options, problem):
    path = tmp_path / "one.csv"
    path.write_text(text)

    with pytest.raises(DataError) as caught:
        read_recording(path, **options)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "channels", "rate_hz"),
    [
        (rows_of((["0,1"], "{x},{x}")), {"header": True}, ["0", "1"], None),
        (rows_of((["0,1"], "{x},{x}")), {"header": False}, ["ch0", "ch1"], None),
        (rows_of((["time,x"], "{i},{x}")), {"time_unit": "s"}, ["x"], 1),
        (rows_of((["time,x"], "{i},{x}")), {"sampling_rate_hz": 1000.0}, ["x"], 1000),
        (rows_of((["a,x"], "{i},{x}")), {"time_column": "a", "time_unit": "ms"}, ["x"], 1000),
        (rows_of(([], "{i},{x}")), {"time_column": "ch0", "time_unit": "ms"}, ["ch1"], 1000),
        (rows_of((["x,label"], "{x},{x}")), {"channels": ["x"]}, ["x"], None),
        (rows_of((["x,label"], "{x},{x}")), {"channels": ["x", "label"]}, ["x", "label"], None),
        (rows_of((["x,label"], "{x},{x}")), {"targets": ("label",)}, ["x", "label"], None),
        (rows_of((["n,x"], "{i},{x}")), {"channels": ["n", "x"]}, ["n", "x"], None),
    ],
)
def test_the_user_decides_what_a_table_leaves_open(tmp_path, text, options, channels, rate_hz):
    path = tmp_path / "one.csv"
    path.write_text(text)

    one = read_recording(path, **options)

    assert (one.channels, one.sampling_rate_hz) == (channels, rate_hz)


def test_an_unknown_target_is_no_fault(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("x,angle\n1,\n2,7\n3,nan\n")

    signal = read_recording(path, targets=("angle",)).signal

    np.testing.assert_array_equal(signal, [[1, np.nan], [2, 7], [3, np.nan]])
    with pytest.raises(DataError, match="row 2, column 'angle': the cell is empty"):
        read_recording(path)


def test_a_gap_in_an_index_without_a_name_is_found(tmp_path, refusal):
    path = tmp_path / "one.parquet"
    index = pd.date_range("2024-05-01", periods=50, freq="20ms")
    index = index[:30].append(index[30:] + pd.Timedelta("2s"))
    pd.DataFrame({"x": np.arange(50) % 7}, index=index).to_parquet(path)

    assert "row 31, column 'time': the step of 2.02" in refusal(path)


def test_a_wide_table_is_read_cell_by_cell_in_seconds(tmp_path):
    path = tmp_path / "one.csv"
    values = np.random.default_rng(0).normal(size=(20, 100_000)).round(3)
    np.savetxt(path, values, fmt="%.3f", delimiter=",")

    since = time.process_time()
    recording = read_recording(path)

    assert time.process_time() - since < 15  # 1.6; 80 where each column looks at all others
    np.testing.assert_array_equal(recording.signal, values.astype(np.float32))


def test_many_small_tables_are_read_fast_as_a_large_one_is(tmp_path, joined, monkeypatch):
    paths = [tmp_path / f"{i}.csv" for i in range(4)]
    for path in paths:
        path.write_text("1,2\n" * 50)
    module = "seqbench.datasets.reading.csv_table"
    monkeypatch.setattr(f"{module}.LEAST_FAST_BYTES", 900)
    monkeypatch.setattr(f"{module}.CsvTable.n_bytes", 0)
    fast, read_csv = [], pd.read_csv
    monkeypatch.setattr(
        pd, "read_csv", lambda path, **rest: fast.append(path) or read_csv(path, **rest)
    )

    for path in paths:
        assert joined(path).tolist() == [[1, 2]] * 50

    assert set(fast) == set(paths[2:])  # each is read twice
