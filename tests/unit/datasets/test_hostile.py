"""Files that were made or damaged to mislead: each is read as it stands, or refused in a sentence.

Nothing else may happen: no traceback of a library, no hang, no file beside the one that is named.
"""

import os
import zlib
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.datasets.reading.recording import read_recording
from seqbench.errors import FormatError
from seqbench.storage.kinds import BLOCK_BYTES
from seqbench.storage.windows import KIND, VERSION, read_windows

SIGNAL = np.arange(40, dtype=np.float32).reshape(20, 2) % 7
CHANGES = st.lists(
    st.tuples(st.integers(0, 4000), st.sampled_from([0, 1, 2, 4, 8, 127, 128, 254, 255])),
    min_size=1,
    max_size=6,
)


def changed(content: bytes, changes) -> bytes:
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    return bytes(damaged)


# HDF5 of a user.


@pytest.fixture(params=["contiguous", "chunked"])
def hdf5(tmp_path, request):
    path = tmp_path / "one.h5"
    options = {"chunks": (8, 2), "compression": "gzip"} if request.param == "chunked" else {}
    with h5py.File(path, "w") as file:
        file.create_dataset("signal", data=SIGNAL, **options)
        file.attrs["sampling_rate_hz"] = 50.0
    return path


@given(changes=CHANGES)
def test_an_hdf5_header_with_any_bytes_changed_is_read_or_refused(hdf5, changes):
    whole = hdf5.read_bytes()
    hdf5.write_bytes(changed(whole, changes))
    try:
        with suppress(DataError):
            assert np.isfinite(read_recording(hdf5).signal).all()
    finally:
        hdf5.write_bytes(whole)


def virtual(file):
    layout = h5py.VirtualLayout((20, 2), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "signal", (20, 2))
    file.create_virtual_dataset("signal", layout)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (
            lambda file: file.create_dataset(
                "signal", (20, 2), np.uint8, external=[("/etc/passwd", 0, 40)]
            ),
            "in other files",
        ),
        (virtual, "in other files"),
        (lambda file: file.create_dataset("signal", (1 << 40, 2), np.float32), "never written"),
        (
            lambda file: file.create_dataset("signal", (1 << 40, 2), np.float32, chunks=(9, 2)),
            "never written",
        ),
    ],
)
def test_hdf5_that_points_elsewhere_or_claims_what_it_lacks_is_refused(tmp_path, write, problem):
    path = tmp_path / "one.h5"
    with h5py.File(path, "w") as file:
        write(file)

    with pytest.raises(DataError, match=rf"one\.h5: .*{problem}"):
        read_recording(path)


def test_a_link_of_hdf5_to_another_file_is_not_followed(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["signal"] = SIGNAL
    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["signal"] = h5py.ExternalLink("other.h5", "/signal")

    with pytest.raises(DataError, match="holds no array"):
        read_recording(tmp_path / "one.h5")


# A file of this project whose checksum was made to fit.


@given(changes=CHANGES)
def test_a_result_that_was_changed_and_sealed_again_is_read_or_refused(
    make_windows, tmp_path, changes
):
    path = tmp_path / "windows.h5"
    make_windows(path, n_windows=2)
    content = changed(path.read_bytes()[BLOCK_BYTES:], changes)
    line = f"seqbench {KIND} {VERSION} crc32 {zlib.crc32(content):08x}\n".encode()
    path.write_bytes(line.ljust(BLOCK_BYTES, b"\0") + content)

    with suppress(FormatError):
        read_windows(path, "train")


# Tables of a user.

CELLS = st.sampled_from(
    ["", "\0", "a", "b", "walk", "0.1", "-1", "1e999", "nan", '"', '"a', "=1+1", "../a", "é"]
) | st.text(max_size=4)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5).map(",".join), max_size=6)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "recordings").mkdir()
    for name in "ab":
        np.save(tmp_path / "recordings" / f"{name}.npy", SIGNAL)
    return tmp_path


@pytest.mark.parametrize(
    ("task", "file", "header"),
    [
        ("detection", "events.csv", "recording,onset_s,label"),
        ("classification", "labels.csv", "recording,label,start_s,end_s"),
    ],
)
@given(rows=ROWS, mark=st.sampled_from([",", ";", ""]))
def test_any_table_is_read_or_refused(root, task, file, header, rows, mark):
    text = "\n".join([mark and header.replace(",", mark), *rows])
    (root / file).write_text(text, encoding="utf-8", errors="surrogatepass")

    with suppress(DataError):
        folder(root, path=str(root), task=task, sampling_rate_hz=100.0)


@given(rows=ROWS)
def test_any_csv_is_read_or_refused(tmp_path, rows):
    path = tmp_path / "one.csv"
    path.write_text("\n".join(["time,x,y", *rows]), encoding="utf-8", errors="surrogatepass")

    with suppress(DataError):
        assert np.isfinite(read_recording(path).signal).all()


@pytest.mark.parametrize("name", ["events.csv", "groups.csv"])
def test_a_pipe_in_place_of_a_table_is_refused_and_not_waited_for(root, name):
    (root / "events.csv").write_text("recording,onset_s,label\na,0.1,walk\n")
    (root / name).unlink(missing_ok=True)
    os.mkfifo(root / name)

    with pytest.raises(DataError, match=rf"{name}: it is no file; put a CSV file in its place"):
        folder(root, path=str(root), task="detection", sampling_rate_hz=100.0)


def test_a_name_cannot_climb_out_of_the_folder(root):
    (root.parent / "outside.npy").write_bytes((root / "recordings" / "a.npy").read_bytes())
    (root / "events.csv").write_text("recording,onset_s,label\n../../outside,0.1,walk\n")

    with pytest.raises(DataError, match=r"row 2: recording '../../outside' is unknown"):
        folder(root, path=str(root), task="detection", sampling_rate_hz=100.0)
