"""A file that is missing, cut short or something else is refused in a sentence that names it."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from seqbench.errors import DamagedError, FormatError
from seqbench.storage import predictions, recordings, windows
from seqbench.storage.hdf5 import writing
from seqbench.storage.model_header import EncoderHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.predictions import Predictions, read_predictions, write_predictions
from seqbench.storage.recordings import read_recordings, write_recordings
from seqbench.storage.records import PretrainingOutcome
from seqbench.storage.windows import SPLITS, read_windows

ENCODER = EncoderHeader(architecture="cnn1d", pretraining=PretrainingOutcome(objective="masked"))
READERS: dict[str, Callable[[Path], object]] = {
    "recordings": read_recordings,
    "windows": lambda path: [read_windows(path, split) for split in SPLITS],
    "predictions": lambda path: read_predictions(path, "test"),
    "model": read_model,
}

VERSIONS = {module.KIND: module.VERSION for module in (predictions, recordings, windows)}


@pytest.fixture
def write(recordings, make_windows):
    """Write a good file of each kind."""

    def good(kind: str, path: Path) -> None:
        if kind == "recordings":
            write_recordings(path, recordings(["a", "b"]))
        elif kind == "windows":
            make_windows(path)
        elif kind == "predictions":
            test = make_windows()["test"]
            scores = np.full((len(test), 2), 0.5)
            write_predictions(path, {"test": Predictions.of(test, scores, are_probabilities=True)})
        else:
            write_model(path, StoredModel({"weight": np.ones((20, 20))}, ENCODER))

    return good


@pytest.fixture(params=list(READERS))
def kind(request):
    return request.param


def assert_refused(kind: str, path: Path, error: type[FormatError] = FormatError) -> str:
    with pytest.raises(FormatError) as caught:
        READERS[kind](path)
    assert type(caught.value) is error or error is FormatError
    assert str(path) in str(caught.value)
    assert "delete" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file(kind, tmp_path):
    assert "no such file" in assert_refused(kind, tmp_path / "nowhere")


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99, 1.01])
def test_a_file_that_is_cut_short(kind, write, tmp_path, part):
    path = tmp_path / "file"
    write(kind, path)
    content = path.read_bytes()
    path.write_bytes((content + bytes(5000))[: int(part * len(content))])

    assert_refused(kind, path, DamagedError)


@pytest.mark.parametrize("content", [b"no such format, but a text\n" * 100, b"\0" * 5000])
def test_a_file_of_another_format(kind, tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    assert_refused(kind, tmp_path / "file")


def test_a_folder_in_place_of_a_file(kind, tmp_path):
    (tmp_path / "file").mkdir()

    assert "is a folder, not a seqbench" in assert_refused(kind, tmp_path / "file")


def test_a_pipe_in_place_of_a_file_is_not_opened(kind, tmp_path):
    os.mkfifo(tmp_path / "file")

    assert "is a pipe or device" in assert_refused(kind, tmp_path / "file")


@pytest.mark.parametrize("other", list(READERS))
def test_a_file_of_another_kind(kind, write, tmp_path, other):
    if other == kind:
        return
    write(other, tmp_path / "file")

    sentence = assert_refused(kind, tmp_path / "file")

    named = "a safetensors file" if other == "model" else f"a seqbench {other} file"
    assert f"is {named}" in sentence
    assert f"not a seqbench {kind} file" in sentence
    assert "damaged" not in sentence


@pytest.mark.parametrize(("kind", "version"), VERSIONS.items())
def test_a_file_of_another_version_is_refused_with_both(kind, version, tmp_path):
    with writing(tmp_path / "file", kind, 99):
        pass

    sentence = assert_refused(kind, tmp_path / "file", DamagedError)

    assert f"holds seqbench {kind} version 99, not seqbench {kind} version {version}" in sentence


def test_a_single_bit_that_flips_is_noticed_wherever_it_is(kind, write, tmp_path):
    path = tmp_path / "file"
    write(kind, path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    places = {0, 7, 8, 511, 512, len(whole) - 1, *rng.integers(len(whole), size=300).tolist()}

    for place in sorted(places & set(range(len(whole)))):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        assert_refused(kind, path)


@pytest.mark.parametrize("kind", [kind for kind in READERS if kind != "model"])
def test_a_checksum_is_computed_once_per_process(kind, write, tmp_path, monkeypatch):
    path, checked = tmp_path / "file", []
    write(kind, path)
    os.utime(path, ns=(0, 10**18))
    crc32 = zlib.crc32

    def counted(piece, start=0):
        checked.append(piece)
        return crc32(piece, start)

    monkeypatch.setattr(zlib, "crc32", counted)
    READERS[kind](path)
    n_checked = len(checked)
    for _ in range(2):
        READERS[kind](path)

    assert len(checked) == n_checked > 0
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)  # another time of change
    assert_refused(kind, path, DamagedError)


@pytest.mark.parametrize(("kind", "version"), VERSIONS.items())
def test_a_whole_file_without_what_it_should_hold(kind, version, tmp_path):
    with writing(tmp_path / "file", kind, version) as file:
        file["slabs/train"], file["test/nothing"] = [0, 1], [0]

    assert "cannot be read (KeyError" in assert_refused(kind, tmp_path / "file")


def test_hdf5_of_somebody_else(kind, tmp_path):
    with h5py.File(tmp_path / "file", "w") as file:
        file["signal"] = np.zeros(10)

    assert "an HDF5 file of other software" in assert_refused(kind, tmp_path / "file")


def test_safetensors_of_somebody_else(kind, tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(10)}, tmp_path / "file")

    assert_refused(kind, tmp_path / "file")
