"""Chunks are what reading a whole recording gives, and streams yield what has arrived."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyedflib
import pytest
import wfdb

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import READERS, open_chunks, read_recording
from seqbench.datasets.reading.stream import csv_stream, growing, raw_stream

RATE_HZ = 50.0
BLOCK = 13  # samples, so that a short recording has many blocks
SIGNAL = np.column_stack([np.sin(np.arange(200) / 7), np.cos(np.arange(200) / 9)])
TIMES = np.arange(len(SIGNAL)) / RATE_HZ
SUFFIXES = sorted(READERS)


def write_csv(path: Path, signal: np.ndarray = SIGNAL) -> None:
    frame = pd.DataFrame(signal, columns=["ax", "ay"])
    frame.insert(1, "time_s", [f"{t:.2f}" for t in TIMES])
    frame.to_csv(path, index=False)


def write_parquet(path: Path, signal: np.ndarray = SIGNAL) -> None:
    frame = pd.DataFrame(signal, columns=["ax", "ay"])
    frame.insert(0, "Time", TIMES)
    frame.to_parquet(path, row_group_size=70)


def write_npz(path: Path, signal: np.ndarray = SIGNAL) -> None:
    np.savez_compressed(path, signal=signal, weather=np.zeros(3), sampling_rate_hz=RATE_HZ)


def write_hdf5(path: Path, signal: np.ndarray = SIGNAL) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("tower", data=signal, chunks=(30, 1), compression="gzip")
        file.attrs["sampling_rate_hz"] = RATE_HZ


def edf_channel(label: str) -> dict[str, object]:
    return {
        "label": label,
        "dimension": "g",
        "sample_frequency": RATE_HZ,
        "physical_min": -1.0,
        "physical_max": 1.0,
        "digital_min": -32768,
        "digital_max": 32767,
        "transducer": "",
        "prefilter": "",
    }


def write_edf(path: Path) -> None:
    with pyedflib.EdfWriter(str(path), 2, file_type=pyedflib.FILETYPE_EDFPLUS) as file:
        file.setSignalHeaders([edf_channel("ax"), edf_channel("ay")])
        file.writeSamples([np.ascontiguousarray(column) for column in SIGNAL.T])
        file.writeAnnotation(0.5, 0.1, "strike")


def write_wfdb(path: Path, signal: np.ndarray = SIGNAL, fmt: str = "16") -> None:
    wfdb.wrsamp(
        path.stem,
        fs=RATE_HZ,
        units=["g", "g"],
        sig_name=["ax", "ay"],
        p_signal=signal,
        fmt=[fmt, fmt],
        write_dir=str(path.parent),
    )


WRITERS: dict[str, Callable[..., None]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".npy": lambda path, signal=SIGNAL: np.save(path, signal),
    ".npz": write_npz,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
    ".edf": write_edf,
    ".hea": write_wfdb,
}


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", BLOCK)


def joined(path: Path, **options: object) -> np.ndarray:
    with open_chunks(path, **options) as recording:
        signal = np.concatenate(list(recording))
    assert recording.n_samples in (None, len(signal))
    return signal


def one_sentence(error: DataError, path: Path) -> str:
    message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert "; " in message  # what is wrong; how to mend it
    return message


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        joined(path, **options)
    return one_sentence(caught.value, path)


def before_refusal(path: Path) -> tuple[np.ndarray, str]:
    """Return the samples that come before the fault, and its message."""
    chunks: list[np.ndarray] = []
    with open_chunks(path) as recording, pytest.raises(DataError) as caught:
        chunks.extend(recording)
    return np.concatenate(chunks), one_sentence(caught.value, path)


# Files.


def test_every_format_that_can_be_read_can_be_read_in_chunks():
    assert set(READERS) == set(WRITERS)


@pytest.mark.parametrize("chunk_samples", [1, 7, 13, 50, 1000])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_chunks_end_to_end_are_the_recording(tmp_path, suffix, chunk_samples):
    path = tmp_path / f"one{suffix}"
    WRITERS[suffix](path)
    whole = read_recording(path)

    with open_chunks(path, chunk_samples=chunk_samples) as recording:
        chunks = list(recording)

    assert all(chunk.dtype == np.float32 for chunk in chunks)
    assert all(0 < len(chunk) <= min(chunk_samples, BLOCK) for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), whole.signal)
    assert (recording.channels, recording.units) == (whole.channels, whole.units)
    assert recording.sampling_rate_hz == whole.sampling_rate_hz
    assert recording.n_samples == (None if suffix == ".csv" else len(SIGNAL))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_channels_are_selected_and_ordered_by_name(tmp_path, suffix):
    path = tmp_path / f"one{suffix}"
    WRITERS[suffix](path)
    names = read_recording(path).channels
    expected = read_recording(path, names[::-1]).signal

    with open_chunks(path, names[::-1]) as recording:
        assert recording.channels == names[::-1]
        np.testing.assert_array_equal(np.concatenate(list(recording)), expected)
    assert joined(path, channels=names[1:]).shape == (len(SIGNAL), 1)
    assert f"did you mean '{names[0]}'?" in refusal(path, channels=[names[0] + "z"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_are_refused_or_read_as_whole_ones_are(tmp_path, suffix):
    rng = np.random.default_rng(1)
    path = tmp_path / f"one{suffix}"
    WRITERS[suffix](path)
    whole = path.read_bytes()
    for trial in range(60):
        if trial % 3 == 0:
            data = rng.bytes(int(rng.integers(0, 400)))
        elif trial % 3 == 1:
            data = whole[: int(rng.integers(len(whole)))]
        else:
            damaged = np.frombuffer(whole, dtype=np.uint8).copy()
            damaged[rng.integers(len(whole), size=4)] = rng.integers(256, size=4)
            data = damaged.tobytes()
        path.write_bytes(data)
        try:
            signal = joined(path)
        except DataError as error:
            one_sentence(error, path)
        else:
            np.testing.assert_array_equal(signal, read_recording(path).signal)


@pytest.mark.parametrize(
    ("suffix", "row"),
    [(".csv", 152), (".parquet", 151), (".npy", 151), (".npz", 151), (".h5", 151), (".hea", 151)],
)
def test_a_value_that_is_not_finite_is_found_when_it_is_reached(tmp_path, suffix, row):
    path = tmp_path / f"one{suffix}"
    WRITERS[suffix](path)
    whole = read_recording(path)
    signal = SIGNAL.copy()
    signal[150, 1] = np.nan
    WRITERS[suffix](path, signal)

    samples, message = before_refusal(path)

    np.testing.assert_array_equal(samples, whole.signal[: 150 // BLOCK * BLOCK])
    assert f"row {row}, column '{whole.channels[1]}'" in message
    with pytest.raises(DataError) as caught:
        read_recording(path)
    assert str(caught.value) == message


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
def test_a_bad_row_late_in_a_csv_file_is_named_by_its_line(tmp_path, row, problem):
    path = tmp_path / "one.csv"
    write_csv(path)
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:151], row, *lines[152:]]))

    samples, message = before_refusal(path)

    assert len(samples) == 143  # eleven blocks
    assert problem in message


def test_a_byte_late_in_a_csv_file_that_is_not_utf_8_is_named_by_its_line(tmp_path):
    path = tmp_path / "one.csv"
    write_csv(path)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:151], b"\xff,3,1", *lines[152:]]))

    assert "row 152: it is not UTF-8" in refusal(path)


def test_blank_lines_late_in_a_csv_file_are_no_fault(tmp_path):
    path = tmp_path / "one.csv"
    write_csv(path)
    expected = read_recording(path).signal
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:151], "", *lines[151:], "", "   ", "\t", ""]))

    np.testing.assert_array_equal(joined(path), expected)


def test_a_csv_file_of_names_alone_is_refused(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("time,ax\n")

    assert "it holds no samples" in refusal(path)


@pytest.mark.parametrize(("rate_hz", "decimals"), [(2000, 4), (360, 3), (512, 3), (12.5, 2)])
def test_times_rounded_to_decimals_still_give_the_rate(tmp_path, rate_hz, decimals):
    path = tmp_path / "one.csv"
    rows = [f"{i / rate_hz:.{decimals}f},{i}" for i in range(400)]
    path.write_text("\n".join(["time,x", *rows]))

    with open_chunks(path) as recording:
        assert recording.sampling_rate_hz == pytest.approx(rate_hz, rel=1 / BLOCK)
        np.testing.assert_array_equal(np.concatenate(list(recording))[:, 0], np.arange(400))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_clock_that_changes_its_rate_is_found_on_the_way(tmp_path, suffix):
    times = np.concatenate([np.arange(100) * 0.01, 1 + np.arange(300) * 0.0102])
    frame = pd.DataFrame({"t": times, "x": 0.0})
    path = tmp_path / f"one{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)

    samples, message = before_refusal(path)

    assert 100 < len(samples) < 300
    assert "drifts by over one sample" in message


def test_the_first_step_of_a_block_is_checked(tmp_path):
    path = tmp_path / "one.parquet"
    times = np.arange(50.0)
    times[BLOCK:] += 1
    pd.DataFrame({"t": times, "x": 0.0}).to_parquet(path)

    samples, message = before_refusal(path)

    assert len(samples) == BLOCK
    assert f"row {BLOCK + 1}, column 't': the step of 2 s" in message


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_either_order_and_any_number_type_are_read(tmp_path, save, dtype, order):
    path = tmp_path / ("one.npy" if save is np.save else "one.npz")
    array = np.asarray(np.arange(300).reshape(100, 3) % 97, dtype=dtype, order=order)
    save(path, array)

    np.testing.assert_array_equal(joined(path), array.astype(np.float32))
    np.testing.assert_array_equal(
        joined(path, channels=["ch2", "ch0"]), array[:, [2, 0]].astype(np.float32)
    )


def test_more_channels_make_shorter_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_CELLS", 6)
    path = tmp_path / "one.npy"
    np.save(path, SIGNAL)

    with open_chunks(path) as recording:
        assert {len(chunk) for chunk in recording} == {3, 2}


@pytest.mark.parametrize(
    ("suffix", "write", "problem"),
    [
        (".npy", lambda p: np.save(p, SIGNAL.astype(object)), "pickle"),
        (".npy", lambda p: np.save(p, SIGNAL.astype(str)), "not numbers"),
        (".npy", lambda p: np.save(p, np.zeros((2, 2, 2))), "(2, 2, 2)"),
        (".npy", lambda p: np.save(p, np.float64(1)), "shape ()"),
        (".npy", lambda p: np.save(p, np.zeros((0, 2))), "no samples"),
        (".npy", lambda p: np.save(p, np.zeros((2, 0))), "no channels"),
        (".npy", lambda p: np.save(p, np.zeros((1, 70_000))), "(n_samples, n_channels)"),
        (".npy", lambda p: p.write_bytes(b"\x80\x04K\x01."), "pickle"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, b=SIGNAL), "arrays a, b"),
        (".npz", lambda p: np.savez(p, a=SIGNAL.astype(object)), "pickle"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=[1, 2]), "rate_hz"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=np.array({})), "pickle"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=0.0), "0 Hz"),
        (".parquet", lambda p: pd.DataFrame({"x": ["a"]}).to_parquet(p), "column 'x'"),
        (".parquet", lambda p: pd.DataFrame({"x": []}, dtype=float).to_parquet(p), "no samples"),
        (".hea", lambda p: p.write_text("one 0 50 10\n"), "no channels"),
        (".xlsx", lambda p: p.write_bytes(b""), "'.xlsx'"),
        (".csv", lambda p: p.mkdir(), "no such file"),
    ],
)
def test_contents_that_are_no_recording_are_refused(tmp_path, suffix, write, problem):
    path = tmp_path / f"one{suffix}"
    write(path)

    assert problem in refusal(path)


def test_hdf5_chunks_too_large_for_bounded_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.hdf5_dataset.CACHE_BYTES", 200)
    path = tmp_path / "one.h5"
    write_hdf5(path)

    assert "its HDF5 chunks have the shape (30, 1)" in refusal(path)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(TIMES, name="time"),
        pd.RangeIndex(10, 10 + 3 * len(SIGNAL), 3, name="t"),
        pd.RangeIndex(len(SIGNAL), name="sample"),
        pd.RangeIndex(len(SIGNAL)),
        pd.Index(np.arange(len(SIGNAL))[::-1]),
    ],
)
def test_an_index_of_pandas_is_taken_as_in_the_whole_file(tmp_path, index):
    path = tmp_path / "one.parquet"
    pd.DataFrame(SIGNAL.astype(np.float32), columns=["x", "y"], index=index).to_parquet(path)
    whole = read_recording(path)

    with open_chunks(path) as recording:
        assert recording.channels == whole.channels
        assert recording.sampling_rate_hz == whole.sampling_rate_hz
        np.testing.assert_array_equal(np.concatenate(list(recording)), whole.signal)


@pytest.mark.parametrize("fmt", ["80", "212", "16", "24", "32"])
def test_wfdb_formats_are_cut_anywhere(tmp_path, fmt):
    path = tmp_path / "one.hea"
    write_wfdb(path, fmt=fmt)

    np.testing.assert_array_equal(joined(path), read_recording(path).signal)


def write_frames(path: Path, n_frames: int, length: str) -> None:
    """Write a record of two channels, of which one has two samples a frame."""
    path.with_suffix(".dat").write_bytes(np.arange(3 * n_frames, dtype="<i2").tobytes())
    lines = [f"one 2 10{length}", "one.dat 16x2 1/mV 16 0 0 0 0 x", "one.dat 16 1/mV 16 0 0 0 0 y"]
    path.write_text("\n".join([*lines, ""]))


@pytest.mark.parametrize(("n_frames", "length"), [(40, " 40"), (12, " 12"), (12, "")])
def test_all_samples_of_wfdb_frames_are_read(tmp_path, n_frames, length):
    path = tmp_path / "one.hea"
    write_frames(path, n_frames, length)

    with open_chunks(path, ["x"], chunk_samples=5) as recording:
        signal = np.concatenate(list(recording))

    assert (recording.n_samples, recording.sampling_rate_hz) == (2 * n_frames, 20)
    np.testing.assert_array_equal(signal, read_recording(path, ["x"]).signal)


def test_a_wfdb_header_without_a_length_is_answered_with_it(tmp_path):
    path = tmp_path / "one.hea"
    write_frames(path, 40, "")

    assert "write 40 behind the rate" in refusal(path, channels=["x"])


def test_wfdb_differences_are_refused_where_they_do_not_fit_into_one_block(tmp_path):
    (tmp_path / "one.dat").write_bytes(np.ones(40, dtype=np.int8).tobytes())
    path = tmp_path / "one.hea"
    path.write_text("one 1 10 40\none.dat 8 1/mV 16 0 0 0 0 x\n")

    assert "format 16" in refusal(path)


def test_a_short_wfdb_signal_file_is_found_when_its_end_is_reached(tmp_path):
    path = tmp_path / "one.hea"
    write_wfdb(path)
    data = tmp_path / "one.dat"
    data.write_bytes(data.read_bytes()[:-40])

    samples, message = before_refusal(path)

    assert len(samples) == 182  # of 190
    assert "cut short" in message


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_are_closed_wherever_reading_stops(tmp_path, suffix):
    path = tmp_path / f"one{suffix}"
    WRITERS[suffix](path)
    joined(path)
    open_before = n_open_files()

    for n_read in (0, 2):
        with open_chunks(path) as recording:
            chunks = iter(recording)
            for _ in range(n_read):
                next(chunks)
        assert n_open_files() == open_before
    with pytest.raises(ValueError, match="closed"):
        iter(recording)
    refusal(path, channels=["unknown"])
    assert n_open_files() == open_before


def test_a_chunk_without_samples_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one sample"):
        open_chunks(tmp_path / "one.npy", chunk_samples=0)
    for stream in (csv_stream, raw_stream):
        with pytest.raises(ValueError, match="at least one sample"):
            next(stream(io.BytesIO(b"1,2\n3,4\n"), 2, chunk_samples=-1))


MEASURE = """
import resource, sys
from pathlib import Path
import numpy as np
from seqbench.datasets.reading.recording import open_chunks

