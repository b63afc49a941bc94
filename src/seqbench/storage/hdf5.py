"""What the HDF5 formats share: a stamp that names the format, and errors that name the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

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


def write_number(group: h5py.Group, name: str, value: float | None) -> None:
    """Store a number that may be unknown as an attribute."""
    group.attrs[name] = float("nan") if value is None else value


def read_number(group: h5py.Group, name: str) -> float | None:
    """Return what `write_number` stored."""
    value = float(group.attrs[name])
    return None if np.isnan(value) else value


def write_arrays(group: h5py.Group, name: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Store arrays by name in a group of their own."""
    inside = group.create_group(name)
    for key, array in arrays.items():
        inside[key] = array


def read_arrays(group: h5py.Group, name: str) -> dict[str, NDArray[Any]]:
    """Return what `write_arrays` stored."""
    return {key: array[()] for key, array in group[name].items()}
