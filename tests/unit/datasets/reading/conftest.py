"""A recording in every format, and what reading it gives, whole and in chunks."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyedflib
import pytest
import scipy.io
import soundfile
import wfdb

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import open_recording, read_recording

RATE_HZ = 50.0
BLOCK = 13  # samples, so that a short recording has many blocks
SIGNAL = np.column_stack([np.sin(np.arange(200) / 7), np.cos(np.arange(200) / 9)])


@pytest.fixture
def signal() -> np.ndarray:
    """Two channels of 200 samples, which `write` writes."""
    return SIGNAL.copy()


@pytest.fixture(autouse=True)
def block(monkeypatch) -> int:
    """Return the most samples of a block."""
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", BLOCK)
    return BLOCK


@pytest.fixture(autouse=True)
def _fast(monkeypatch) -> None:
    """Read small tables as large ones are read."""
    monkeypatch.setattr("seqbench.datasets.reading.csv_table.LEAST_FAST_BYTES", 0)


def write_csv(path: Path, signal: np.ndarray) -> None:
    frame = pd.DataFrame(signal, columns=["ax", "ay"])
    frame.insert(1, "time_s", [f"{t:.2f}" for t in np.arange(len(signal)) / RATE_HZ])
    frame.to_csv(path, index=False)


def write_parquet(path: Path, signal: np.ndarray) -> None:
    frame = pd.DataFrame(signal, columns=["ax", "ay"])
    frame.insert(0, "Time", np.arange(len(signal)) / RATE_HZ)
    frame.to_parquet(path, row_group_size=70)


def write_npz(path: Path, signal: np.ndarray) -> None:
    np.savez_compressed(path, signal=signal, weather=np.zeros(3), sampling_rate_hz=RATE_HZ)


def write_hdf5(path: Path, signal: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        chunks = (min(30, len(signal)), 1)
        file.create_dataset("tower", data=signal, chunks=chunks, compression="gzip")
        file.attrs["sampling_rate_hz"] = RATE_HZ


def write_mat(path: Path, signal: np.ndarray, version: str = "5") -> None:
    """Write what MATLAB's `save` does, or with its option -v7.3."""
    if version == "5":
        scipy.io.savemat(path, {"tower": signal, "fs": RATE_HZ, "note": "bells"})
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        columns = {"tower": signal.T, "fs": np.full((1, 1), RATE_HZ)}
        for name, values in columns.items():
            options = (
                {"chunks": (1, min(30, len(signal))), "compression": "gzip"}
                if name == "tower"
                else {}
            )
            file.create_dataset(name, data=values, **options)
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
        file["note"] = np.array([[98], [101]], dtype=np.uint16)
        file["note"].attrs["MATLAB_class"] = np.bytes_("char")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def write_audio(path: Path, signal: np.ndarray) -> None:
    subtype = "PCM_24" if path.suffix == ".flac" else "FLOAT"
    soundfile.write(path, signal, int(RATE_HZ), subtype=subtype)


def write_tdms(path: Path, signal: np.ndarray) -> None:
    nptdms = pytest.importorskip("nptdms")
    clock = {"wf_increment": 1 / RATE_HZ, "unit_string": "g"}
    with nptdms.TdmsWriter(str(path)) as file:
        for part in (signal[:90], signal[90:]):
            file.write_segment(
                [
                    nptdms.ChannelObject("tower", name, np.ascontiguousarray(column), clock)
                    for name, column in zip(["ax", "ay"], part.T, strict=True)
                ]
            )


def write_miniseed(path: Path, signal: np.ndarray) -> None:
    obspy = pytest.importorskip("obspy")
    traces = []
    for name, column in zip(["ax", "ay"], signal.T, strict=True):
        traces.append(obspy.Trace(np.ascontiguousarray(column)))
        traces[-1].stats.update({"station": "TOWER", "channel": name, "sampling_rate": RATE_HZ})
    obspy.Stream(traces).write(str(path), format="MSEED", reclen=512)


def xdf_chunk(tag: int, content: bytes) -> bytes:
    content = struct.pack("<H", tag) + content
    return b"\x04" + struct.pack("<I", len(content)) + content


def xdf_stream(
    number: int,
    values: np.ndarray,
    stamps: np.ndarray,
    *,
    name: str = "Tower",
    labels: Sequence[str] = ("ax", "ay"),
    rate_hz: float = RATE_HZ,
    n_counted: int | None = None,
) -> bytes:
    """Return the chunks of a stream of XDF, 20 samples each, and a footer if they are counted."""
    described = "".join(
        f"<channel><label>{label}</label><unit>g</unit></channel>" for label in labels
    )
    header = (
        f"<info><name>{name}</name><channel_count>{values.shape[1]}</channel_count>"
        f"<nominal_srate>{rate_hz}</nominal_srate><channel_format>double64</channel_format>"
        f"<desc><channels>{described}</channels></desc></info>"
    )
    identity = struct.pack("<I", number)
    chunks = xdf_chunk(2, identity + header.encode())
    for start in range(0, len(values), 20):
        rows = list(zip(stamps[start : start + 20], values[start : start + 20], strict=True))
        samples = b"".join(
            b"\x08" + struct.pack("<d", stamp) + row.tobytes() for stamp, row in rows
        )
        chunks += xdf_chunk(3, identity + b"\x04" + struct.pack("<I", len(rows)) + samples)
    if n_counted is not None:
        footer = f"<info><sample_count>{n_counted}</sample_count></info>"
        chunks += xdf_chunk(6, identity + footer.encode())
    return chunks


