"""One look for all figures: colours, lines, sizes in inches and the settings of matplotlib."""

from typing import Any

INK, MUTED, HAIRLINE, FRAME = "#22262b", "#5f666e", "#e3e6ea", "#b8bec5"
WIDTH_INCHES = 7.4
LEGIBLE = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}  # behind words on lines
LINE_STYLES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.4)), (0, (5, 1.4, 1, 1.4)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
N_SHOWN_CHANNELS, N_SHOWN_CLASSES = 12, 20
CHARACTER_INCHES = 0.062  # of a label, on average
N_VECTOR_POINTS = 30_000  # more points than this in a figure become pixels
SCREEN_FONTS = "'DejaVu Sans', 'Helvetica Neue', 'Helvetica', 'Arial', sans-serif"

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: selectable, and small
    "pdf.fonttype": 42,  # TrueType, which journals ask for; text stays text here too
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.family": "sans-serif",
    # It comes with matplotlib, so that no figure depends on the fonts of a machine, and is wide:
    # what fits with it fits with those that a browser has in its place.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.facecolor": "none",  # what becomes pixels must let dark pages through
    "axes.edgecolor": FRAME,
    "axes.linewidth": 0.7,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titley": 1.0,  # else matplotlib looks for room over the ticks, for a tenth of the time
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.7,
    "xtick.color": FRAME,
    "ytick.color": FRAME,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
