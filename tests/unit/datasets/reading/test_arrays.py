"""Arrays of NumPy and HDF5."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyedflib
import pytest
import scipy.io
import soundfile

from seqbench.datasets.reading.recording import open_recording, read_recording


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_either_order_and_any_number_type_are_read(tmp_path, joined, save, dtype, order):
    path = tmp_path / ("one.npy" if save is np.save else "one.npz")
    array = np.asarray(np.arange(300).reshape(100, 3) * 37 % 97, dtype=dtype, order=order)
    save(path, array)

    np.testing.assert_array_equal(joined(path), array.astype(np.float32))
    np.testing.assert_array_equal(joined(path, ["ch2", "ch0"]), array[:, [2, 0]].astype(np.float32))


@pytest.mark.parametrize("shape", [(3, 400), (1, 400), (2, 3)])
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5"])
def test_channels_x_samples_are_refused_unless_all_channels_are_named(
    tmp_path, refusal, joined, suffix, shape
):
    path = tmp_path / f"one{suffix}"
    array = np.arange(float(np.prod(shape))).reshape(shape)
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["signal"] = array
    else:
        {".npy": np.save, ".npz": np.savez}[suffix](path, array)
    names = [f"ch{i}" for i in range(shape[1])]

    for requested in (None, names[:2]):
        message = refusal(path, requested)
        assert f"shape {shape} has fewer samples than channels" in message
        assert "transpose" in message
    np.testing.assert_array_equal(joined(path, names), array)


def test_more_channels_make_shorter_blocks(write, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_CELLS", 6)

    with open_recording(write(".npy")) as recording:
        assert {len(chunk) for chunk in recording.samples()} == {3, 2}


def test_hdf5_chunks_too_large_for_bounded_memory_are_refused(
    write, refusal_of_blocks, signal, monkeypatch
):
    monkeypatch.setattr("seqbench.datasets.reading.hdf5_dataset.CACHE_BYTES", 200)
    path = write(".h5")

    assert "its HDF5 chunks have the shape (30, 1)" in refusal_of_blocks(path)
    np.testing.assert_array_equal(read_recording(path).signal, signal.astype(np.float32))


def test_the_attribute_of_the_dataset_comes_before_that_of_the_file(tmp_path, signal):
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["signal"], file["other"] = signal, signal
        file["signal"].attrs["sampling_rate_hz"] = 10
        file.attrs["sampling_rate_hz"] = 20

    assert read_recording(tmp_path / "one.h5").sampling_rate_hz == 10


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


def write_long(path: Path, n_samples: int, order: str) -> None:
    """Write six channels of zeros: 24 bytes a sample, 12 in EDF and WAV."""
    if path.suffix == ".wav":
        soundfile.write(path, np.zeros((n_samples, 6), dtype=np.int16), 1000)
    elif path.suffix == ".edf":
        channel = {"sample_frequency": 1000, "physical_min": -1, "physical_max": 1,
                   "digital_min": -32768, "digital_max": 32767, "dimension": "",
                   "transducer": "", "prefilter": ""}  # fmt: skip
        with pyedflib.EdfWriter(str(path), 6) as file:
            file.setSignalHeaders([channel | {"label": f"c{i}"} for i in range(6)])
            file.writeSamples([np.zeros(n_samples)] * 6)
    else:
        signal = np.zeros((n_samples, 6), dtype=np.float32, order=order)
        np.save(path, signal) if path.suffix == ".npy" else np.savez(path, signal=signal)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux")
@pytest.mark.parametrize(
    ("suffix", "order"),
    [(".npy", "C"), (".npy", "F"), (".npz", "F"), (".edf", "C"), (".wav", "C")],
)
def test_memory_does_not_grow_with_the_recording(tmp_path, suffix, order):
    paths = [tmp_path / f"{name}{suffix}" for name in ("short", "long")]
    for path, n_samples in zip(paths, (200_000, 4_200_000), strict=True):
        write_long(path, n_samples, order)  # 5 and 100 MB

    result = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
    )

    n_read, growth_kib = map(int, result.stdout.split())
    assert n_read == 4_200_000
    assert growth_kib < 8_000


def write_arrays(path: Path, **arrays: np.ndarray | float) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    return path


SIGNAL = np.random.default_rng(0).normal(size=(60, 2))
CONTAINERS = [".npz", ".h5", ".mat"]


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("name", ["fs", "Fs", "sfreq", "srate", "sampling_rate", "sampleRate"])
def test_a_rate_beside_the_recording_is_known_by_its_usual_names(tmp_path, refusal, suffix, name):
    path = write_arrays(tmp_path / f"one{suffix}", x=SIGNAL, **{name: 50.0})

    assert read_recording(path).sampling_rate_hz == 50
    write_arrays(path, x=SIGNAL, **{name: 50.0}, sampling_rate_hz=60.0)
    assert "are both names of a sampling rate; keep one" in refusal(path)


def test_a_rate_among_the_attributes_of_hdf5_is_known_by_its_usual_names(tmp_path):
    path = write_arrays(tmp_path / "one.h5", x=SIGNAL)
    with h5py.File(path, "a") as file:
        file.attrs["fs"] = 40.0
    assert read_recording(path).sampling_rate_hz == 40
    with h5py.File(path, "a") as file:
        file["x"].attrs["sfreq"] = 50.0
    assert read_recording(path).sampling_rate_hz == 50


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("name", ["time", "t", "timestamps", "time_ms"])
def test_times_beside_the_recording_are_refused(tmp_path, refusal, suffix, name):
    path = write_arrays(tmp_path / f"one{suffix}", signal=SIGNAL, **{name: np.arange(60.0)})

    expected = f"beside 'signal' it holds times, '{name}', which are not read; write a table"
    assert expected in refusal(path)


@pytest.mark.parametrize("value", [2**60, -(2**60)])
@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_integers_that_double_precision_cannot_hold_are_refused(tmp_path, refusal, suffix, value):
    path = tmp_path / f"one{suffix}"
    counts = np.array([[1, 2], [3, value + 1]])
    if suffix == ".npy":
        np.save(path, counts)
    else:
        pd.DataFrame(counts, columns=["ch0", "ch1"]).to_parquet(path)

    expected = f"row 2, column 'ch1': double precision cannot hold the value {value + 1}; subtract"
    assert expected in refusal(path)
