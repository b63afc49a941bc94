"""Texts of users in LaTeX and Markdown: every character stands for itself and does nothing."""

from collections.abc import Mapping

from seqbench.errors import printable

_SPACES = {"\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"}  # of our own numbers
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # else an option of the end of the row before it
    "*": "{*}",  # likewise
    "-": "{-}",  # two would become a dash
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{SUPERSCRIPT TWO}": r"\textsuperscript{2}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
}
MARKDOWN = {mark: f"\\{mark}" for mark in r"\`*_{}[]<>#|~&$"} | {mark: mark for mark in _SPACES}


def latex(text: object) -> str:
    """Return a text for one cell of a LaTeX table, typeset as it reads.

    Scripts beyond Latin stand as they are and need XeLaTeX or LuaLaTeX. What
    cannot be seen is named, as in `errors.printable`.
    """
    return _replaced(str(text), LATEX)


def markdown(text: object) -> str:
    """Return a text for one cell of a Markdown table, as GitHub reads it."""
    return _replaced(str(text), MARKDOWN)


def _replaced(text: str, marks: Mapping[str, str]) -> str:
    return "".join(_shown(mark, marks) for mark in text)


def _shown(mark: str, marks: Mapping[str, str]) -> str:
    if mark in marks or mark.isprintable():
        return marks.get(mark, mark)
    if mark.isspace():
        return " "  # a line must not end within a cell
    return "".join(marks.get(one, one) for one in printable(mark))
