"""Figures of detection: exactness, lateness and trust in scores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.reporting.evidence.detection import DetectionEvidence, Timing
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.methods import BOUND, compared_rows, marker
from seqbench.reporting.figures.panels import DOTTED, empty, grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.formats import NOTHING, milliseconds, score
from seqbench.reporting.scores.leaderboards import ModelScores

N_SHOWN_TYPES = 24
N_ERROR_BINS = 41  # odd, so that one lies around 0
ROW_INCHES, BESIDE_INCHES = 0.27, 0.95  # height of a type, width of the words beside it
POINTS = 72  # in an inch
LABEL_POINTS = 11  # from one name at the end of a line to the next
LEADER = {"arrowstyle": "-", "color": style.HAIRLINE, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 1}


class _Line(NamedTuple):
    """F1 of a model, NaN where it is not defined, at each tolerance, and its s.d. over seeds."""

    row: ModelScores
    name: str
    f1: NDArray[np.float64]
    sd: NDArray[np.float64]


@FIGURES.register(
    "tolerance", title="F1 against tolerance", tasks=("detection",), order=20, block="scores",
    leads=True,
)  # fmt: skip
def tolerance(material: Material) -> Plot:
    """Mean F1 over runs on test, of the arm of each architecture selected on val and all baselines.

    Bold: the model selected on val, its band one standard deviation. Dash-dotted: the ceiling. Grey
    rule: the tolerance that ranks models.
    """
    board = material.board
    lines = [_line(row) for row in compared_rows(material)]
    right = 0.35 + style.CHARACTER_INCHES * max((len(line.name) for line in lines), default=0)
    figure, (axes,) = grid(1, 1, height=3.3, top=0.15, right=right)
    numbers = Numbers()
    for line in lines:
        rows = numbers.add(
            architecture=line.row.architecture, arm=line.row.arm, n=len(line.row.results),
            tolerance_ms=np.array(TOLERANCES_MS), f1=line.f1, sd=line.sd,
        )  # fmt: skip
        is_selected, colour = line.row == board.selected, material.colour(line.row)
        if is_selected:
            low, high = line.f1 - line.sd, line.f1 + line.sd
            band = axes.fill_between(
                TOLERANCES_MS, low, high, color=colour, alpha=0.15, linewidth=0
            )
            numbers.mark(band, keys=[line.name])
        [curve] = axes.plot(
            TOLERANCES_MS, line.f1, color=colour, linewidth=2.4 if is_selected else 1.1,
            linestyle=(0, (6, 2, 1, 2)) if line.row.is_ceiling else "-",
            marker=marker(material, line.row), markersize=4.5 if is_selected else 3,
            zorder=3 if is_selected else 2,
        )  # fmt: skip
        shown = {"tolerance_ms": "tolerance", "f1": "F1", "sd": "±"}
        numbers.mark(curve, rows, shown, name=line.row.name, keys=[line.name])
    ranking = material.of(DetectionEvidence).tolerance_ms
    axes.axvline(ranking, color=style.HAIRLINE, linewidth=4, zorder=0)
    axes.set(xscale="log", xlabel="tolerance (ms)", ylabel="F1 on test", ylim=(-0.02, 1.03))
    axes.set_xticks(TOLERANCES_MS, [f"{t:g}" for t in TOLERANCES_MS])
    axes.minorticks_off()
    axes.set_xlim(TOLERANCES_MS[0] / 1.12, TOLERANCES_MS[-1] * 1.12)
    axes.grid(axis="y")
    _name_ends(axes, lines, material)
    words = ""
    if board.selected is not None:
        f1 = {f"{t:g}": value for t, value in zip(TOLERANCES_MS, lines[-1].f1, strict=True)}
        values = [f"{score(f1[t])} at {t} ms" for t in ("0.5", "5", "150") if np.isfinite(f1[t])]
        words = f"{lines[-1].row.name}: F1 {', '.join(values) or NOTHING}."
    return numbers.plot(figure, words)


@FIGURES.register(
    "timing_errors", title="Onset errors by type", tasks=("detection",), order=21, block="scores"
)
def timing_errors(material: Material) -> Plot:
    """Onset errors of detections of all runs that match a test event; positive is late.

    Each histogram has its own height; the outermost bins hold all larger errors. A dark tick marks
    the mean, the number beside it. The red bar under a histogram spans one standard deviation to
    either side of the least error that noise allows (Cramér-Rao bound), where shapes and noise are
    known.
    """
    detection = material.of(DetectionEvidence)
    timings = detection.timings
    by_frequency = np.argsort(-detection.test.counts, kind="stable").tolist()
    shown = sorted(by_frequency[:N_SHOWN_TYPES])
    names = [short(detection.classes[k], 16) for k in shown]
    left = 0.25 + style.CHARACTER_INCHES * max(map(len, names))
    figure, panels = grid(
        len(timings), 2, height=0.35 + ROW_INCHES * len(shown), left=left, top=0.35,
        right=BESIDE_INCHES, gap=(BESIDE_INCHES, 0.45),
    )  # fmt: skip
    if not timings:
        return empty(figure, Numbers(), "No model has a detection.")
    limit = _error_limit(detection)
    numbers = Numbers()
    for axes, timing in zip(panels, timings, strict=True):
        _draw_ridges(axes, timing, shown, limit, material, numbers)
        axes.set(title=short(timing.row.name, 36), xlabel="onset error (ms)")
        axes.set_yticks(range(len(shown))[::-1], names if axes is panels[0] else [""] * len(names))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(-0.25, len(shown) + 0.1)
    biases = [
        f"{one.row.name} {milliseconds(one.late_ms.mean(), signed=True)} ms"
        for one in timings
        if len(one.late_ms)
    ]
    return numbers.plot(figure, f"Mean onset error: {', '.join(biases) or NOTHING}.")


def _line(row: ModelScores) -> _Line:
    at = [Estimate.of(row.results, f"f1_at_{t:g}ms") for t in TOLERANCES_MS]
    f1 = [np.nan if estimate.mean is None else estimate.mean for estimate in at]
    sd = [estimate.sd or 0.0 for estimate in at]
    return _Line(row, short(row.name, 30), np.array(f1), np.array(sd))


def _name_ends(axes: Axes, lines: list[_Line], material: Material) -> None:
    """Name lines to the right of their ends, moved apart where they would hide each other."""
    ends = [line for line in lines if np.isfinite(line.f1[-1])]
    ends.sort(key=lambda line: (line.f1[-1], line.name))
    height = axes.get_window_extent().height * POINTS / axes.figure.dpi
    low, high = axes.get_ylim()
    heights = [(line.f1[-1] - low) / (high - low) * height for line in ends]
    for line, at, own in zip(ends, _apart(heights, height), heights, strict=True):
        is_selected = line.row == material.board.selected
        axes.annotate(
            line.name, (1, own / height), xycoords="axes fraction", xytext=(16, at - own),
            textcoords="offset points", va="center", color=material.colour(line.row), fontsize=8,
            fontweight="bold" if is_selected else "normal", annotation_clip=False,
            arrowprops=LEADER,
        )  # fmt: skip


def _apart(heights: list[float], height: float) -> list[float]:
    """Move rising heights in points apart, from below and then, where they leave, from above."""
    placed: list[float] = []
    for at in heights:
        placed.append(max(at, placed[-1] + LABEL_POINTS) if placed else at)
    ceiling = max(height, LABEL_POINTS * (len(placed) - 1))
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - LABEL_POINTS
    return placed


def _error_limit(detection: DetectionEvidence) -> float:
    """Return how many milliseconds to show on either side: most errors, but no far stragglers."""
    limits = [3000 / detection.rate_hz]
    for late in (np.abs(timing.late_ms) for timing in detection.timings):
        if len(late):
            core, most = np.quantile(late, [0.75, 0.99]).tolist()
            limits.append(1.05 * min(most, 4 * core))
    return min(max(limits), detection.error_tolerance_ms)


def _draw_ridges(
    axes: Axes, timing: Timing, shown: list[int], limit: float, material: Material, numbers: Numbers
) -> None:
    colour, detection = material.colour(timing.row), material.of(DetectionEvidence)
    edges = np.linspace(-limit, limit, N_ERROR_BINS + 1)
    axes.axvline(0, **DOTTED | {"linewidth": 0.8}, zorder=0)
    for foot, kind in zip(range(len(shown))[::-1], shown, strict=True):
        late = timing.late_ms[timing.type == kind]
        axes.plot([-limit, limit], [foot, foot], color=style.HAIRLINE, linewidth=0.7, zorder=1)
        bias = float(late.mean()) if len(late) else 0.0
        words = f"{milliseconds(bias, signed=True)} ms · {len(late)}" if len(late) else "none found"
        axes.text(1.05 * limit, foot + 0.15, words, fontsize=6.5, color=style.MUTED)
        bound = detection.bounds_ms[kind]
        if bound is not None:
            reach = min(bound, limit)
            axes.plot([-reach, reach], [foot - 0.05] * 2, **BOUND)
        if not len(late):
            continue
        counts = np.histogram(np.clip(late, -limit, limit), edges)[0]
        axes.stairs(
            foot + 0.8 * counts / counts.max(), edges, baseline=foot, fill=True, color=colour,
            alpha=0.55, linewidth=0,
        )  # fmt: skip
        rows = numbers.add(
            model=timing.row.name, type=material.windows.classes[kind],
            from_ms=edges[:-1], to_ms=edges[1:], n=counts, n_matched=len(late), bias_ms=bias,
            bound_ms=bound,
        )  # fmt: skip
        [tick] = axes.plot(
            [np.clip(bias, -limit, limit)] * 2, [foot, foot + 0.86], color=style.INK, linewidth=1.3,
            solid_capstyle="butt",
        )  # fmt: skip
        shown_columns = {"n_matched": "events", "bias_ms": "bias", "bound_ms": "bound"}
        name = f"{timing.row.name}, {material.windows.classes[kind]}"
        numbers.mark(tick, rows[:1], shown_columns, name=name)
    axes.set_xlim(-limit * 1.02, limit * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
