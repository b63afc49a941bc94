"""Models and encoders: safetensors with a JSON header; loading one cannot run code.

The header says everything needed to rebuild the model: its kind and registered
name, options, channels, classes, normalisation, and the run it came from. A
digest of header and arrays stands beside it and is checked on reading.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import replacing
from seqbench.storage.kinds import first_block

FORMAT = "seqbench model 2"


@dataclass(frozen=True)
class StoredModel:
    """Arrays by name and what the header says of them."""

    arrays: dict[str, NDArray[Any]]
    header: dict[str, Any]


def write_model(path: Path, model: StoredModel) -> None:
    """Write a model atomically."""
    arrays = {name: np.asarray(array, order="C") for name, array in model.arrays.items()}
    header = json.dumps(model.header, ensure_ascii=False)
    metadata = {"format": FORMAT, "header": header, "digest": _digest(header, arrays)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata=metadata))


def read_model(path: Path) -> StoredModel:
    """Read what `write_model` wrote.

    Raises
    ------
    FormatError
        If the file is missing, damaged or no model of this project.
    """
    try:
        first_block(path, "model")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise DamagedError(
                    f"{path}: no {FORMAT}, but {metadata.get('format', 'a file of other software')}"
                )
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if metadata["digest"] != _digest(metadata["header"], arrays):
                raise DamagedError(f"{path}: damaged, its digest does not fit")
            header = json.loads(metadata["header"])
            if not isinstance(header, dict):
                raise DamagedError(f"{path}: damaged, its header is no object")
    except FormatError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged ({error})") from None
    return StoredModel(arrays, header)


def _digest(header: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Return a digest of a header and of arrays with their names, kinds and shapes."""
    digest = hashlib.sha256(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
