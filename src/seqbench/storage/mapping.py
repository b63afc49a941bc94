"""The one mapper between dataclasses and groups of HDF5: a field is stored by its type.

==========================  =====================================================
array                       dataset; of four dimensions (frames) as compressed float32
list of str                 dataset of UTF-8 text
str, bool, int, float       attribute; a number that is None is NaN
dict of arrays              group of datasets
other dict or list          attribute of JSON text
pydantic model              attribute of JSON text
dataclass                   group, mapped in turn
None in any other place     nothing
==========================  =====================================================
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel

from seqbench.config.options import canonical_json

if TYPE_CHECKING:
    import h5py

Record = TypeVar("Record")
Paths = Mapping[str, str]
DEFAULT_PATHS: Paths = {}
SCALARS = (str, bool, int, float)


def write_record(
    group: h5py.Group, record: Any, *, paths: Paths = DEFAULT_PATHS, skip: Collection[str] = ()
) -> None:
    """Store the fields of a dataclass in a group.

    Parameters
    ----------
    group
        Holds none of the fields yet.
    record
        Instance of a dataclass whose annotations the table above names.
    paths
        Where a field stands in the group, if not under its own name; "." puts the fields of a
        dataclass beside the others.
    skip
        Fields that are stored elsewhere.
    """
    for name, path, hint in _fields(type(record), paths, skip):
        _write(group, path, hint, getattr(record, name))


def read_record(
    group: h5py.Group, kind: type[Record], *, paths: Paths = DEFAULT_PATHS, **given: Any
) -> Record:
    """Return what `write_record` stored.

    Parameters
    ----------
    group, paths
        As they were on writing.
    kind
        The dataclass.
    **given
        Values of fields that are not read.
    """
    read = {name: _read(group, path, hint) for name, path, hint in _fields(kind, paths, given)}
    return kind(**read, **given)


def _fields(kind: type, paths: Paths, skip: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    for name, hint in _hints(kind).items():
        if name not in skip:
            yield name, paths.get(name, name), hint


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _resolved(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Return the type behind a hint, its arguments, and whether it may be None."""
    is_optional = NoneType in get_args(hint)
    if is_optional:
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    return get_origin(hint) or hint, get_args(hint), is_optional


def _write(group: h5py.Group, path: str, hint: Any, value: Any) -> None:
    kind, arguments, _ = _resolved(hint)
    if kind in SCALARS:
        group.attrs[path] = np.nan if value is None else value
    elif value is None:
        return
    elif kind is np.ndarray:
        value = np.asarray(value)
        frames = {"dtype": np.float32, "compression": "gzip", "compression_opts": 1}
        options = frames | {"shuffle": True} if value.ndim == 4 else {}
        group.create_dataset(path, data=value, **options)
    elif (kind, arguments) == (list, (str,)):
        import h5py

        group.create_dataset(path, data=np.array(value, dtype=object), dtype=h5py.string_dtype())
    elif kind is dict and get_origin(arguments[1]) is np.ndarray:
        inside = group.create_group(path)
        for name, array in value.items():
            inside[name] = array
    elif dataclasses.is_dataclass(kind):
        write_record(group.require_group(path), value)
    elif issubclass(kind, BaseModel):
        group.attrs[path] = canonical_json(value.model_dump(mode="json"))
    else:
        group.attrs[path] = json.dumps(value, ensure_ascii=False)


def _read(group: h5py.Group, path: str, hint: Any) -> Any:
    kind, arguments, is_optional = _resolved(hint)
    if kind in SCALARS:
        value = group.attrs[path]
        return None if is_optional and np.isnan(value) else kind(value)
    if is_optional and path not in group:
        return None
    if kind is np.ndarray:
        array = group[path][()]
        return array.astype(np.float64) if array.ndim == 4 else array  # frames
    if (kind, arguments) == (list, (str,)):
        return [str(text) for text in group[path].asstr()[:]]
    if kind is dict and get_origin(arguments[1]) is np.ndarray:
        return {name: np.asarray(array[()]) for name, array in group[path].items()}
    if dataclasses.is_dataclass(kind):
        return read_record(group[path], cast("type[Any]", kind))
    text = str(group.attrs[path])
    return kind.model_validate_json(text) if issubclass(kind, BaseModel) else json.loads(text)