def write_xdf(path: Path, signal: np.ndarray) -> None:
    pytest.importorskip("pyxdf")
    stamps = 1000 + np.arange(len(signal)) / RATE_HZ
    head = b"XDF:" + xdf_chunk(1, b"<info><version>1.0</version></info>")
    path.write_bytes(head + xdf_stream(1, signal, stamps, n_counted=len(signal)))


def write_edf(path: Path, signal: np.ndarray) -> None:
    is_edf = path.suffix.lower() == ".edf"
    kind = pyedflib.FILETYPE_EDFPLUS if is_edf else pyedflib.FILETYPE_BDFPLUS
    range_24 = {"digital_min": -(1 << 23), "digital_max": (1 << 23) - 1}
    with pyedflib.EdfWriter(str(path), 2, file_type=kind) as file:
        for i, label in enumerate(["ax", "ay"]):
            file.setSignalHeader(i, EDF_CHANNEL | ({} if is_edf else range_24) | {"label": label})
        file.writeSamples([np.ascontiguousarray(column) for column in signal.T])
        file.writeAnnotation(0.5, 0.1, "strike")


def write_wfdb(path: Path, signal: np.ndarray, fmt: str = "16") -> None:
    wfdb.wrsamp(
        path.stem,
        fs=RATE_HZ,
        units=["g", "g"],
        sig_name=["ax", "ay"],
        p_signal=signal,
        fmt=[fmt, fmt],
        write_dir=str(path.parent),
    )


EDF_CHANNEL = {
    "dimension": "g",
    "sample_frequency": RATE_HZ,
    "physical_min": -1.0,
    "physical_max": 1.0,
    "digital_min": -32768,
    "digital_max": 32767,
    "transducer": "",
    "prefilter": "",
}
WRITERS: dict[str, Callable[..., None]] = {
    ".csv": write_csv,
    ".txt": write_csv,
    ".parquet": write_parquet,
    ".npy": np.save,
    ".npz": write_npz,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
    ".edf": write_edf,
    ".bdf": write_edf,
    ".hea": write_wfdb,
    ".mat": write_mat,
    ".wav": write_audio,
    ".flac": write_audio,
    ".tdms": write_tdms,
    ".mseed": write_miniseed,
    ".xdf": write_xdf,
}


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write `one` with a suffix, of the channels ax and ay where the format has names."""

    def call(suffix: str, signal: np.ndarray = SIGNAL, **options: str) -> Path:
        path = tmp_path / f"one{suffix}"
        WRITERS[suffix](path, signal, **options)
        return path

    return call


@pytest.fixture
def write_edf_signals(tmp_path) -> Callable[..., Path]:
    """Write an EDF file of constant signals: label, rate, unit, value."""

    def call(*signals: tuple[str, int, str, float], n_seconds: int = 3) -> Path:
        path = tmp_path / "night.edf"
        with pyedflib.EdfWriter(str(path), len(signals), file_type=pyedflib.FILETYPE_EDF) as file:
            for i, (label, rate_hz, unit, _) in enumerate(signals):
                changes = {"label": label, "sample_frequency": rate_hz, "dimension": unit}
                file.setSignalHeader(i, EDF_CHANNEL | changes)
            file.writeSamples([np.full(rate * n_seconds, value) for _, rate, _, value in signals])
        return path

    return call


def one_sentence(error: DataError, path: Path) -> str:
    message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert "; " in message  # the problem; the fix
    return message


def read_in_blocks(path: Path, channels: list[str] | None = None) -> np.ndarray:
    with open_recording(path, channels) as recording:
        signal = np.concatenate(list(recording.samples()))
    assert recording.n_samples in (None, len(signal))
    return signal


@pytest.fixture
def joined() -> Callable[..., np.ndarray]:
    """Return the signal, which is the same whole and in blocks."""

    def call(path: Path, channels: list[str] | None = None) -> np.ndarray:
        signal = read_in_blocks(path, channels)
        np.testing.assert_array_equal(signal, read_recording(path, channels).signal)
        return signal

    return call


@pytest.fixture
def refusal_of_blocks() -> Callable[..., str]:
    """Return the one sentence that refuses a file in blocks."""

    def call(path: Path, channels: list[str] | None = None) -> str:
        with pytest.raises(DataError) as caught:
            read_in_blocks(path, channels)
        return one_sentence(caught.value, path)

    return call


@pytest.fixture
def refusal(refusal_of_blocks) -> Callable[..., str]:
    """Return the one sentence that refuses a file, whole and in blocks."""

    def call(path: Path, channels: list[str] | None = None) -> str:
        with pytest.raises(DataError) as caught:
            read_recording(path, channels)
        assert refusal_of_blocks(path, channels) == str(caught.value)
        return str(caught.value)

    return call


@pytest.fixture
def before_refusal() -> Callable[[Path], tuple[np.ndarray, str]]:
    """Return the samples that come before the fault, and its message."""

    def call(path: Path) -> tuple[np.ndarray, str]:
        blocks: list[np.ndarray] = []
        with open_recording(path) as recording, pytest.raises(DataError) as caught:
            blocks.extend(recording.samples())
        return np.concatenate(blocks), one_sentence(caught.value, path)

    return call
