"""SVG made small: the same picture in less text."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from seqbench.reporting.figures.rendering import as_svg
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.svg import small


def line(points):
    return "".join(f"{'L' if i else 'M'} {x} {y} \n" for i, (x, y) in enumerate(points))


def points_of(path):
    """Return where a path of M and relative steps leads, from its text alone."""
    start, _, steps = path.removeprefix("M").partition("l")
    numbers = [[float(n) for n in re.findall(r"-?\d*\.?\d+", part)] for part in (start, steps)]
    moves = np.reshape(numbers[0] + numbers[1], (-1, 2))
    return moves.cumsum(axis=0)


def test_a_long_line_leads_to_the_same_points():
    points = np.random.default_rng(0).uniform(0, 500, (200, 2)).round(6)
    made = small(f'<path d="{line(points)}" style="fill: none"/>')
    path = re.search(r"d='([^']*)'", made)[1]

    assert np.abs(points_of(path) - points).max() <= 0.0501
    assert len(path) < 0.7 * len(line(points))


def test_a_long_line_with_a_gap_keeps_it():
    first, second = [(i, 1.0) for i in range(30)], [(i + 50, 2.0) for i in range(30)]
    made = small(f'<path d="{line(first)}{line(second)}"/>')

    assert made.count("M") == 2
    assert "M50 2l" in made


def test_short_paths_and_curves_keep_two_digits():
    made = small('<path d="M 0 1.23456 \nC 0.5 1 2.005 3 4 5 \nz\n" style="stroke-width: 0.8"/>')

    assert made == "<path d='M 0 1.23 C 0.5 1 2 3 4 5 z' style='stroke-width: 0.8'/>"


def test_what_is_referred_to_keeps_its_name():
    made = small('<g id="line2d_3"><path id="m6f12" d="M 0 0"/><use xlink:href="#m6f12"/></g>')

    assert made == "<g><path id='m6f12' d='M 0 0'/><use xlink:href='#m6f12'/></g>"


def test_quotes_within_an_attribute_stay_within_it():
    tag = """<text style="font: 8px 'Arial'" x="1"/>"""

    assert small(tag) == tag


@pytest.mark.parametrize(
    "text", ["a  b", "<path d='M 1.23456 2'>", "font-family: x; y", "> <", ' x="1.23456"']
)
def test_words_stay_as_they_are(text):
    with mpl.rc_context(STYLE):
        figure = Figure()
        figure.text(0.5, 0.5, text)
        words = re.findall(r"<text[^>]*>(.*?)</text>", as_svg(figure), flags=re.S)

    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert [word.replace("&#160;", " ").replace("\xa0", " ") for word in words] == [escaped]
