"""A figure as an element of the page: in the colours of its theme, with the values of its points.

The SVG stands in the page itself, so that a script can show values and hide curves, and style
sheets can turn its colours. What is drawn in neutral colours takes those of the page; every other
colour is a variable of the figure with a shade for light pages and one for dark ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import chain
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from seqbench.reporting.figures.panels import spread
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.style import FRAME, HAIRLINE, INK, MUTED
from seqbench.reporting.figures.theme import dark_shade
from seqbench.reporting.scores.formats import NOTHING

POINTS = 72  # in an inch: the unit of an SVG by matplotlib
MOST_OF_LINE = 60  # points whose values are shown: closer ones cannot be told apart by hand
N_DIGITS = 4  # of a value that is shown; the table has all
NEUTRAL = {
    "#ffffff": "var(--card)",
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    HAIRLINE: "var(--line)",
    FRAME: "var(--frame)",
}
UNITS = {
    "_ms": " ms",
    "milliseconds": " ms",
    "_s": " s",
    "seconds": " s",
    "_db": " dB",
    "_percent": " %",
}  # by the end of a column's name
MARK, KEY = "mark", "key"  # of ids that artists have in the SVG
ID = re.compile(rf" id='({MARK}|{KEY})-([0-9]+)'")
COLOUR = re.compile(r"(?<=: )#[0-9a-f]{6}\b")
SPLIT = re.compile(r"(<[^>]+>)")
BACKGROUND = re.compile(r"<g>\s*<path d='[^']*' style='fill: #ffffff'/>\s*</g>")
STYLE = re.compile(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", re.DOTALL)
DOTS = re.compile(  # each in a group of its own, all with one clip path and one style
    r"<g clip-path='(?P<clip>[^']*)'><use [^>]* style='(?P<look>[^']*)'/></g>"
    r"(?:<g clip-path='(?P=clip)'><use [^>]* style='(?P=look)'/></g>)+"
)
VIEW = re.compile(r"<svg[^>]* viewBox='([^']*)'[^>]*>")


def name_parts(plot: Plot) -> list[str]:
    """Give artists with values, and words of the legend that hide some, an id in the SVG.

    Words at the end of a line count as its legend.

    Returns
    -------
    list of str
        These words, in the order of their ids.
    """
    for number, mark in enumerate(plot.marks):
        mark.artist.set_gid(f"{MARK}-{number}")
    wanted = set(chain.from_iterable(mark.keys for mark in plot.marks))
    entries = [
        (text, handle)
        for legend in plot.figure.legends
        for text, handle in zip(legend.texts, legend.legend_handles, strict=True)
    ]
    own = {id(mark.artist) for mark in plot.marks}
    texts = [text for axes in plot.figure.axes for text in axes.texts if id(text) not in own]
    entries += [(text, None) for text in texts]
    keys = dict.fromkeys(text.get_text() for text, _ in entries if text.get_text() in wanted)
    numbers = {key: number for number, key in enumerate(keys)}
    for text, handle in entries:
        if text.get_text() in numbers:
            for part in (text, handle) if handle is not None else (text,):
                part.set_gid(f"{KEY}-{numbers[text.get_text()]}")
    return list(keys)


def without_names(svg: str) -> str:
    """Return an SVG without the ids of `name_parts`, as a file needs none."""
    return "".join(ID.sub("", part) if part.startswith("<") else part for part in SPLIT.split(svg))


def inlined(svg: str, plot: Plot, keys: Sequence[str], label: str) -> Markup:
    """Return a small SVG as an element of the page.

    Parameters
    ----------
    svg
        As `svg.small` returns it, of a figure that was drawn by now.
    keys
        As `name_parts` returned them.
    label
        What the figure shows, in words.
    """
    opening = VIEW.search(svg)
    if opening is None:
        raise ValueError("not an SVG by matplotlib")
    body = BACKGROUND.sub("", STYLE.sub("", svg[opening.end() :]), count=1)
    of_marks = [" ".join(str(keys.index(key)) for key in mark.keys if key in keys)
                for mark in plot.marks]  # fmt: skip
    colours: dict[str, str] = {}
    parts = [
        _themed(_named(part, of_marks), colours) if part.startswith("<") else part
        for part in SPLIT.split(body)
    ]
    shades = ";".join(
        f"--{name}:light-dark({colour},{dark_shade(colour)})" for colour, name in colours.items()
    )
    readings = _readings(plot, keys)
    role = "group" if readings else "img"
    values = f" data-values='{_attribute(readings)}'" if readings else ""
    drawn = _merged(_without_wrappers(parts)).replace(" xlink:href=", " href=")
    return Markup(
        f"<svg viewBox='{opening[1]}' role='{role}' aria-label='{escape(label)}'"
        f" style='{shades}'{values}>{drawn}"
    )


def _named(tag: str, of_marks: Sequence[str]) -> str:
    """Replace the id of an artist by the entries of the legend that hide it."""

    def attribute(match: re.Match[str]) -> str:
        if match[1] == KEY:
            return f" data-key='{match[2]}'"
        keys = of_marks[int(match[2])]
        return f" data-of='{keys}'" if keys else ""

    return ID.sub(attribute, tag)


def _themed(tag: str, colours: dict[str, str]) -> str:
    """Replace colours by variables, and name those that the page does not have."""

    def variable(match: re.Match[str]) -> str:
        colour = match[0]
        if colour in NEUTRAL:
            return NEUTRAL[colour]
        return f"var(--{colours.setdefault(colour, _letters(len(colours)))})"

    return COLOUR.sub(variable, tag).replace(": ", ":").replace("; ", ";")


def _letters(number: int) -> str:
    """Return a, b, to z, then ba, bb and so on."""
    rest, last = divmod(number, len(ascii_lowercase))
    return (_letters(rest) if rest else "") + ascii_lowercase[last]


def _without_wrappers(parts: Iterable[str]) -> str:
    """Return the text without groups that have no attribute, which draw nothing of their own."""
    kept: list[str] = []
    opened: list[bool] = []
    for part in parts:
        if part.startswith("<g"):
            opened.append(part != "<g>")
            is_kept = opened[-1]
        else:
            is_kept = opened.pop() if part == "</g>" else True
        if is_kept:
            kept.append(part)
    return "".join(kept)


def _merged(body: str) -> str:
    """Give dots of one look that follow each other one group with this look."""

    def group(match: re.Match[str]) -> str:
        clip, look = match["clip"], match["look"]
        dots = match[0].replace(f" style='{look}'", "").replace(f"<g clip-path='{clip}'>", "")
        return f"<g clip-path='{clip}' style='{look}'>{dots.replace('</g>', '')}</g>"

    return DOTS.sub(group, body)


def _attribute(value: Any) -> str:
    """Return JSON that may stand between single quotes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")


