"""Figures of how training and pretraining went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import (
    TRAIN,
    arm_legend,
    choice,
    empty,
    finish_curves,
    stacked_panels,
)
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import LINE_STYLES
from seqbench.reporting.scores.metrics import metric_label

LOSS_INCHES, SCORE_INCHES = 1.35, 0.85  # heights of panels
ONE_EPOCH = "Every training has a single epoch."


@FIGURES.register("learning_curves", title="Learning curves", order=30, block="cost")
def learning_curves(material: Material) -> Plot:
    """Loss on val of each run over its epochs, and below it the score on val; pale: loss on train.

    The score is the one that is watched in training, on windows one by one; in detection it is F1
    of frames, not of events. A dot marks the epoch whose weights are kept.
    """
    best_epoch = {result.run: result.cost("best_epoch") for result in material.results}
    curves = [
        _Curve(run.architecture, run.arm, run.dataset, run.seed, history, best_epoch.get(run))
        for run, history in material.histories.items()
        if run.labels == material.board.labels and not history.empty
    ]
    return _plot(material, curves, material.architectures, material.arms, ON_VAL)


@FIGURES.register(
    "pretraining", title="Pretraining curves", needs="pretraining", order=33, block="cost"
)
def pretraining(material: Material) -> Plot:
    """Loss of the objective on held-out train recordings for each run; pale: training loss.

    Neither val nor test is used.
    """
    curves = [_Curve(*key, history) for key, history in material.pretraining.items()]
    used = {curve.architecture for curve in curves}
    architectures = [name for name in material.architectures if name in used]
    objectives = sorted({curve.label for curve in curves})
    return _plot(material, curves, architectures, objectives, ON_HELD_OUT)


def _plot(
    material: Material,
    curves: list[_Curve],
    architectures: list[str],
    labels: list[str],
    course: _Course,
) -> Plot:
    """Draw panels for each architecture and a line style for each label, which is of a kind."""
    score = _score_column(curves) if course is ON_VAL else ""
    heights = [LOSS_INCHES, SCORE_INCHES] if score else [LOSS_INCHES]
    figure, stacks = stacked_panels(architectures, heights)
    numbers = Numbers()
    if not curves:
        return empty(figure, numbers, "No training is recorded.")
    for one in curves:
        _draw(stacks, one, course, score, material.colours[one.architecture], labels, numbers)
    losses = [one.history[name] for one in curves for name in (course.column, "train_loss")]
    finish_curves(figure, stacks[0], losses)
    for axes in stacks[0].values():
        axes.set_ylabel(course.loss)
    for axes in stacks[1].values() if score else ():
        axes.set_ylabel(f"{metric_label(score.removeprefix('val_'))}\non val")
        axes.grid(axis="y")
        axes.yaxis.set_major_locator(MaxNLocator(3))
    arm_legend(figure, labels, with_pale=True, measured=course.measured)
    n_epochs = max(len(one.history) for one in curves)
    return numbers.plot(figure, left_out=ONE_EPOCH if n_epochs == 1 else "")


def _draw(
    stacks: Sequence[Mapping[str, Axes]],
    one: _Curve,
    course: _Course,
    score: str,
    colour: str,
    labels: list[str],
    numbers: Numbers,
) -> None:
    """Draw the losses of a training and, where there is a second panel, its score."""
    epoch, loss, train = (one.history[name] for name in ("epoch", course.column, "train_loss"))
    is_kept = (epoch == one.best_epoch).to_numpy()
    known: dict[str, Any] = {course.kind: one.label, "dataset": one.dataset, "seed": one.seed}
    at = {"epoch": "epoch"}
    shown = at | {f"{course.name}_loss": f"loss on {course.measured}", "train_loss": "on train"}
    drawn = [(stacks[0], loss, shown)]
    known |= {"train_loss": train.to_numpy(), f"{course.name}_loss": loss.to_numpy()}
    if score in one.history:
        words = f"{metric_label(score.removeprefix('val_'))} on val"
        drawn.append((stacks[1], one.history[score], at | {score: words}))
        known |= {score: one.history[score].to_numpy()}
    if one.best_epoch is not None:
        known["is_kept"] = is_kept
    rows = numbers.add(architecture=one.architecture, epoch=epoch.to_numpy(), **known)
    label = one.label if len(labels) > 1 else f"{one.label}, {course.measured}"
    name = f"{one.architecture} · {one.label}, seed {one.seed}"
    [pale] = stacks[0][one.architecture].plot(epoch, train, color=colour, alpha=0.22, linewidth=0.8)
    numbers.mark(pale, keys=(label, TRAIN))
    look = {"color": colour, "linestyle": choice(LINE_STYLES, labels, one.label), "linewidth": 1.2}
    kept = [row for row, is_best in zip(rows, is_kept, strict=True) if is_best]
    for panels, values, shown in drawn:
        axes = panels[one.architecture]
        [line] = axes.plot(epoch, values, **look)
        numbers.mark(line, rows, shown, name=name, keys=[label])
        if not is_kept.any():
            continue
        [dot] = axes.plot(epoch[is_kept], values[is_kept], "o", color=colour, markersize=3.2)
        numbers.mark(dot, kept, shown, name=f"{name}, kept", keys=[label])


def _score_column(curves: list[_Curve]) -> str:
    """Return the column of the score on val, which differs between tasks; empty: there is none."""
    columns = dict.fromkeys(name for one in curves for name in one.history.columns)
    scores = [name for name in columns if name.startswith("val_") and name != ON_VAL.column]
    return scores[0] if scores else ""


class _Course(NamedTuple):
    """What is recorded of a kind of training.

    `kind` is what a line style stands for, `column` the loss of the history that is watched,
    `name` the same in our table, `measured` in words, `loss` the name of the axis.
    """

    kind: str
    column: str
    name: str
    measured: str
    loss: str


ON_VAL = _Course("arm", "val_loss", "val", "val", "loss")
ON_HELD_OUT = _Course("objective", "monitor_loss", "held_out", "held-out", "loss of the objective")


class _Curve(NamedTuple):
    """Losses of one training, labelled by its arm or objective."""

    architecture: str
    label: str
    dataset: str
    seed: int
    history: pd.DataFrame
    best_epoch: float | None = None
