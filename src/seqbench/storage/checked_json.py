"""JSON files for people and scripts that hold their own checksum.

``checksum`` is the SHA-256 of all other fields as canonical JSON. A changed value, a cut file
and a file of something else are refused on reading.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

from seqbench.config.options import canonical_json
from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import write_json
from seqbench.storage.kinds import read_text
from seqbench.storage.records import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)


def write_checked(path: Path, record: Record) -> None:
    """Write a record atomically, with its checksum."""
    content = record.model_dump(mode="json")
    write_json(path, content | {"checksum": _checksum(content)})


def read_checked(path: Path, kind: type[AnyRecord], words: str, keys: set[str]) -> AnyRecord:
    """Read what `write_checked` wrote.

    Parameters
    ----------
    path
        The file.
    kind
        Of the record.
    words
        What the file holds, such as "the metrics of a run".
    keys
        Without which it holds something else.

    Raises
    ------
    FormatError
        If the file is missing, no regular file, empty, cut, changed by as
        little as one bit, or of another kind; the sentence names which.
    """
    try:
        content = json.loads(read_text(path, kind.__name__.lower()))
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged or cut short, it is no JSON ({error})") from None
    if not isinstance(content, dict) or not keys | {"checksum"} <= content.keys():
        raise DamagedError(f"{path}: not {words}, or of another version")
    if content.pop("checksum") != _checksum(content):
        raise DamagedError(f"{path}: damaged or edited, its checksum does not fit")
    try:
        return kind.parse(json.dumps(content))
    except ValueError as error:
        raise DamagedError(f"{path}: not {words} ({error})") from None


def _checksum(content: dict[str, Any]) -> str:
    try:
        text = canonical_json(content)
    except ValueError:  # NaN or infinity, which are never written
        return ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
