"""Every format gives back what was written, whole and in blocks, and no damage passes unnoticed."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import READERS, open_recording, read_recording

HAVE_UNITS = (".edf", ".bdf", ".hea", ".tdms", ".xdf")
TEXT = (".csv", ".txt")
HAVE_NAMES = (*TEXT, ".parquet", ".mseed", *HAVE_UNITS)


def names_of(suffix: str) -> list[str]:
    return ["ax", "ay"] if suffix in HAVE_NAMES else ["ch0", "ch1"]


def precision_of(suffix: str) -> float:
    return 1e-4 if suffix in (".edf", ".hea") else 1e-6  # of 16 bits


@pytest.mark.parametrize("suffix", READERS)
def test_a_recording_survives_the_round_trip(write, signal, block, suffix):
    path = write(suffix)

    whole = read_recording(path)
    with open_recording(path) as recording:
        blocks = list(recording.samples())

    for read in (whole, recording):
        assert read.channels == names_of(suffix)
        assert read.units == (["g", "g"] if suffix in HAVE_UNITS else ["", ""])
        assert read.sampling_rate_hz == (None if suffix == ".npy" else 50)
    assert whole.files[0] == path
    assert recording.n_samples == (None if suffix in TEXT else len(signal))
    assert whole.signal.dtype == blocks[0].dtype == np.float32
    assert all(0 < len(of_block) <= block for of_block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), whole.signal)
    np.testing.assert_allclose(whole.signal, signal, atol=precision_of(suffix))


@pytest.mark.parametrize("suffix", READERS)
def test_names_of_files_and_folders_may_have_spaces_and_any_script(write, joined, signal, suffix):
    path = write(suffix)
    folder = path.parent / "Türme und 鐘"
    folder.mkdir()
    for file in path.parent.glob("one.*"):
        file.rename(folder / file.name)

    path = (folder / path.name).rename(folder / f"große Glocke{suffix}")

    assert joined(path).shape == signal.shape


@pytest.mark.parametrize("suffix", READERS)
def test_channels_are_selected_and_ordered_by_name(write, joined, refusal, signal, suffix):
    names, precision = names_of(suffix), precision_of(suffix)
    path = write(suffix)

    assert read_recording(path, names[::-1]).channels == names[::-1]
    np.testing.assert_allclose(joined(path, names[::-1]), signal[:, ::-1], atol=precision)
    assert joined(path, names[1:]).shape == (len(signal), 1)
    assert f"did you mean '{names[0]}'?" in refusal(path, [names[0] + "z"])
    assert "name each channel once" in refusal(path, [names[0]] * 2)


@pytest.mark.filterwarnings("ignore:Failed to decode .* code as ASCII")  # of miniSEED
@pytest.mark.parametrize("n_lost", [1, 8, 40])
@pytest.mark.parametrize("suffix", [".mseed", ".xdf"])  # others: where their headers are tested
def test_a_file_that_lacks_its_end_is_cut_short(write, refusal, suffix, n_lost):
    path = write(suffix)
    path.write_bytes(path.read_bytes()[:-n_lost])

    assert "cut short" in refusal(path)


@pytest.mark.parametrize("suffix", READERS)
def test_damaged_files_are_refused_or_read_but_never_crash(write, joined, suffix):
    rng = np.random.default_rng(1)
    path = write(suffix)
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
        with suppress(DataError):
            joined(path)


@pytest.mark.parametrize("suffix", sorted({*READERS} - {*TEXT, ".hea", ".mseed"}))
def test_a_file_cut_in_half_is_refused(write, refusal_of_blocks, suffix):
    path = write(suffix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(DataError, match=r"write the|save"):
        read_recording(path)
    refusal_of_blocks(path)


@pytest.mark.parametrize("suffix", sorted({*READERS} - {".edf", ".bdf", ".flac"}))
def test_a_value_that_is_not_finite_is_found_when_it_is_reached(
    write, before_refusal, refusal, signal, block, suffix
):
    whole = read_recording(write(suffix)).signal
    signal[150, 1] = np.nan
    path = write(suffix, signal)

    samples, message = before_refusal(path)

    np.testing.assert_array_equal(samples, whole[: 150 // block * block])
    row = 152 if suffix in TEXT else 151
    assert f"row {row}, column '{names_of(suffix)[1]}'" in message
    assert refusal(path) == message


@pytest.mark.parametrize(
    ("suffix", "write", "problem", "hint"),
    [
        (".npy", lambda p: np.save(p, np.ones((9, 2)).astype(object)), "pickle", "np.save"),
        (".npy", lambda p: np.save(p, np.ones((9, 2)).astype(str)), "not numbers", "plain numbers"),
        (".npy", lambda p: np.save(p, np.zeros((2, 2, 2))), "(2, 2, 2)", "n_samples"),
        (".npy", lambda p: np.save(p, np.float64(1)), "shape ()", "n_samples"),
        (".npy", lambda p: np.save(p, np.zeros((0, 2))), "no samples", "remove"),
        (".npy", lambda p: np.save(p, np.zeros((2, 0))), "no channels", "remove"),
        (".npy", lambda p: np.save(p, [[0, 1], [2, np.nan]]), "row 2, column 'ch1'", "fill"),
        (".npy", lambda p: np.save(p, [0, 1e300]), "1e+300", "fill"),
        (".npy", lambda p: np.save(p, np.zeros((1, 70_000))), "channels", "(n_samples, "),
        (".npy", lambda p: p.write_bytes(b"\x80\x04K\x01."), "pickle", "np.save"),
        (
            ".npz",
            lambda p: np.savez(p, a=np.ones((9, 2)), sampling_rate_hz=np.array({})),
            "pickle",
            "save",
        ),
        (
            ".npz",
            lambda p: np.savez(p, a=np.ones((9, 2)), b=np.ones((9, 2))),
            "arrays a, b",
            "'signal'",
        ),
        (".npz", lambda p: np.savez(p), "no array", "'signal'"),
        (".npz", lambda p: np.savez(p, a=np.ones((9, 2)).astype(object)), "pickle", "np.savez"),
        (".npz", lambda p: np.savez(p, a=np.ones((9, 2)), sampling_rate_hz=0.0), "0 Hz", "correct"),
        (
            ".npz",
            lambda p: np.savez(p, a=np.ones((9, 2)), sampling_rate_hz="fast"),
            "rate_hz",
            "store",
        ),
        (
            ".npz",
            lambda p: np.savez(p, a=np.ones((9, 2)), sampling_rate_hz=[1, 2]),
            "rate_hz",
            "store",
        ),
        (".parquet", lambda p: pd.DataFrame({"x": ["a"]}).to_parquet(p), "column 'x'", "convert"),
        (".csv", lambda p: p.write_text("time,ax\n"), "no samples", "add rows"),
        (".parquet", lambda p: pd.DataFrame({"x": [1, None]}).to_parquet(p), "row 2", "fill"),
        (".parquet", lambda p: pd.DataFrame({"t": [1, 1], "x": 0}).to_parquet(p), "row 2", "grid"),
        (".hea", lambda p: p.write_text("one 0 50 10\n"), "no channels", "add"),
        (".xlsx", lambda p: p.write_bytes(b""), "'.xlsx'", "convert it to one of .csv"),
        (".csv", lambda p: p.mkdir(), "no such file", "restore"),
    ],
)
def test_contents_that_are_no_recording_are_refused(
    tmp_path, refusal, suffix, write, problem, hint
):
    path = tmp_path / f"one{suffix}"
    write(path)

    message = refusal(path)

    assert problem in message
    assert hint in message


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed")
@pytest.mark.parametrize("suffix", READERS)
def test_files_are_closed_wherever_reading_stops(write, joined, refusal, suffix):
    path = write(suffix)
    joined(path)
    open_before = n_open_files()

    for n_read in (0, 2):
        with open_recording(path) as recording:
            blocks = recording.samples()
            for _ in range(n_read):
                next(blocks)
        assert n_open_files() == open_before
    refusal(path, ["unknown"])
    assert n_open_files() == open_before
