"""Arguments that several commands share, and what they must not do; light, as every start pays."""

import argparse
import math
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from seqbench.errors import UserError


def positive(text: str) -> float:
    """Return a finite number above 0."""
    with suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text} is no number above 0")


def natural(text: str) -> int:
    """Return a whole number above 0."""
    if not (text.isascii() and text.isdecimal()) or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def refuse_missing(path: Path, hint: str) -> None:
    """Refuse a path to read where nothing is, with what is there under nearly its name.

    Raises
    ------
    UserError
        If there is nothing; `hint` says what to name in its place.
    """
    if path.exists():
        return
    if near := _nearly_named(path):
        hint = f"did you mean '{near}'?"
    raise UserError(f"{path}: no such file or folder; {hint}")


def _nearly_named(path: Path) -> Path | None:
    """Return what is there under the name of a path but for one of its parts."""
    *_, missing = (one for one in (path, *path.parents) if not one.exists())
    folder, rest = missing.parent, path.relative_to(missing)
    if not folder.is_dir():
        return None
    beside = list(folder.iterdir())
    # Of the stem first, as names of one suffix are alike by it alone.
    stems = get_close_matches(missing.stem, {one.stem for one in beside})
    near = get_close_matches(missing.name, [one.name for one in beside if one.stem in stems])
    return next((found for name in near if (found := folder / name / rest).exists()), None)


def refuse_overwriting(out: Path, *inputs: tuple[str, Path]) -> None:
    """Refuse an output that is an input, by whatever name or link.

    Parameters
    ----------
    out
        The file to write.
    inputs
        The argument that names a file to read, and that file.

    Raises
    ------
    UserError
        If writing would replace an input.
    """
    for argument, path in inputs:
        try:
            is_input = out.samefile(path)
        except OSError:  # one of them does not exist, so they differ
            continue
        if is_input:
            raise UserError(f"{out}: is the file given as {argument}; choose another --out")
