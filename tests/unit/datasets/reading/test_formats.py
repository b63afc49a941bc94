"""Every format gives back what was written, and no damage passes unnoticed."""

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
from seqbench.datasets.reading.recording import READERS, read_recording

RATE_HZ = 50.0
SIGNAL = np.column_stack([np.sin(np.arange(100) / 7), np.cos(np.arange(100) / 9)])


def write_csv(path: Path) -> None:
    times = np.arange(len(SIGNAL)) / RATE_HZ
    lines = ["time_s,ax,ay"] + [
        f"{t:.2f},{x!r},{y!r}" for t, (x, y) in zip(times, SIGNAL.tolist(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path) -> None:
    frame = pd.DataFrame(SIGNAL, columns=["ax", "ay"])
    frame.insert(0, "Time", np.arange(len(SIGNAL)) / RATE_HZ)
    frame.to_parquet(path)


def write_npy(path: Path) -> None:
    np.save(path, SIGNAL)


def write_npz(path: Path) -> None:
    np.savez(path, signal=SIGNAL, weather=np.zeros(3), sampling_rate_hz=RATE_HZ)


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["day/signal_of_one_tower"] = SIGNAL
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


def write_wfdb(path: Path) -> None:
    wfdb.wrsamp(
        path.stem,
        fs=RATE_HZ,
        units=["g", "g"],
        sig_name=["ax", "ay"],
        p_signal=SIGNAL,
        fmt=["16", "16"],
        write_dir=str(path.parent),
    )


# How to write a format, and what it can say: rate, names and units, precision.
FORMATS: dict[str, tuple[Callable[[Path], None], float | None, list[str], list[str], float]] = {
    ".csv": (write_csv, RATE_HZ, ["ax", "ay"], ["", ""], 1e-6),
    ".parquet": (write_parquet, RATE_HZ, ["ax", "ay"], ["", ""], 1e-6),
    ".npy": (write_npy, None, ["ch0", "ch1"], ["", ""], 1e-6),
    ".npz": (write_npz, RATE_HZ, ["ch0", "ch1"], ["", ""], 1e-6),
    ".h5": (write_hdf5, RATE_HZ, ["ch0", "ch1"], ["", ""], 1e-6),
    ".hdf5": (write_hdf5, RATE_HZ, ["ch0", "ch1"], ["", ""], 1e-6),
    ".edf": (write_edf, RATE_HZ, ["ax", "ay"], ["g", "g"], 1e-4),
    ".hea": (write_wfdb, RATE_HZ, ["ax", "ay"], ["g", "g"], 1e-4),
}


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read_recording(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert "; " in message  # what is wrong; how to mend it
    return message


def test_every_readable_format_is_tested():
    assert set(FORMATS) == set(READERS)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_recording_survives_the_round_trip(tmp_path, suffix):
    write, rate, channels, units, precision = FORMATS[suffix]
    path = tmp_path / f"one{suffix}"
    write(path)

    recording = read_recording(path)

    assert recording.signal.dtype == np.float32
    np.testing.assert_allclose(recording.signal, SIGNAL, atol=precision)
    assert recording.sampling_rate_hz == rate
    assert (recording.channels, recording.units) == (channels, units)
    assert recording.files[0] == path


@pytest.mark.parametrize("suffix", FORMATS)
def test_names_of_files_and_folders_may_have_spaces_and_any_script(tmp_path, suffix):
    (tmp_path / "Türme und 鐘").mkdir()
    FORMATS[suffix][0](tmp_path / "Türme und 鐘" / f"one{suffix}")
    path = tmp_path / "Türme und 鐘" / f"große Glocke{suffix}"
    path.with_name(f"one{suffix}").rename(path)

    assert read_recording(path).signal.shape == SIGNAL.shape


@pytest.mark.parametrize("suffix", FORMATS)
def test_channels_are_selected_and_ordered_by_name(tmp_path, suffix):
    write, _, channels, _, precision = FORMATS[suffix]
    path = tmp_path / f"one{suffix}"
    write(path)

    recording = read_recording(path, channels[::-1])

    assert recording.channels == channels[::-1]
    np.testing.assert_allclose(recording.signal, SIGNAL[:, ::-1], atol=precision)
    assert read_recording(path, channels[1:]).signal.shape == (len(SIGNAL), 1)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_unknown_channel_is_answered_with_the_nearest(tmp_path, suffix):
    write, _, channels, _, _ = FORMATS[suffix]
    path = tmp_path / f"one{suffix}"
    write(path)

    assert f"did you mean '{channels[0]}'?" in refusal(path, channels=[channels[0] + "z"])
    assert "name each channel once" in refusal(path, channels=[channels[0]] * 2)


@pytest.mark.parametrize("suffix", FORMATS)
def test_random_and_damaged_files_are_refused_or_read_but_never_crash(tmp_path, suffix):
    rng = np.random.default_rng(0)
    path = tmp_path / f"one{suffix}"
    FORMATS[suffix][0](path)
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
        with suppress(DataError):
            assert np.isfinite(read_recording(path).signal).all()


@pytest.mark.parametrize("suffix", sorted({*FORMATS} - {".csv", ".hea"}))
def test_a_file_cut_in_half_is_refused(tmp_path, suffix):
    path = tmp_path / f"one{suffix}"
    FORMATS[suffix][0](path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert "write the" in refusal(path) or "save" in refusal(path)


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

    recording = read_recording(path)

    assert recording.channels == channels
    assert recording.signal.tolist() == [[1, 2], [3, 4]]


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

    assert read_recording(path).sampling_rate_hz == rate_hz


def test_a_column_that_is_asked_for_is_no_clock(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("T,x\n20,1\n19,2\n")

    recording = read_recording(path, ["x", "T"])

    assert recording.signal.tolist() == [[1, 20], [2, 19]]
    assert recording.sampling_rate_hz is None


def test_a_column_that_is_not_asked_for_may_hold_text(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text('x,note,y\n1,"calm, sunny",2\n3,,4\n')

    assert read_recording(path, ["y"]).signal.tolist() == [[2], [4]]


def test_a_time_index_of_pandas_is_the_clock(tmp_path):
    index = pd.Index([0.0, 0.5, 1.0], name="time")
    pd.DataFrame({"x": [1, 2, 3]}, index=index).to_parquet(tmp_path / "one.parquet")

    recording = read_recording(tmp_path / "one.parquet")

    assert (recording.channels, recording.sampling_rate_hz) == (["x"], 2)


@pytest.mark.parametrize("dtype", ["bool", "int16", "uint8", "float16", "float32", ">f8"])
def test_plain_arrays_of_any_number_type_are_read(tmp_path, dtype):
    np.save(tmp_path / "one.npy", np.array([0, 1, 1], dtype=dtype))

    assert read_recording(tmp_path / "one.npy").signal.tolist() == [[0], [1], [1]]


def test_the_attribute_of_the_dataset_comes_before_that_of_the_file(tmp_path):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["signal"], file["other"] = SIGNAL, SIGNAL
        file["signal"].attrs["sampling_rate_hz"] = 10
        file.attrs["sampling_rate_hz"] = 20

    assert read_recording(tmp_path / "one.h5").sampling_rate_hz == 10


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


def test_a_wfdb_sample_marked_as_missing_is_named(tmp_path):
    signal = SIGNAL.copy()
    signal[41, 1] = np.nan
    wfdb.wrsamp(
        "one",
        fs=50,
        units=["g", "g"],
        sig_name=["ax", "ay"],
        p_signal=signal,
        fmt=["16", "16"],
        write_dir=str(tmp_path),
    )

    assert "row 42, column 'ay'" in refusal(tmp_path / "one.hea")


def test_a_wfdb_record_of_segments_is_refused(tmp_path):
    (tmp_path / "all.hea").write_text("all/2 2 50 200\none 100\ntwo 100\n")

    assert "segments" in refusal(tmp_path / "all.hea")


def test_samples_within_a_wfdb_frame_are_all_kept(tmp_path):
    samples = np.arange(8, dtype="<i2")
    (tmp_path / "one.dat").write_bytes(samples.tobytes())
    path = tmp_path / "one.hea"
    path.write_text("one 1 10 4\none.dat 16x2 1/mV 16 0 0 0 0 x\n")

    recording = read_recording(path)

    assert recording.signal[:, 0].tolist() == samples.tolist()
    assert (recording.sampling_rate_hz, recording.units) == (20, ["mV"])


@pytest.mark.parametrize(
    ("suffix", "write", "problem", "mend"),
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
        (".npz", lambda p: np.savez(p, a=SIGNAL, b=SIGNAL), "arrays a, b", "'signal'"),
        (".npz", lambda p: np.savez(p), "no array", "'signal'"),
        (".npz", lambda p: np.savez(p, a=SIGNAL.astype(object)), "pickle", "np.savez"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=0.0), "0 Hz", "correct"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz="fast"), "rate_hz", "store"),
        (".npz", lambda p: np.savez(p, a=SIGNAL, sampling_rate_hz=[1, 2]), "rate_hz", "store"),
        (".parquet", lambda p: pd.DataFrame({"x": ["a"]}).to_parquet(p), "column 'x'", "convert"),
        (".parquet", lambda p: pd.DataFrame({"x": [1, None]}).to_parquet(p), "row 2", "fill"),
        (".parquet", lambda p: pd.DataFrame({"t": [1, 1], "x": 0}).to_parquet(p), "row 2", "grid"),
        (".hea", lambda p: p.write_text("one 0 50 10\n"), "no channels", "add"),
        (".xlsx", lambda p: p.write_bytes(b""), "'.xlsx'", "convert it to one of .csv"),
        (".csv", lambda p: p.mkdir(), "no such file", "restore"),
    ],
)
def test_contents_that_are_no_recording_are_refused(tmp_path, suffix, write, problem, mend):
    path = tmp_path / f"one{suffix}"
    write(path)

    message = refusal(path)

    assert problem in message
    assert mend in message
