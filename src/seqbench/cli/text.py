"""Paragraphs and tables as wide as the terminal; light, as every `--help` pays."""

import shutil
from collections.abc import Iterator, Mapping
from textwrap import wrap

INDENT = "  "
GAP = "  "
WIDEST = 46  # a name that is longer has its meaning on a line of its own


def wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    """Return the lines of a paragraph.

    Parameters
    ----------
    text
        The paragraph; blanks and line ends in it are alike.
    first, others
        What the first line, and each of the others, begins with.
    """
    width = shutil.get_terminal_size().columns - 2  # as argparse has it
    return wrap(
        " ".join(text.split()), max(width, 40), initial_indent=first, subsequent_indent=others,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def table(rows: Mapping[str, str], indent: str = INDENT) -> Iterator[str]:
    """Yield lines of names beside their meaning, or above it where they are long."""
    column = max((len(name) for name in rows if len(name) <= WIDEST), default=0)
    beside = " " * len(f"{indent}{'':<{column}}{GAP}")
    for name, meaning in rows.items():
        if len(name) > WIDEST:
            yield f"{indent}{name}".rstrip()
            yield from wrapped(meaning, beside, beside)
        else:
            left = f"{indent}{name:<{column}}"
            yield from wrapped(meaning, f"{left}{GAP}", beside) or [left.rstrip()]
