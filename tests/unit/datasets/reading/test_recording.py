"""Every format gives back what was written, whole and in chunks, and no damage passes unnoticed."""

import subprocess
import sys
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
from seqbench.datasets.reading.recording import READERS, open_recording, read_recording

RATE_HZ = 50.0
BLOCK = 13  # samples, so that a short recording has many blocks
SIGNAL = np.column_stack([np.sin(np.arange(200) / 7), np.cos(np.arange(200) / 9)])
TIMES = np.arange(len(SIGNAL)) / RATE_HZ


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


def edf_channel(label: str, rate_hz: float = RATE_HZ, unit: str = "g") -> dict[str, object]:
    return {
        "label": label,
        "dimension": unit,
        "sample_frequency": rate_hz,
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


# How to write a format, and what it can hold: rate, names, unit, precision.
FORMATS: dict[str, tuple[Callable[..., None], float | None, list[str], str, float]] = {
    ".csv": (write_csv, RATE_HZ, ["ax", "ay"], "", 1e-6),
    ".parquet": (write_parquet, RATE_HZ, ["ax", "ay"], "", 1e-6),
    ".npy": (lambda path, signal=SIGNAL: np.save(path, signal), None, ["ch0", "ch1"], "", 1e-6),
    ".npz": (write_npz, RATE_HZ, ["ch0", "ch1"], "", 1e-6),
    ".h5": (write_hdf5, RATE_HZ, ["ch0", "ch1"], "", 1e-6),
    ".hdf5": (write_hdf5, RATE_HZ, ["ch0", "ch1"], "", 1e-6),
    ".edf": (write_edf, RATE_HZ, ["ax", "ay"], "g", 1e-4),
    ".hea": (write_wfdb, RATE_HZ, ["ax", "ay"], "g", 1e-4),
}


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", BLOCK)


def written(folder: Path, suffix: str, *options: np.ndarray) -> Path:
    path = folder / f"one{suffix}"
    FORMATS[suffix][0](path, *options)
    return path


def joined(path: Path, **options: object) -> np.ndarray:
    """Return the signal, which is the same whole and in chunks."""
    with open_recording(path, **options) as recording:
        signal = np.concatenate(list(recording.samples()))
    assert recording.n_samples in (None, len(signal))
    np.testing.assert_array_equal(signal, read_recording(path, **options).signal)
    return signal


def one_sentence(error: DataError, path: Path) -> str:
    message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert "; " in message  # the problem; the fix
    return message


def refusal(path: Path, **options: object) -> str:
    """Return the one sentence that refuses a file, whole and in chunks."""
    with pytest.raises(DataError) as caught:
        read_recording(path, **options)
    with pytest.raises(DataError) as in_chunks:
        joined(path, **options)
    assert str(in_chunks.value) == str(caught.value)
    return one_sentence(caught.value, path)


def refusal_of_chunks(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        joined(path, **options)
    return one_sentence(caught.value, path)


def before_refusal(path: Path) -> tuple[np.ndarray, str]:
    """Return the samples that come before the fault, and its message."""
    chunks: list[np.ndarray] = []
    with open_recording(path) as recording, pytest.raises(DataError) as caught:
        chunks.extend(recording.samples())
    return np.concatenate(chunks), one_sentence(caught.value, path)


def test_every_readable_format_is_tested():
    assert set(FORMATS) == set(READERS)


@pytest.mark.parametrize("chunk_samples", [1, 7, 13, 1000])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_recording_survives_the_round_trip(tmp_path, suffix, chunk_samples):
    _, rate, channels, unit, precision = FORMATS[suffix]
    path = written(tmp_path, suffix)

    whole = read_recording(path)
    with open_recording(path) as recording:
        chunks = list(recording.chunks(chunk_samples))

    for read in (whole, recording):
        assert (read.channels, read.units) == (channels, [unit] * 2)
        assert read.sampling_rate_hz == rate
    assert whole.files[0] == path
    assert recording.n_samples == (None if suffix == ".csv" else len(SIGNAL))
    assert whole.signal.dtype == chunks[0].dtype == np.float32
    assert all(0 < len(chunk) <= min(chunk_samples, BLOCK) for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), whole.signal)
    np.testing.assert_allclose(whole.signal, SIGNAL, atol=precision)


@pytest.mark.parametrize("suffix", FORMATS)
def test_names_of_files_and_folders_may_have_spaces_and_any_script(tmp_path, suffix):
    (tmp_path / "Türme und 鐘").mkdir()
    path = written(tmp_path / "Türme und 鐘", suffix)
    path = path.rename(path.with_name(f"große Glocke{suffix}"))

    assert joined(path).shape == SIGNAL.shape


@pytest.mark.parametrize("suffix", FORMATS)
def test_channels_are_selected_and_ordered_by_name(tmp_path, suffix):
    names, precision = FORMATS[suffix][2], FORMATS[suffix][4]
    path = written(tmp_path, suffix)

    assert read_recording(path, names[::-1]).channels == names[::-1]
    np.testing.assert_allclose(joined(path, channels=names[::-1]), SIGNAL[:, ::-1], atol=precision)
    assert joined(path, channels=names[1:]).shape == (len(SIGNAL), 1)
    assert f"did you mean '{names[0]}'?" in refusal(path, channels=[names[0] + "z"])
    assert "name each channel once" in refusal(path, channels=[names[0]] * 2)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path, suffix):
    rng = np.random.default_rng(1)
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    for trial in range(60):
        if trial % 3 == 0:
            data = rng.bytes(int(rng.integers(0, 400)))
        elif trial % 3 == 1:
            data = whole[: int(rng.integers(len(whole)))]
        else:
            damaged = np.frombuffer(whole, dtype=np.uint8).copy()
            damaged[rng.integers(min(len(whole), 600), size=4)] = rng.integers(256, size=4)
            data = damaged.tobytes()
        path.write_bytes(data)
        try:
            signal = read_recording(path).signal
        except DataError as error:
            one_sentence(error, path)
        else:
            assert np.isfinite(signal).all()
        with suppress(DataError):
            joined(path)