def walk(path):
    with open_chunks(Path(path)) as recording:
        return sum(len(chunk) for chunk in recording)

walk(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = walk(sys.argv[2])
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
@pytest.mark.parametrize(("suffix", "order"), [(".npy", "C"), (".npy", "F"), (".npz", "F")])
def test_memory_does_not_grow_with_the_recording(tmp_path, suffix, order):
    paths = [tmp_path / f"{name}{suffix}" for name in ("short", "long")]
    for path, n_samples in zip(paths, (200_000, 4_200_000), strict=True):
        signal = np.zeros((n_samples, 6), dtype=np.float32, order=order)  # 5 and 100 MB
        np.save(path, signal) if suffix == ".npy" else np.savez(path, signal=signal)

    result = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
    )

    n_read, growth_kib = map(int, result.stdout.split())
    assert n_read == 4_200_000
    assert growth_kib < 8_000


# Streams.


def feed(pieces: list[bytes]) -> io.BufferedReader:
    """Return the reading end of a pipe into which the pieces are written one by one."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe, suppress(BrokenPipeError):
            for piece in pieces:
                pipe.write(piece)

    threading.Thread(target=write, daemon=True).start()
    return os.fdopen(reading, "rb")


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


CSV_ROWS = "".join(f"{x!r},{y!r}\n" for x, y in SIGNAL.tolist()).encode()


@pytest.mark.parametrize("size", [1, 3, 7, 100, 10_000])
@pytest.mark.parametrize("chunk_samples", [1, 9, 1 << 16])
def test_a_csv_stream_gives_every_row_however_it_is_cut(size, chunk_samples):
    with feed(cut(CSV_ROWS, size)) as pipe:
        chunks = list(csv_stream(pipe, 2, chunk_samples))

    assert all(0 < len(chunk) <= chunk_samples for chunk in chunks)
    assert all(chunk.dtype == np.float32 for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


@pytest.mark.parametrize("size", [1, 7, 1001])
@pytest.mark.parametrize("chunk_samples", [1, 9, 1 << 16])
def test_a_raw_stream_gives_every_sample_however_it_is_cut(size, chunk_samples):
    with feed(cut(SIGNAL.astype("<f4").tobytes(), size)) as pipe:
        chunks = list(raw_stream(pipe, 2, chunk_samples))

    assert all(0 < len(chunk) <= chunk_samples for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


@pytest.mark.parametrize("kind", ["csv", "raw"])
def test_a_stream_yields_what_has_arrived_while_the_pipe_pauses(kind):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb", buffering=0) as feeder:
        if kind == "csv":
            chunks = csv_stream(pipe, 2)
            feeder.write(b"x,y\n1,2\n3,4\n5,")  # a half line waits for its end
        else:
            chunks = raw_stream(pipe, 2)
            feeder.write(np.array([1, 2, 3, 4, 5], "<f4").tobytes())
        assert next(chunks).tolist() == [[1, 2], [3, 4]]
        feeder.write(b"6\n" if kind == "csv" else np.array([6], "<f4").tobytes())
        assert next(chunks).tolist() == [[5, 6]]


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4",
        "\ufeff1,2\r\n3,4\r\n",
        "x;y\n1;2\n\n3;4\n",
        "x\ty\n1\t2\n  \n3\t4\n",
        '"x, left",y\n"1","2"\n3, 4 \n',
        "time,x,y\n0.1,1,2\n0.2,3,4\n",
        "x,Timestamp,y\n1,0.1,2\n3,0.2,4\n",
        "größe,位置\n1e0,+2.\n3.0E+0,4\n",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_dialects_of_csv_streams_are_understood(text, size):
    with feed(cut(text.encode(), size)) as pipe:
        assert np.concatenate(list(csv_stream(pipe, 2))).tolist() == [[1, 2], [3, 4]]


def test_text_handles_are_read_as_binary_ones():
    with io.TextIOWrapper(feed([CSV_ROWS])) as pipe:
        assert len(np.concatenate(list(csv_stream(pipe, 2)))) == len(SIGNAL)
    assert np.concatenate(list(csv_stream(io.StringIO("1,2\n3,4\n"), 2))).tolist() == [
        [1, 2],
        [3, 4],
    ]


def test_channels_of_a_stream_are_selected_by_name():
    rows = b"note,y,x\ncalm,2,1\n,4,3\n"

    chunks = list(csv_stream(io.BytesIO(rows), 2, channels=["x", "y"]))

    assert np.concatenate(chunks).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="did you mean 'x'"):
        list(csv_stream(io.BytesIO(rows), 2, channels=["xz", "y"]))


def test_a_stream_without_names_gives_its_columns_as_they_stand():
    chunks = list(csv_stream(io.BytesIO(b"1,2\n"), 2, channels=["x", "y"]))

    assert chunks[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x,y\n1,2\n\n3\n", "row 4: 1 cell, but 2 in the first row"),
        ("x,y\n1,2\n3,4,5\n", "row 3: 3 cells, but 2 in the first row"),
        ("x,y\n1,2\n3,four\n", "row 3, column 'y': 'four' is not a number"),
        ("1,2\n3,\n", "row 2, column 'ch1': the cell is empty"),
        ("1,2\n3,1e39\n", "row 2, column 'ch1': 1e39 is not finite"),
        ("1,2\nnan,4\n", "row 2, column 'ch0': nan is not finite"),
        ('1,2\n3,"4\n', "row 2: broken cell"),
        ("1,2,3\n", "row 1: 3 channels instead of 2"),
        ("t,x\n1,2\n", "row 1: 1 channel instead of 2"),
        ("t,x,y\n1,1,2\n1,3,4\n", "row 3, column 't': 1 s is not after 1 s"),
        ("", "it ended without a sample"),
        ("x,y\n", "it ended without a sample"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_bad_row_of_a_csv_stream_is_named(text, problem, size):
    with feed(cut(text.encode(), size)) as pipe, pytest.raises(DataError) as caught:
        list(csv_stream(pipe, 2))

    assert problem in one_sentence(caught.value, Path("the stream"))


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_byte_of_a_csv_stream_that_is_not_utf_8_is_named_by_its_line(size):
    with feed(cut(b"1,2\n3,4\n\xff,6\n", size)) as pipe, pytest.raises(DataError) as caught:
        list(csv_stream(pipe, 2))

    assert "row 3: it is not UTF-8" in str(caught.value)


@pytest.mark.parametrize("size", [1, 1000])
def test_a_sample_that_a_stream_lost_is_found_by_its_clock(size):
    times = [f"{i / 512:.3f}" for i in range(200)]
    rows = [f"{t},0" for t in times]
    whole, lossy = "\n".join(["t,x", *rows]), "\n".join(["t,x", *rows[:99], *rows[100:]])

    with feed(cut(whole.encode(), size)) as pipe:
        assert len(np.concatenate(list(csv_stream(pipe, 1, sampling_rate_hz=512)))) == 200
    with feed(cut(lossy.encode(), size)) as pipe, pytest.raises(DataError) as caught:
        list(csv_stream(pipe, 1, sampling_rate_hz=512))
    assert "row 101, column 't': the step of 0.004 s is not that of 512 Hz" in str(caught.value)


def test_a_stream_that_has_no_lines_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.stream.LINE_LIMIT_BYTES", 1000)

    with pytest.raises(DataError, match="send text with a line for every sample"):
        list(csv_stream(io.BytesIO(b"7" * 2000), 2))


def test_a_raw_stream_names_the_row_that_is_not_finite_or_not_whole():
    values = np.ones((50, 2), "<f4")
    values[30, 1] = np.inf
    for size in (1, 7, 1000):
        with feed(cut(values.tobytes(), size)) as pipe, pytest.raises(DataError) as caught:
            list(raw_stream(pipe, 2))
        assert "row 31, column 'ch1'" in one_sentence(caught.value, Path("the stream"))

    for n_bytes, problem in ((85, "row 11: it ends with 5 bytes"), (0, "without a sample")):
        pieces = [np.ones(40, "<f4").tobytes()[:n_bytes]]
        with feed(pieces) as pipe, pytest.raises(DataError) as caught:
            list(raw_stream(pipe, 2))
        assert problem in one_sentence(caught.value, Path("the stream"))


def test_a_growing_file_is_read_until_it_rests(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("x,y\n")
    pieces = cut(CSV_ROWS, 301)

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    with growing(path, idle_s=0.5, poll_s=0.001) as handle:
        chunks = list(csv_stream(handle, 2))
    writer.join()

    assert len(chunks) > 1
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


def test_a_file_that_does_not_grow_ends_at_once_or_after_its_rest(tmp_path):
    path = tmp_path / "one.f32"
    path.write_bytes(SIGNAL.astype("<f4").tobytes())

    for idle_s in (0.0, 0.1):
        since = time.monotonic()
        with growing(path, idle_s=idle_s, poll_s=0.01) as handle:
            assert len(np.concatenate(list(raw_stream(handle, 2)))) == len(SIGNAL)
        assert time.monotonic() - since >= idle_s
        assert handle.closed


def test_a_bad_row_of_a_growing_file_names_the_file(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("1,2\n3\n")

    with growing(path, idle_s=0) as handle, pytest.raises(DataError) as caught:
        list(csv_stream(handle, 2))

    assert "row 2: 1 cell" in one_sentence(caught.value, path)


def test_a_growing_file_that_gets_shorter_or_is_absent_is_refused(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("1,2\n3,4\n")

    with growing(path, idle_s=5, poll_s=0.001) as handle:
        chunks = csv_stream(handle, 2)
        next(chunks)
        path.write_text("1,2\n")
        with pytest.raises(DataError) as caught:
            next(chunks)
    assert "got shorter" in one_sentence(caught.value, path)
    path.unlink()
    with pytest.raises(DataError) as caught:
        growing(path, idle_s=1)
    assert "start what writes it first" in one_sentence(caught.value, path)
