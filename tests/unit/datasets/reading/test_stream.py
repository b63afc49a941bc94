"""Streams yield the samples that have arrived, or one sentence names the bad row."""

import io
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import read_recording
from seqbench.datasets.reading.stream import GrowingFile, RawLayout, csv_stream, raw_stream

SIGNAL = np.column_stack([np.sin(np.arange(200) / 7), np.cos(np.arange(200) / 9)])


def one_sentence(error: DataError, path: Path) -> str:
    message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert "; " in message  # the problem; the fix
    return message


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
def test_a_csv_stream_gives_every_row_however_it_is_cut(size):
    with feed(cut(CSV_ROWS, size)) as pipe:
        chunks = list(csv_stream(pipe, 2))

    assert all(len(chunk) for chunk in chunks)
    assert all(chunk.dtype == np.float32 for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


@pytest.mark.parametrize("size", [1, 7, 1001])
def test_a_raw_stream_gives_every_sample_however_it_is_cut(size):
    with feed(cut(SIGNAL.astype("<f4").tobytes(), size)) as pipe:
        chunks = list(raw_stream(pipe, 2))

    assert all(len(chunk) for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
def test_a_raw_stream_of_any_type_gives_the_channels_that_are_taken(dtype):
    numbers = np.arange(120).reshape(-1, 4)
    stream = io.BytesIO(numbers.astype(np.dtype(dtype).newbyteorder("<")).tobytes())

    chunks = list(raw_stream(stream, 2, RawLayout(dtype, 4, (3, 1)), subtracted=(10.0, 0.0)))

    np.testing.assert_array_equal(np.concatenate(chunks), numbers[:, [3, 1]] - [10, 0])
    with pytest.raises(DataError, match="of 4 numbers a sample 4 are taken; name 2 places below 4"):
        list(raw_stream(stream, 2, RawLayout(dtype, 4)))


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
        ("1,2,4\n", "row 1: 3 channels instead of 2"),
        ("t,x\n1,2\n", "row 1: 1 channel instead of 2"),
        ("t,x,y\n1,1,2\n1,3,4\n", "row 3, column 't': 1 is not after 1"),
        ("", "it ended without a sample"),
        ("x,y\n", "it ended without a sample"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_bad_row_of_a_csv_stream_is_named(text, problem, size):
    with feed(cut(text.encode(), size)) as pipe, pytest.raises(DataError) as caught:
        list(csv_stream(pipe, 2))

    assert problem in one_sentence(caught.value, Path("the stream"))


def test_points_between_thousands_are_refused_as_in_a_file():
    pieces = [b"x;y\n0,5;1,5\n2,0;1\n", b"1.234;2\n"]

    with feed(pieces) as pipe, pytest.raises(DataError, match=r"row 4, .*'1\.234' has a point"):
        list(csv_stream(pipe, 2))


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
    assert "row 101, column 't': the step of 0.004 is not uniform" in str(caught.value)


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
    with GrowingFile(path, idle_s=0.5, poll_s=0.001) as handle:
        chunks = list(csv_stream(handle, 2))
    writer.join()

    assert len(chunks) > 1
    np.testing.assert_array_equal(np.concatenate(chunks), SIGNAL.astype(np.float32))


def test_a_file_that_does_not_grow_ends_at_once_or_after_its_rest(tmp_path):
    path = tmp_path / "one.f32"
    path.write_bytes(SIGNAL.astype("<f4").tobytes())

    for idle_s in (0.0, 0.1):
        since = time.monotonic()
        with GrowingFile(path, idle_s=idle_s, poll_s=0.01) as handle:
            assert len(np.concatenate(list(raw_stream(handle, 2)))) == len(SIGNAL)
        assert time.monotonic() - since >= idle_s
        assert handle.closed


def test_a_bad_row_of_a_growing_file_names_the_file(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("1,2\n3\n")

    with GrowingFile(path, idle_s=0) as handle, pytest.raises(DataError) as caught:
        list(csv_stream(handle, 2))

    assert "row 2: 1 cell" in one_sentence(caught.value, path)


def test_a_growing_file_that_gets_shorter_or_is_absent_is_refused(tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("1,2\n3,4\n5,6\n")

    with GrowingFile(path, idle_s=5, poll_s=0.001) as handle:
        chunks = csv_stream(handle, 2)
        next(chunks)
        path.write_text("1,2\n")
        with pytest.raises(DataError) as caught:
            next(chunks)
    assert "got shorter" in one_sentence(caught.value, path)
    path.unlink()
    with pytest.raises(DataError) as caught:
        GrowingFile(path, idle_s=1)
    assert "start what writes it first" in one_sentence(caught.value, path)


@pytest.mark.parametrize("cell", ["{}", '"{}"'])
def test_blanks_separate_the_cells_of_a_stream_as_those_of_a_file(tmp_path, cell):
    rows = [f"  {i / 100:.2f}   {cell.format(i * i % 7)}  {-i % 5} \n" for i in range(30)]
    text = "".join(["# of a logger, 2024\n", " time_s  x   y\n", *rows])
    path = tmp_path / "one.txt"
    path.write_text(text)

    streamed = np.concatenate(list(csv_stream(io.BytesIO(text.encode()), 2)))

    np.testing.assert_array_equal(streamed, [[i * i % 7, -i % 5] for i in range(30)])
    np.testing.assert_array_equal(read_recording(path).signal, streamed)