@pytest.mark.parametrize("suffix", sorted({*FORMATS} - {".csv", ".hea"}))
def test_a_file_cut_in_half_is_refused(tmp_path, suffix):
    path = written(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(DataError, match=r"write the|save"):
        read_recording(path)
    with pytest.raises(DataError, match=r"write the|save"):
        joined(path)


@pytest.mark.parametrize("suffix", sorted({*FORMATS} - {".edf"}))
def test_a_value_that_is_not_finite_is_found_when_it_is_reached(tmp_path, suffix):
    whole = read_recording(written(tmp_path, suffix)).signal
    signal = SIGNAL.copy()
    signal[150, 1] = np.nan
    path = written(tmp_path, suffix, signal)

    samples, message = before_refusal(path)

    np.testing.assert_array_equal(samples, whole[: 150 // BLOCK * BLOCK])
    row = 152 if suffix == ".csv" else 151
    assert f"row {row}, column '{FORMATS[suffix][2][1]}'" in message
    assert refusal(path) == message


# Tables.


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
    ],
)
def test_dialects_of_csv_are_understood(tmp_path, text, channels):
    path = tmp_path / "one.csv"
    path.write_bytes(text.encode("utf-8"))

    assert read_recording(path).channels == channels
    assert joined(path).tolist() == [[1, 2], [3, 4]]


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


@pytest.mark.parametrize("name", ["time", "TIME_S", "t", "Timestamp", "seconds"])
def test_a_time_column_gives_the_rate_wherever_it_stands(tmp_path, name):
    path = tmp_path / "one.csv"
    path.write_text(f"x,{name}\n1,10.00\n2,10.25\n3,10.50\n")

    recording = read_recording(path)

    assert recording.channels == ["x"]
    assert recording.sampling_rate_hz == 4


@pytest.mark.parametrize(
    ("rate_hz", "decimals"), [(2000, 4), (360, 3), (512, 3), (30, 3), (0.1, 0), (12.5, 2)]
)
def test_times_rounded_to_decimals_still_give_the_rate(tmp_path, rate_hz, decimals):
    path = tmp_path / "one.csv"
    rows = [f"{i / rate_hz:.{decimals}f},{i}" for i in range(400)]
    path.write_text("\n".join(["time,x", *rows]))

    assert joined(path)[:, 0].tolist() == list(range(400))
    assert read_recording(path).sampling_rate_hz == rate_hz
    with open_recording(path) as recording:
        assert recording.sampling_rate_hz == pytest.approx(rate_hz, rel=1 / BLOCK)


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
        (pd.Index(TIMES, name="time"), ["x", "y"], RATE_HZ),
        (pd.RangeIndex(10, 10 + 3 * len(SIGNAL), 3, name="t"), ["x", "y"], 1 / 3),
        (pd.RangeIndex(len(SIGNAL), name="sample"), ["sample", "x", "y"], None),
        (pd.RangeIndex(len(SIGNAL)), ["x", "y"], None),
        (pd.Index(np.arange(len(SIGNAL))[::-1]), ["x", "y"], None),
    ],
)
def test_a_named_index_of_pandas_is_a_column(tmp_path, index, channels, rate_hz):
    path = tmp_path / "one.parquet"
    pd.DataFrame(SIGNAL, columns=["x", "y"], index=index).to_parquet(path)

    recording = read_recording(path)

    assert (recording.channels, recording.sampling_rate_hz) == (channels, rate_hz)
    np.testing.assert_array_equal(joined(path)[:, -2:], SIGNAL.astype(np.float32))


