"""SVG as matplotlib writes it, made small without changing what is seen."""

from __future__ import annotations

import re

from seqbench.reporting.figures.style import SCREEN_FONTS

TAG = re.compile(r"<[a-z][^>]*>")  # words between tags have no `<`, so that none looks like one
BETWEEN_TAGS = re.compile(r">\s+<")
# Names of parts, to which nothing refers; those that something refers to end in a hash.
NAME = re.compile(r' id="[a-zA-Z.]+(?:2d)?_[0-9]+"')
NO_TURN = re.compile(r' transform="rotate\(-0 [^"]*\)"')
PATH = re.compile(r' d="([^"]*)"')
PLACE = re.compile(r' (x|y)="([-0-9.]+)"')
FONTS = re.compile(r"font-family: [^;\"]*; ")
STYLE_END = "</style>"
N_LONG = 20  # points from which the steps of a line are worth more than their last digit
STEPS_IN_POINT = 10  # a tenth of a point is an eighth of a pixel on screen


def small(svg: str) -> str:
    """Return the same picture in less than half of the text.

    Long lines become steps of a tenth of a point, other numbers keep two
    digits; fonts of a screen are named once, and parts have no names.
    """
    svg = TAG.sub(lambda tag: _small_tag(tag[0]), svg)
    svg = svg.replace(STYLE_END, f"text{{font-family: {SCREEN_FONTS}}}{STYLE_END}", 1)
    return BETWEEN_TAGS.sub("><", svg)


def _small_tag(tag: str) -> str:
    tag = NAME.sub("", NO_TURN.sub("", FONTS.sub("", tag)))
    tag = PLACE.sub(lambda match: f' {match[1]}="{_rounded(match[2])}"', tag)
    tag = PATH.sub(lambda match: f' d="{_small_path(match[1])}"', tag)
    # Within an attribute of the page these marks need no escape.
    return tag if "'" in tag else tag.replace('"', "'")


def _small_path(data: str) -> str:
    tokens = data.split()
    is_line = not {"C", "Q", "z"}.intersection(tokens)
    if is_line and len(tokens) > 3 * N_LONG:
        return _steps(tokens)
    return " ".join(token if token.isalpha() else _rounded(token) for token in tokens)


def _steps(tokens: list[str]) -> str:
    """Return a path of M and L, each with two numbers, as steps from point to point."""
    parts: list[str] = []
    x = y = 0
    for command, to_x, to_y in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=True):
        new_x, new_y = round(STEPS_IN_POINT * float(to_x)), round(STEPS_IN_POINT * float(to_y))
        if command == "M":
            parts.append(f"M{_tenths(new_x)} {_tenths(new_y)}l")
        else:
            parts.append(f"{_tenths(new_x - x)} {_tenths(new_y - y)} ")
        x, y = new_x, new_y
    return "".join(parts).replace(" -", "-").replace("lM", "M").rstrip("l ")


def _tenths(n: int) -> str:
    whole, rest = divmod(abs(n), STEPS_IN_POINT)
    return f"{'-' if n < 0 else ''}{whole or ('' if rest else '0')}{f'.{rest}' if rest else ''}"


def _rounded(number: str) -> str:
    whole, _, digits = number.partition(".")
    return f"{float(number):.2f}".rstrip("0").rstrip(".") if digits else whole