def _readings(plot: Plot, keys: Sequence[str]) -> dict[str, Any]:
    """Return what the script shows: names of columns, and marks with places and values."""
    columns: list[list[list[str]]] = []
    marks = []
    for mark in plot.marks:
        if not len(mark.rows):
            continue
        at = anchors(mark.artist, plot.figure)
        if len(mark.rows) == 1:
            at = at.mean(axis=0, keepdims=True)
        if len(at) != len(mark.rows):
            raise ValueError(f"{mark.name}: {len(at)} points are drawn of {len(mark.rows)} rows")
        is_seen = _is_seen(mark.artist, at, plot.figure)
        if not is_seen.any():
            continue
        heads = [_head(name, column) for column, name in mark.columns.items()]
        if heads not in columns:
            columns.append(heads)
        chosen = np.flatnonzero(is_seen)
        if isinstance(mark.artist, Line2D):
            chosen = chosen[spread(len(chosen), MOST_OF_LINE)]
        rows = plot.table.iloc[list(mark.rows)].iloc[chosen]
        values = [[_value(cell) for cell in rows[column]] for column in mark.columns]
        of = [keys.index(key) for key in mark.keys if key in keys]
        places = at[chosen].round(1).ravel().tolist()
        marks.append([mark.name, columns.index(heads), of, [_short(x) for x in places], *values])
    return {"columns": columns, "marks": marks} if marks else {}


def _head(name: str, column: str) -> list[str]:
    """Return what stands before a value and behind it."""
    return [name, next((unit for end, unit in UNITS.items() if column.endswith(end)), "")]


def _value(cell: Any) -> str | float | int:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if pd.isna(cell):
        return NOTHING
    if not np.isfinite(cell):  # of a training that diverged; JSON has no such number
        return "\N{INFINITY}" if cell > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return _short(float(cell) if float(cell).is_integer() else float(f"{cell:.{N_DIGITS}g}"))


def _short(number: float) -> float | int:
    """Return a whole number without the digit behind the point that JSON would have."""
    return int(number) if float(number).is_integer() else number


def anchors(artist: Artist, figure: Figure) -> NDArray[np.float64]:
    """Return where the points of an artist lie, (n, 2), in points from the upper left corner."""
    transform = artist.get_transform()
    if isinstance(artist, Line2D):
        at = artist.get_xydata()
    elif isinstance(artist, PathCollection):
        at, transform = np.asarray(artist.get_offsets()), artist.get_offset_transform()
    elif isinstance(artist, StepPatch):
        heights, edges, _ = artist.get_data()
        at = np.column_stack([(edges[:-1] + edges[1:]) / 2, heights])
    elif isinstance(artist, PatchCollection):
        at = np.array([path.get_extents().get_points().mean(axis=0) for path in artist.get_paths()])
    else:
        raise TypeError(f"points of {type(artist).__name__} are not known")
    pixels = transform.transform(np.asarray(np.ma.filled(at, np.nan), float).reshape(-1, 2))
    size = figure.get_size_inches() * POINTS
    points: NDArray[np.float64] = pixels * POINTS / figure.dpi * (1, -1) + (0, size[1])
    return points


def _is_seen(artist: Artist, at: NDArray[np.float64], figure: Figure) -> NDArray[np.bool_]:
    """Return which points (n, 2) are drawn: not those without a value or outside of the axes."""
    is_seen: NDArray[np.bool_] = np.all(np.isfinite(at), axis=1, keepdims=True)[:, 0]
    axes = artist.axes
    if isinstance(axes, Axes) and artist.get_clip_on():
        height = figure.get_size_inches()[1] * POINTS
        (left, low), (right, high) = axes.bbox.get_points() * POINTS / figure.dpi
        x, y = at[:, 0], height - at[:, 1]
        is_seen &= (x > left - 1) & (x < right + 1) & (y > low - 1) & (y < high + 1)
    return is_seen