def test_the_time_for_a_wide_table_grows_with_its_width(tmp_path):
    path = tmp_path / "one.csv"
    values = np.arange(100_000).reshape(2, -1)
    np.savetxt(path, values, fmt="%d", delimiter=",", header="x" + ",x" * 49_999, comments="")

    since = time.process_time()
    recording = read_recording(path)

    assert time.process_time() - since < 10  # 0.5; minutes where each column looks at all others
    assert recording.channels[-1] == "x.50000"
    np.testing.assert_array_equal(recording.signal, values)


# Arrays.


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

    with open_recording(path) as recording:
        assert {len(chunk) for chunk in recording.samples()} == {3, 2}


def test_hdf5_chunks_too_large_for_bounded_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.hdf5_dataset.CACHE_BYTES", 200)
    path = tmp_path / "one.h5"
    write_hdf5(path)

    assert "its HDF5 chunks have the shape (30, 1)" in refusal_of_chunks(path)
    np.testing.assert_array_equal(read_recording(path).signal, SIGNAL.astype(np.float32))


def test_the_attribute_of_the_dataset_comes_before_that_of_the_file(tmp_path):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["signal"], file["other"] = SIGNAL, SIGNAL
        file["signal"].attrs["sampling_rate_hz"] = 10
        file.attrs["sampling_rate_hz"] = 20

    assert read_recording(tmp_path / "one.h5").sampling_rate_hz == 10


# Formats that name their signals.


def test_an_edf_file_of_mixed_rates_is_read_for_channels_of_one_rate(tmp_path):
    path = tmp_path / "night.edf"
    with pyedflib.EdfWriter(str(path), 2, file_type=pyedflib.FILETYPE_EDF) as file:
        file.setSignalHeaders([edf_channel("EEG", 100, "uV"), edf_channel("Temp", 1, "degC")])
        file.writeSamples([np.zeros(300), np.zeros(3)])

    message = refusal(path)
    recording = read_recording(path, ["EEG"])

    assert "mixed rates: 'EEG' at 100 Hz, 'Temp' at 1 Hz" in message
    assert "`channels`" in message
    assert recording.signal.shape == (300, 1)
    assert (recording.units, recording.sampling_rate_hz) == (["uV"], 100)


def test_repeated_labels_of_an_edf_file_are_numbered(tmp_path):
    path = tmp_path / "one.edf"
    with pyedflib.EdfWriter(str(path), 2, file_type=pyedflib.FILETYPE_EDF) as file:
        file.setSignalHeaders([edf_channel("T8-P8"), edf_channel("T8-P8")])
        file.writeSamples([np.zeros(100), np.ones(100)])

    assert read_recording(path, ["T8-P8.2"]).signal.min() == pytest.approx(1, abs=1e-4)


def test_a_wfdb_record_names_its_signal_file_and_refuses_a_short_one(tmp_path):
    path = tmp_path / "one.hea"
    write_wfdb(path)
    data = tmp_path / "one.dat"

    assert read_recording(path).files == [path, data]
    data.write_bytes(data.read_bytes()[:-40])
    assert str(path) in refusal(path)
    data.unlink()
    message = refusal(path)
    assert "'one.dat'" in message
    assert "beside the header" in message


def test_a_wfdb_signal_file_outside_of_the_folder_is_refused(tmp_path):
    path = tmp_path / "inner" / "one.hea"
    path.parent.mkdir()
    write_wfdb(path)
    (tmp_path / "inner" / "one.dat").rename(tmp_path / "one.dat")
    path.write_text(path.read_text().replace("one.dat", "../one.dat"))

    refusal(path)


def test_a_wfdb_record_of_segments_is_refused(tmp_path):
    (tmp_path / "all.hea").write_text("all/2 2 50 200\none 100\ntwo 100\n")

    assert "segments" in refusal(tmp_path / "all.hea")


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

    signal = joined(path, channels=["x"])

    expected = np.arange(3 * n_frames).reshape(-1, 3)[:, :2].ravel()
    assert signal[:, 0].tolist() == expected.tolist()
    assert read_recording(path, ["x"]).sampling_rate_hz == 20


def test_wfdb_records_that_cannot_be_read_in_pieces_are_read_whole_alone(tmp_path):
    path = tmp_path / "one.hea"
    write_frames(path, 40, "")

    assert len(read_recording(path, ["x"]).signal) == 80
    assert "behind the rate" in refusal_of_chunks(path, channels=["x"])

    (tmp_path / "one.dat").write_bytes(np.ones(40, dtype=np.int8).tobytes())
    path.write_text("one 1 10 40\none.dat 8 1/mV 16 0 0 0 0 x\n")

    assert read_recording(path).signal[:, 0].tolist() == list(range(1, 41))
    assert "format 16" in refusal_of_chunks(path)


