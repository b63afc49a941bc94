"""Models, encoders and states: safetensors with a typed JSON header; loading one runs no code.

The header holds everything needed to rebuild the model, and a digest of header
and arrays stands beside it. On reading, the header is checked first, then the
kinds of the arrays, the digest, and that all numbers are finite.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import replacing
from seqbench.storage.kinds import first_block
from seqbench.storage.model_header import Header, StateHeader, parse_header
from seqbench.storage.records import Record

FORMAT = "seqbench model 4"
DTYPES = {"BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "F32", "F64"}
H = TypeVar("H", bound=Record)
Headers = TypeVar("Headers", bound=Record, covariant=True)


@dataclass(frozen=True)
class StoredModel(Generic[Headers]):
    """Arrays by name, and their header."""

    arrays: dict[str, NDArray[Any]]
    header: Headers


def write_model(path: Path, model: StoredModel[Record]) -> None:
    """Write a model atomically."""
    arrays = {name: np.asarray(array, order="C") for name, array in model.arrays.items()}
    header = json.dumps(model.header.model_dump(mode="json"), ensure_ascii=False)
    metadata = {"format": FORMAT, "header": header, "digest": digest(header, arrays)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata=metadata))


def read_model(path: Path) -> StoredModel[Header]:
    """Read what `write_model` wrote.

    Raises
    ------
    FormatError
        If the file is missing, damaged, of something else, or holds a value
        out of bounds; the sentence names which.
    """
    with _opened(path) as (file, metadata, header):
        names = list(file.keys())
        for name in names:
            if (dtype := file.get_slice(name).get_dtype()) not in DTYPES:
                raise FormatError(f"{path}: array {name!r} holds {dtype}, which no model has")
        arrays = {name: file.get_tensor(name) for name in names}
        if metadata["digest"] != digest(metadata["header"], arrays):
            raise DamagedError(f"{path}: damaged, its digest does not fit")
    if not isinstance(header, StateHeader):
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise FormatError(f"{path}: array {name!r} holds NaN or infinity; train it again")
    return StoredModel(arrays, header)


def read_outline(path: Path) -> tuple[Header, dict[str, list[int]]]:
    """Return the header and the shapes of the arrays, which are not read; see `read_model`."""
    with _opened(path) as (file, _, header):
        return header, {name: file.get_slice(name).get_shape() for name in list(file.keys())}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, str], Header]]:
    """Yield an open file, its metadata and its header; what is damaged is a FormatError."""
    try:
        if first_block(path, "model")[8:9] != b"{":  # where the header of safetensors begins
            raise DamagedError(f"{path}: is no seqbench model file, or its beginning is damaged")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                held = metadata.get("format", "a file of other software")
                raise DamagedError(f"{path}: holds {held}, not {FORMAT}")
            yield file, metadata, parse_header(metadata["header"])
    except FormatError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged ({error})") from None


def read_as(path: Path, kind: type[H]) -> StoredModel[H]:
    """Read a file whose header must be of one kind; see `read_model`."""
    stored = read_model(path)
    if not isinstance(stored.header, kind):
        raise FormatError(f"{path}: holds a {stored.header.kind}, not what is needed here")
    return StoredModel(stored.arrays, stored.header)


def digest(header: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Return a digest of a header and of arrays with their names, kinds and shapes."""
    found = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()
