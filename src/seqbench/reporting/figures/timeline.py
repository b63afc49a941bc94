"""What a model finds in excerpts of a test recording, over the signal."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.excerpts import Excerpt, Mark
from seqbench.reporting.evidence.material import PALETTE, Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import empty, legend, offsets_of, short, thinned
from seqbench.reporting.figures.plot import Numbers, Plot

WAVE, ERROR = "#6b737b", "#fbe0da"
TOP, BOTTOM, RIGHT, GAP = 0.42, 0.5, 0.12, 0.5  # margins in inches
N_SAMPLES = 900  # pairs of samples of a channel, more than any screen shows beside each other
LEVEL = 0.135  # inches of a row of marks or labels
MOST_LEVELS = 3  # rows of labels; what has no room in them keeps its mark alone
LABEL_SIZE, LABEL_INCHES = 6.5, 0.058  # of a label, and of one of its characters
N_LABEL_CHARACTERS = 14
ERROR_S = 0.004  # of an excerpt of a second, that the shade of an error reaches to either side

LOOK: dict[str, Any] = {"linestyle": "none", "color": style.INK, "markersize": 5}
LEGEND = (
    ("labelled", LOOK | {"marker": "v", "markeredgewidth": 0}),
    ("missed", LOOK | {"marker": "v", "markerfacecolor": "white"}),
    ("found", LOOK | {"marker": "^", "markeredgewidth": 0}),
    ("false alarm", LOOK | {"marker": "X", "markeredgewidth": 0}),
)


class _Rows(NamedTuple):
    """Marks of an excerpt as rows above its signal: level of each label, -1 without room."""

    labelled: list[int]
    found: list[int]

    @property
    def n_found(self) -> int:
        """Levels of labels over detections."""
        return 1 + max(self.found, default=-1)

    @property
    def n_labelled(self) -> int:
        """Levels of labels over missed events."""
        return 1 + max(self.labelled, default=-1)

    @property
    def height(self) -> float:
        """In inches: a row of marks under each kind of labels."""
        return LEVEL * (2.2 + self.n_found + self.n_labelled)


@FIGURES.register(
    "timeline", title="Detections in test recordings", tasks=("detection",), order=22,
    block="windows",
)  # fmt: skip
def timeline(material: Material) -> Plot:
    """Excerpts evenly spread over test, with detections of the model and seed selected on val.

    The last excerpt holds a miss or a false alarm, if there is any. Marks have the colour of the
    type, shaded times are errors. Each channel has its own scale.
    """
    excerpts = material.of(DetectionEvidence).excerpts
    classes = material.windows.classes
    names = material.windows.channels[: style.N_SHOWN_CHANNELS]
    n_channels = len(names)
    left = 0.2 + style.CHARACTER_INCHES * max(8, *(len(short(name, 10)) for name in names))
    width = style.WIDTH_INCHES - left - RIGHT
    rows = [_rows(excerpt, classes, width) for excerpt in excerpts]
    wave = 0.35 + 0.17 * n_channels
    heights = [of_rows.height + wave for of_rows in rows]
    total = TOP + BOTTOM + sum(heights) + GAP * max(len(heights) - 1, 0) + (0 if heights else 0.5)
    figure = Figure(figsize=(style.WIDTH_INCHES, total))
    waves = _scaled([excerpt.signal[:, :n_channels] for excerpt in excerpts])
    offsets = offsets_of(waves, n_channels)
    n_points = sum(min(len(one), 2 * N_SAMPLES) * n_channels for one in waves)
    is_dense = n_points > style.N_VECTOR_POINTS
    look: dict[str, Any] = {"color": WAVE, "antialiased": not is_dense}
    look["linewidth"] = 0.35 if is_dense else 0.7
    numbers = Numbers()
    top = total - TOP
    for excerpt, of_rows, signal, height in zip(excerpts, rows, waves, heights, strict=True):
        x, w = left / style.WIDTH_INCHES, width / style.WIDTH_INCHES
        upper = figure.add_axes((x, (top - of_rows.height) / total, w, of_rows.height / total))
        lower = figure.add_axes((x, (top - height) / total, w, wave / total), sharex=upper)
        if is_dense:
            lower.set_rasterization_zorder(2.5)  # lines become one image, axes and text do not
        time = (excerpt.start_s + np.arange(len(signal)) / excerpt.rate_hz).round(6)
        place = {"recording": excerpt.recording, "from_s": excerpt.start_s}
        for name, values, offset in zip(names, signal.T, offsets, strict=True):
            at = thinned(values, N_SAMPLES)
            numbers.add(**place, shows="signal", of=name, seconds=time[at], value=values[at])
            lower.plot(time[at], values[at] + offset, **look)
        lower.set_yticks(offsets, [short(name, 10) for name in names] if n_channels > 1 else [""])
        _draw_marks(upper, lower, excerpt, of_rows, classes, numbers)
        counts = {"missed": excerpt.n_missed, "false": excerpt.n_false}
        errors = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        title = short(excerpt.recording, 40)
        upper.set_title(f"{title}: {errors}" if errors else title)
        _finish(upper, lower, time, of_rows)
        top -= height + GAP
    if not excerpts:
        return empty(figure, numbers, "There is no model, or nothing in test is labelled.")
    figure.supxlabel("seconds from the start of the recording", fontsize=8.5, color=style.MUTED)
    legend(figure, LEGEND, loc="upper right", ncols=4, handlelength=1, columnspacing=1.2)
    found = [
        f"{one.recording} from {one.start_s:.1f} s: {len(one.labelled)} labelled,"
        f" {one.n_missed} missed, {one.n_false} false"
        for one in excerpts
    ]
    return numbers.plot(figure, f"{'; '.join(found)}.")


def type_colour(kind: int) -> str:
    """Return the colour of a type of event; types of one colour differ in the name beside it."""
    return PALETTE[kind % len(PALETTE)]


def _rows(excerpt: Excerpt, classes: list[str], width: float) -> _Rows:
    """Give each label the lowest level on which it does not touch the one before.

    Of labelled events the missed ones alone have labels.
    """
    inches_per_s = width * excerpt.rate_hz / len(excerpt.signal)

    def levels(marks: list[Mark], *, has_labels: bool) -> list[int]:
        ends = [-np.inf] * MOST_LEVELS
        chosen = []
        for mark in marks:
            half = LABEL_INCHES * (1 + len(_label(mark, classes))) / 2
            middle = (mark.time_s - excerpt.start_s) * inches_per_s
            free = [level for level, end in enumerate(ends) if end < middle - half]
            level = free[0] if free and (has_labels or not mark.is_matched) else -1
            if level >= 0:
                ends[level] = middle + half
            chosen.append(level)
        return chosen

    return _Rows(levels(excerpt.labelled, has_labels=False), levels(excerpt.found, has_labels=True))


def _label(mark: Mark, classes: list[str]) -> str:
    return short(classes[mark.type], N_LABEL_CHARACTERS)


def _scaled(signals: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return signals around the median of each excerpt, every channel with a scale of its own."""
    centred = [signal - np.median(signal, axis=0) for signal in signals]
    if not centred:
        return []
    low, high = np.percentile(np.concatenate(centred), [0.1, 99.9], axis=0)
    scale = np.where(high > low, high - low, 1.0)
    return [(signal / scale).astype(np.float32) for signal in centred]