def test_a_short_wfdb_signal_file_is_found_when_its_end_is_reached(tmp_path):
    path = tmp_path / "one.hea"
    write_wfdb(path)
    data = tmp_path / "one.dat"
    data.write_bytes(data.read_bytes()[:-40])

    samples, message = before_refusal(path)

    assert len(samples) == 182  # of 190
    assert "cut short" in message


# All formats.


@pytest.mark.parametrize(
    ("suffix", "write", "problem", "hint"),
    [
        (".npy", lambda p: np.save(p, SIGNAL.astype(object)), "pickle", "np.save"),
        (".npy", lambda p: np.save(p, SIGNAL.astype(str)), "not numbers", "plain numbers"),
        (".npy", lambda p: np.save(p, SIGNAL.astype(complex)), "not numbers", "plain numbers"),
        (".npy", lambda p: np.save(p, np.zeros((2, 2, 2))), "(2, 2, 2)", "n_samples"),
        (".npy", lambda p: np.save(p, np.float64(1)), "shape ()", "n_samples"),
        (".npy", lambda p: np.save(p, np.zeros((0, 2))), "no samples", "remove"),
        (".npy", lambda p: np.save(p, np.zeros(0)), "no samples", "remove"),
        (".npy", lambda p: np.save(p, np.zeros((2, 0))), "no channels", "remove"),
        (".npy", lambda p: np.save(p, [[0, 1], [2, np.nan]]), "row 2, column 'ch1'", "fill"),
        (".npy", lambda p: np.save(p, [[0, 1], [-np.inf, 0]]), "row 2, column 'ch0'", "fill"),
        (".npy", lambda p: np.save(p, [0, 1e300]), "1e+300", "fill"),
        (
            ".npy",
            lambda p: np.save(p, np.zeros((1, 70_000))),
            "channels",
            "(n_samples, n_channels)",
        ),
        (".npy", lambda p: p.write_bytes(b"\x80\x04K\x01."), "pickle", "np.save"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=np.array({})), "pickle", "save"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, b=SIGNAL), "arrays a, b", "'signal'"),
        (".npz", lambda p: np.savez(p), "no array", "'signal'"),
        (".npz", lambda p: np.savez(p, a=SIGNAL.astype(object)), "pickle", "np.savez"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=0.0), "0 Hz", "correct"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz="fast"), "rate_hz", "store"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=[1, 2]), "rate_hz", "store"),
        (".parquet", lambda p: pd.DataFrame({"x": ["a"]}).to_parquet(p), "column 'x'", "convert"),
        (".csv", lambda p: p.write_text("time,ax\n"), "no samples", "add rows"),
        (
            ".parquet",
            lambda p: pd.DataFrame({"x": []}, dtype=float).to_parquet(p),
            "no samples",
            "",
        ),
        (".parquet", lambda p: pd.DataFrame({"x": [1, None]}).to_parquet(p), "row 2", "fill"),
        (".parquet", lambda p: pd.DataFrame({"t": [1, 1], "x": 0}).to_parquet(p), "row 2", "grid"),
        (".hea", lambda p: p.write_text("one 0 50 10\n"), "no channels", "add"),
        (".xlsx", lambda p: p.write_bytes(b""), "'.xlsx'", "convert it to one of .csv"),
        (".csv", lambda p: p.mkdir(), "no such file", "restore"),
    ],
)
def test_contents_that_are_no_recording_are_refused(tmp_path, suffix, write, problem, hint):
    path = tmp_path / f"one{suffix}"
    write(path)

    message = refusal(path)

    assert problem in message
    assert hint in message


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed")
@pytest.mark.parametrize("suffix", FORMATS)
def test_files_are_closed_wherever_reading_stops(tmp_path, suffix):
    path = tmp_path / f"one{suffix}"
    FORMATS[suffix][0](path)
    joined(path)
    open_before = n_open_files()

    for n_read in (0, 2):
        with open_recording(path) as recording:
            chunks = recording.samples()
            for _ in range(n_read):
                next(chunks)
        assert n_open_files() == open_before
    refusal(path, channels=["unknown"])
    assert n_open_files() == open_before


MEASURE = """
import resource, sys
from pathlib import Path
import numpy as np
from seqbench.datasets.reading.recording import open_recording

def walk(path):
    with open_recording(Path(path)) as recording:
        return sum(len(chunk) for chunk in recording.samples())

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
