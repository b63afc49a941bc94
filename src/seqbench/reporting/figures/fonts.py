"""A small font for PDFs, from which matplotlib takes the letters of a figure in no time.

A PDF holds the letters it uses. To take them from the whole of DejaVu Sans, with its tables of
ligatures and kerning for dozens of scripts, takes ten times as long as to draw a figure.
"""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from fontTools import subset
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

FAMILY = "Seqbench Sans"
FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
# Latin with accents, Greek, punctuation, arrows and signs of mathematics.
LETTERS = frozenset(
    code
    for first, stop in ((0x20, 0x250), (0x370, 0x400), (0x2000, 0x2070), (0x2190, 0x2300))
    for code in range(first, stop)
)
FAMILY_IDS = (1, 16)  # of its name in a font
NAME_IDS = (*FAMILY_IDS, 2, 4, 6)  # with those of the face and of both
# Without letters that join or move, all but the shapes and widths of letters only takes time.
UNUSED_TABLES = ("FFTM", "GDEF", "GPOS", "GSUB", "MATH", "gasp")


def has_room_for(figure: Figure) -> bool:
    """Return whether the small font has every letter of a figure that was drawn before."""
    texts = (text for text in figure.findobj(Text) if isinstance(text, Text))
    return all(LETTERS.issuperset(map(ord, text.get_text().replace("\n", ""))) for text in texts)


@cache
def small_family() -> str:
    """Return the name of a family that matplotlib finds from now on, until the process ends."""
    folder = TemporaryDirectory(prefix="seqbench-fonts-")
    atexit.register(folder.cleanup)
    for name in FACES:
        small = Path(folder.name, name)
        _write_small(Path(mpl.get_data_path(), "fonts", "ttf", name), small)
        font_manager.fontManager.addfont(small)
    return FAMILY


def _write_small(source: Path, target: Path) -> None:
    """Write a font that has `LETTERS` alone and a family name of its own."""
    options = subset.Options(
        layout_features=[], hinting=False, glyph_names=True, name_IDs=NAME_IDS, notdef_outline=True
    )
    options.drop_tables += UNUSED_TABLES
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=LETTERS)
    with subset.load_font(str(source), options) as font:
        chosen.subset(font)
        for record in font["name"].names:
            if record.nameID in FAMILY_IDS:
                record.string = FAMILY
        subset.save_font(font, str(target), options)