def _draw_marks(
    upper: Axes,
    lower: Axes,
    excerpt: Excerpt,
    rows: _Rows,
    classes: list[str],
    numbers: Numbers,
) -> None:
    """Draw detections below and labelled events above, each with the labels that have room."""
    reach = ERROR_S * len(excerpt.signal) / excerpt.rate_hz
    place = {"recording": excerpt.recording, "from_s": excerpt.start_s}
    kinds = (
        (excerpt.labelled, rows.labelled, 1.1 + rows.n_found, "labelled", "missed"),
        (excerpt.found, rows.found, 0.0, "found", "false alarm"),
    )
    looks = dict(LEGEND)
    for marks, levels, foot, matched, alone in kinds:
        for mark, level in zip(marks, levels, strict=True):
            colour, shows = type_colour(mark.type), matched if mark.is_matched else alone
            filled: dict[str, Any] = {"markerfacecolor": colour, "markeredgewidth": 1.1}
            look = filled | looks[shows] | {"color": colour}
            [drawn] = upper.plot(mark.time_s, foot, **look, clip_on=False)
            added = numbers.add(**place, shows=shows, of=classes[mark.type], seconds=mark.time_s)
            shown = {"of": "", "seconds": "at"}
            numbers.mark(drawn, added, shown, name=shows, keys=[shows])
            if level >= 0:
                text = upper.text(
                    mark.time_s, foot + 0.62 + level, _label(mark, classes), ha="center",
                    va="bottom", fontsize=LABEL_SIZE, color=colour,
                    fontweight="normal" if mark.is_matched else "bold",
                )  # fmt: skip
                numbers.mark(text, keys=[shows])
            if not mark.is_matched:
                for axes in (upper, lower):
                    axes.axvspan(
                        mark.time_s - reach, mark.time_s + reach, color=ERROR, linewidth=0, zorder=0
                    )
    for mark in excerpt.found:
        lower.axvline(mark.time_s, color=type_colour(mark.type), linewidth=0.9, alpha=0.8, zorder=1)


def _finish(upper: Axes, lower: Axes, time: NDArray[np.float64], rows: _Rows) -> None:
    lower.set_xlim(time[0], time[-1])
    lower.margins(y=0.03)
    upper.set_ylim(-0.6, 1.6 + rows.n_found + rows.n_labelled)
    upper.set_yticks([0, 1.1 + rows.n_found], ["found", "labelled"])
    for axes in (upper, lower):
        axes.tick_params(axis="y", labelsize=6.5, length=0)
        axes.spines["left"].set_visible(False)
    upper.spines["bottom"].set_visible(False)
    upper.tick_params(axis="x", bottom=False, labelbottom=False)
    lower.tick_params(axis="x", labelsize=7)
    lower.xaxis.set_major_locator(MaxNLocator(8))
