"""What the HDF5 formats share: a stamp that names the format, and errors that name the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from seqbench.errors import UserError
from seqbench.storage.atomic import replacing


class FormatError(UserError):
    """A file is not what it should be."""


@contextmanager
def writing(path: Path, kind: str, version: int) -> Iterator[h5py.File]:
    """Yield a new file stamped with its kind; it appears at `path` once it is complete."""
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = f"seqbench {kind}"
        file.attrs["version"] = version
        yield file


@contextmanager
def reading(path: Path, kind: str, version: int) -> Iterator[h5py.File]:
    """Yield an open file after checking its stamp.

    Raises
    ------
    FormatError
        If the file is missing, damaged, or of another kind or version.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise FormatError(f"{path}: no such file") from None
    except OSError as error:
        raise FormatError(
            f"{path}: not a readable HDF5 file ({error}); delete it, the next run makes it anew"
        ) from None
    with file:
        stamp = (file.attrs.get("format"), file.attrs.get("version"))
        if stamp != (f"seqbench {kind}", version):
            raise FormatError(
                f"{path}: holds {stamp[0] or 'something else'} version {stamp[1]}, not seqbench"
                f" {kind} version {version}; delete it, the next run makes it anew"
            )
        yield file


def write_strings(group: h5py.Group, name: str, values: list[str]) -> None:
    """Store a list of strings as UTF-8."""
    group.create_dataset(name, data=np.array(values, dtype=object), dtype=h5py.string_dtype())


def read_strings(group: h5py.Group, name: str) -> list[str]:
    """Return a list of strings."""
    return [str(value) for value in group[name].asstr()[:]]
