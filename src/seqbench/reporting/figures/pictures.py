"""Figures of video: frames as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.classification import ClassificationEvidence
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.sequences import SequenceEvidence
from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import grid, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot

N_EACH = 9  # pictures of a class
N_WINDOWS, N_SEEN, N_AHEAD = 3, 5, 10  # of test, and frames of each, at most
TRUTH = "input, true"

Picture = NDArray[np.floating[Any]]


@FIGURES.register(
    "pictures", title="Examples", tasks=("classification",), samples=("video",), block="data",
    order=41,
)  # fmt: skip
def pictures(material: Material) -> Plot:
    """First frames of train windows, evenly spread over each class; dark is high."""
    windows = material.of(ClassificationEvidence).train
    chosen = spread_over_classes(windows.label, len(windows.classes), N_EACH)
    margin = 0.25 + style.CHARACTER_INCHES * max(len(short(name, 12)) for name in windows.classes)
    figure, panels = grid(
        len(chosen), 2, height=0.36, left=margin, top=0.08, bottom=0.08, gap=(margin, 0.1)
    )
    numbers = Numbers()
    for axes, (kind, indices) in zip(panels, chosen.items(), strict=True):
        shown = [windows.window(i)[0, 0] for i in indices]
        for i, picture in zip(indices, shown, strict=True):
            recording = windows.names[windows.recording[i]]
            add_picture(numbers, picture, true=windows.classes[kind], recording=recording, window=i)
        show(axes, np.concatenate([np.pad(one, 1, constant_values=np.nan) for one in shown], 1))
        axes.set_ylabel(short(windows.classes[kind], 12), rotation=0, ha="right", va="center")
    return numbers.plot(figure, f"Windows of the classes {', '.join(windows.classes)}.")


@FIGURES.register(
    "frames", title="Predicted and true frames", tasks=("forecasting",), samples=("video",),
    order=21, block="windows", leads=True,
)  # fmt: skip
def frames(material: Material) -> Plot:
    """Test windows, evenly spread: the last input frames and the true next frames.

    Below: predictions of the model selected on val and of the best baseline. Frames are counted
    from the last input frame; dark is high.
    """
    evidence = material.of(SequenceEvidence)
    windows, shown = evidence.test, evidence.predicted
    targets = windows.required_targets
    names = [TRUTH, *(short(one.row.name, 24) for one in shown)]
    left = 0.25 + style.CHARACTER_INCHES * max(map(len, names))
    ahead = spread(targets.horizon_samples, N_AHEAD)
    chosen = spread(len(windows), N_WINDOWS)
    n_seen = min(N_SEEN, int(windows.length[chosen].min()))
    ticks = [*range(1 - n_seen, 1), *(ahead + 1)]
    rows, columns = windows.frame_size
    height = len(names) * rows / (columns * len(ticks)) * (style.WIDTH_INCHES - left - 0.12)
    figure, panels = grid(
        len(chosen), 1, height=height, left=left, top=0.3, bottom=0.3, gap=(0.2, 0.35)
    )
    numbers = Numbers()
    for axes, window in zip(panels, chosen, strict=True):
        recording = windows.names[windows.recording[window]]
        seen = targets.values[windows.rows_around_end(-n_seen, 0)[window]]
        of_window = shown[0].sequences.sequence == window
        true = shown[0].sequences.target[of_window][ahead]
        past = tiles(seen)
        strips = [np.concatenate([past, tiles(true)], 1)]
        drawn = [("input", ticks[:n_seen], seen), ("true", ticks[n_seen:], true)]
        for one in shown:
            predicted = one.sequences.prediction[of_window][ahead]
            strips.append(np.concatenate([np.full_like(past, np.nan), tiles(predicted)], 1))
            drawn.append((one.row.name, ticks[n_seen:], predicted))
        for shows, steps, of_steps in drawn:
            place = {"recording": recording, "window": window, "shows": shows}
            for step, picture in zip(steps, of_steps[:, 0], strict=True):
                add_picture(numbers, picture, **place, frame=step)
        limits = (float(np.nanmin(strips[0])), float(np.nanmax(strips[0])))
        show(axes, np.concatenate(strips), limits)
        axes.set_yticks((np.arange(len(names)) + 0.5) * (rows + 2) - 0.5, names)
        axes.tick_params(length=0)
        axes.set_title(short(recording, 30))
    panels[-1].set_xticks((np.arange(len(ticks)) + 0.5) * (columns + 2) - 0.5, ticks)
    return numbers.plot(figure, evidence.errors)


def spread_over_classes(
    label: NDArray[np.int64], n_classes: int, n_each: int
) -> dict[int, list[int]]:
    """Choose up to `n_each` windows of each class, evenly over the table."""
    of_class = {k: np.flatnonzero(label == k) for k in range(min(n_classes, style.N_SHOWN_CLASSES))}
    return {k: own[spread(len(own), n_each)].tolist() for k, own in of_class.items() if len(own)}


def add_picture(numbers: Numbers, picture: Picture, **place: Any) -> None:
    """Add a picture (H, W) as H rows, with a column for each of its columns."""
    pixels = {f"x{column}": values for column, values in enumerate(picture.T)}
    numbers.add(**place, y=np.arange(len(picture)), **pixels)


def tiles(pictures: Picture) -> Picture:
    """Return the first planes of pictures (S, C, H, W) side by side, with a gap around each."""
    planes = [np.pad(one, 1, constant_values=np.nan) for one in pictures[:, 0].astype(np.float32)]
    return np.concatenate(planes, axis=1)


def show(axes: Axes, picture: Picture, limits: tuple[float, float] | None = None) -> None:
    """Draw a picture (H, W), dark where its values are high, without axes around it.

    `limits` are the values that are white and black; None: the least and the most of it.
    """
    low, high = limits or (None, None)
    axes.imshow(picture, cmap="Greys", interpolation="nearest", vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=style.HAIRLINE)
