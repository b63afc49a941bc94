"""Formats that name their signals: EDF and WFDB."""

from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.reading.recording import read_recording


def test_an_edf_file_of_mixed_rates_is_read_for_channels_of_one_rate(write_edf_signals, refusal):
    path = write_edf_signals(("EEG", 100, "uV", 0), ("Temp", 1, "degC", 0))

    message = refusal(path)
    recording = read_recording(path, ["EEG"])

    assert "mixed rates: 'EEG' at 100 Hz, 'Temp' at 1 Hz" in message
    assert "`channels`" in message
    assert recording.signal.shape == (300, 1)
    assert (recording.units, recording.sampling_rate_hz) == (["uV"], 100)


def test_repeated_labels_of_an_edf_file_are_numbered(write_edf_signals):
    path = write_edf_signals(("T8-P8", 50, "g", 0), ("T8-P8", 50, "g", 1))

    assert read_recording(path, ["T8-P8.2"]).signal.min() == pytest.approx(1, abs=1e-4)


def test_a_wfdb_record_names_its_signal_file_and_refuses_a_short_one(
    write, refusal, before_refusal
):
    path = write(".hea")
    data = path.with_suffix(".dat")

    assert read_recording(path).files == [path, data]
    data.write_bytes(data.read_bytes()[:-40])
    refusal(path)
    samples, message = before_refusal(path)
    assert len(samples) == 182  # of 190
    assert "cut short" in message
    data.unlink()
    message = refusal(path)
    assert "'one.dat'" in message
    assert "beside the header" in message


def test_a_wfdb_signal_file_outside_of_the_folder_is_refused(write, refusal):
    path = write(".hea")
    (path.parent / "inner").mkdir()
    inner = path.rename(path.parent / "inner/one.hea")
    inner.write_text(inner.read_text().replace("one.dat", "../one.dat"))

    refusal(inner)


def test_a_wfdb_record_of_segments_is_refused(tmp_path, refusal):
    (tmp_path / "all.hea").write_text("all/2 2 50 200\none 100\ntwo 100\n")

    assert "segments" in refusal(tmp_path / "all.hea")


@pytest.mark.parametrize("fmt", ["80", "212", "16", "24", "32"])
def test_wfdb_formats_are_cut_anywhere(write, joined, signal, fmt):
    np.testing.assert_allclose(joined(write(".hea", fmt=fmt)), signal, atol=0.02)


def write_frames(path: Path, n_frames: int, length: str) -> None:
    """Write a record of two channels, of which one has two samples a frame."""
    path.with_suffix(".dat").write_bytes(np.arange(3 * n_frames, dtype="<i2").tobytes())
    lines = [f"one 2 10{length}", "one.dat 16x2 1/mV 16 0 0 0 0 x", "one.dat 16 1/mV 16 0 0 0 0 y"]
    path.write_text("\n".join([*lines, ""]))


@pytest.mark.parametrize(("n_frames", "length"), [(40, " 40"), (12, " 12"), (12, "")])
def test_all_samples_of_wfdb_frames_are_read(tmp_path, joined, n_frames, length):
    path = tmp_path / "one.hea"
    write_frames(path, n_frames, length)

    signal = joined(path, ["x"])

    expected = np.arange(3 * n_frames).reshape(-1, 3)[:, :2].ravel()
    assert signal[:, 0].tolist() == expected.tolist()
    assert read_recording(path, ["x"]).sampling_rate_hz == 20


def test_wfdb_records_that_cannot_be_read_in_pieces_are_read_whole_alone(
    tmp_path, refusal_of_blocks
):
    path = tmp_path / "one.hea"
    write_frames(path, 40, "")

    assert len(read_recording(path, ["x"]).signal) == 80
    assert "behind the rate" in refusal_of_blocks(path, ["x"])

    (tmp_path / "one.dat").write_bytes(np.ones(40, dtype=np.int8).tobytes())
    path.write_text("one 1 10 40\none.dat 8 1/mV 16 0 0 0 0 x\n")

    assert read_recording(path).signal[:, 0].tolist() == list(range(1, 41))
    assert "format 16" in refusal_of_blocks(path)


def write_late(path: Path, length: str, fmt: str) -> None:
    """Write a record of two counters, of which y is 5 frames late."""
    signals = np.column_stack([np.arange(40), np.arange(40) - 5])
    path.with_suffix(".dat").write_bytes(signals.astype("i1" if fmt == "8" else "<i2").tobytes())
    signals_text = [f"one.dat {fmt}{late} 1/mV 16 0 0 0 0 x" for late in ("", ":5")]
    path.write_text("\n".join([f"one 2 10{length}", *signals_text, ""]))


def test_a_late_signal_is_aligned_and_the_record_ends_where_it_does(tmp_path, joined):
    path = tmp_path / "one.hea"
    write_late(path, " 40", "16")

    assert joined(path).tolist() == [[i, i] for i in range(35)]
    assert len(joined(path, ["x"])) == 40

    write_late(path, "", "16")
    assert read_recording(path).signal.tolist() == [[i, i] for i in range(35)]


def test_a_late_signal_of_differences_is_refused(tmp_path, refusal):
    write_late(tmp_path / "one.hea", " 40", "8")

    assert "write the record in format 16" in refusal(tmp_path / "one.hea")


@pytest.mark.parametrize("name", ["one.mat", "one.xyz", "other.d"])
def test_signal_files_have_any_suffix_and_bytes_before_the_samples(tmp_path, joined, name):
    (tmp_path / name).write_bytes(bytes(24) + np.arange(40, dtype="<i2").tobytes())
    path = tmp_path / "one.hea"
    path.write_text(
        f"one 2 10 20\n{name} 16+24 1/mV 16 0 0 0 0 x\n{name} 16+24 1/mV 16 0 0 0 0 y\n"
    )

    assert joined(path).tolist() == np.arange(40).reshape(20, 2).tolist()


@pytest.mark.parametrize("fmt", ["80", "212", "16", "24", "32"])
def test_wfdb_samples_behind_the_count_of_the_header_are_refused(write, refusal, fmt):
    path = write(".hea", fmt=fmt)
    path.write_text(path.read_text().replace(" 200", " 190", 1))

    message = refusal(path)

    assert "'one.dat' holds 200 samples of each signal, but it counts 190" in message
    assert "first line" in message


def test_a_wfdb_header_in_capitals_names_the_fix(write, refusal):
    path = write(".hea")

    assert "rename it to .hea" in refusal(path.rename(path.with_suffix(".HEA")))


def test_a_wfdb_signal_named_as_no_signal_is_read_by_name_alone(write, refusal, joined):
    path = write(".hea")
    path.write_text(path.read_text().replace(" ax", " Time"))

    assert "'Time' holds times" in refusal(path)
    assert joined(path, ["ay"]).shape == (200, 1)


def test_a_wfdb_header_with_a_micro_sign_is_refused_as_wfdb_makes_volts_of_it(write, refusal):
    path = write(".hea")
    path.write_text(path.read_text().replace("/g", "/µg"), encoding="utf-8")

    assert "row 2: WFDB leaves out what is not ASCII; write ASCII, such as uV" in refusal(path)
    path.write_text(path.read_text(encoding="utf-8").replace("µ", "u") + "# Glocke für Köln\n")
    assert read_recording(path).units == ["ug", "ug"]
