"""Digests of values in memory: equal digests mean equal values, whichever files they are from."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Set
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from seqbench.storage.lazy_array import LazyArray, blocks

if TYPE_CHECKING:
    from hashlib import _Hash

PLAIN = (type(None), bool, int, float, complex, str, bytes)


class NoDigest(TypeError):
    """A value holds something of which is not known what it is made of."""


class ValueDigest:
    """Digests values; a record, array or table that several of them share is looked at once.

    A value is its type and its parts: the fields of dataclasses and pydantic models, but not what
    they cache; the entries of containers in their order, and of sets in any; the numbers of arrays
    and tables to the last bit. A lazy array is the checksums that a file holds of it, or, where
    there are none, what it reads.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, bytes]] = {}  # with the object, whose id stays its own

    def __call__(self, value: object) -> str:
        """Return the SHA-256 of a value, 64 hexadecimal digits.

        Raises
        ------
        NoDigest
            If a part of the value is of any other type.
        """
        content = hashlib.sha256()
        self._add(content, value)
        return content.hexdigest()

    def _add(self, content: _Hash, value: Any) -> None:
        """Add a value so that no other one adds the same bytes."""
        name = _name(value)
        if type(value) in PLAIN:
            _add_bytes(content, name, repr(value).encode())
        elif isinstance(value, list | tuple):
            content.update(f"{name} {len(value)} ".encode())
            for part in value:
                self._add(content, part)
        elif isinstance(value, Mapping):
            content.update(f"{name} {len(value)} ".encode())
            for part in value.items():
                self._add(content, part)
        elif isinstance(value, Set):
            _add_bytes(content, name, "".join(sorted(map(self, value))).encode())
        elif isinstance(value, PurePath | Enum):
            _add_bytes(content, name, str(value).encode())
        elif isinstance(value, np.generic):
            _add_bytes(content, f"{name} {value.dtype.str}", value.tobytes())
        else:
            content.update(self._shared(value))

    def _shared(self, value: Any) -> bytes:
        """Return the digest of an object that may be part of several values."""
        if id(value) not in self._known:
            content = hashlib.sha256(_name(value).encode())
            if isinstance(value, np.ndarray):
                self._add_array(content, value)
            elif isinstance(value, LazyArray):
                self._add(content, (value.shape, value.checksums))
                if value.checksums is None:
                    for block in blocks(value):
                        self._add_array(content, block)
            elif isinstance(value, pd.DataFrame):
                self._add(content, (value.columns, value.index))
                for place in range(value.shape[1]):
                    self._add(content, value.iloc[:, place].array)
            elif isinstance(value, pd.Series):
                self._add(content, (value.name, value.index, value.array))
            elif isinstance(value, pd.Index):
                parts = value.array if value.nlevels == 1 else value.to_numpy()
                self._add(content, (list(value.names), parts))
            elif isinstance(value, pd.Categorical):
                self._add(content, (value.categories, value.ordered, value.codes))
            elif isinstance(value, pd.api.extensions.ExtensionArray):
                self._add(content, (str(value.dtype), np.asarray(value)))
            elif dataclasses.is_dataclass(value) and not isinstance(value, type):
                for field in dataclasses.fields(value):
                    self._add(content, getattr(value, field.name))
            elif isinstance(value, BaseModel) and value.model_config.get("allow_inf_nan") is False:
                # In a third of the time that its parts take.
                text = value.model_dump_json(serialize_as_any=True)
                _add_bytes(content, "json", text.encode())
            elif isinstance(value, BaseModel):
                self._add(content, dict(value))
            else:
                raise NoDigest(f"{_name(value)} has no digest")
            self._known[id(value)] = value, content.digest()
        return self._known[id(value)][1]

    def _add_array(self, content: _Hash, value: NDArray[Any]) -> None:
        content.update(f"{value.dtype.str} {value.shape} ".encode())
        if value.dtype.hasobject:
            self._add(content, value.tolist())
            return
        # One value that stands for many, such as a signal that was left in its file, counts once.
        once = tuple(slice(0, 1) if step == 0 else slice(None) for step in value.strides)
        _add_bytes(content, f"{once}", value[once].tobytes())


def _add_bytes(content: _Hash, name: str, value: bytes) -> None:
    content.update(f"{name} {len(value)} ".encode())
    content.update(value)


def _name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
