"""Which kind of file stands at a path, from its first bytes; for errors that name it."""

import re
from pathlib import Path

from seqbench.errors import DamagedError, FormatError

FIRST_LINE = re.compile(
    rb"seqbench ([a-z]+) (\d{1,9}) crc32 ([0-9a-f]{8})((?: \d{1,15}\+\d{1,15})*)\n\0+"
)
MAX_TEXT_BYTES = 64 << 20  # ten thousand resamples of every metric take less
BLOCK_BYTES = 512  # of an HDF5 file of this project, before HDF5 begins
SIGNATURES = {
    b"\x89HDF": "an HDF5 file of other software",
    b"PK\x03\x04": "a zip archive, such as a checkpoint of PyTorch",
    b"\x80\x02": "a pickle",
}


def first_block(path: Path, expected: str) -> bytes:
    """Return the first bytes of a file, unless it is recognisably something else than expected.

    Parameters
    ----------
    path
        A pipe or device is refused without opening it.
    expected
        "model" or the kind of an HDF5 file of this project.

    Raises
    ------
    FormatError
        If nothing stands there, or something else does; the message names it.
    """
    if path.is_dir():
        raise FormatError(f"{path}: is a folder, not a seqbench {expected} file")
    if not path.exists():
        raise FormatError(f"{path}: no such file")
    if not path.is_file():
        raise FormatError(f"{path}: is a pipe or device, not a seqbench {expected} file")
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES)
    kind = _kind(head)
    if kind and expected not in kind:
        raise FormatError(f"{path}: is {kind}, not a seqbench {expected} file")
    return head


def read_text(path: Path, expected: str) -> str:
    """Return the content of a text file; see `first_block`.

    Raises
    ------
    FormatError
        If the file is missing, no regular file, too large, empty or no text.
    """
    try:
        first_block(path, expected)
        if (n_bytes := path.stat().st_size) > MAX_TEXT_BYTES:
            raise FormatError(f"{path}: has {n_bytes} bytes, too many for a {expected} file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DamagedError(f"{path}: damaged, it is not UTF-8 text") from None
    if not text.strip():
        raise DamagedError(f"{path}: empty")
    return text


def _kind(head: bytes) -> str | None:
    """Return the kind of a file, None if its first bytes show none."""
    if found := FIRST_LINE.fullmatch(head):
        return f"a seqbench {found[1].decode()} file"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return "a safetensors file, such as a model"
    return next((kind for start, kind in SIGNATURES.items() if head.startswith(start)), None)
