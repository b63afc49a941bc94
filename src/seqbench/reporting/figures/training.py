"""Figures of how training and pretraining went."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import arm_legend, choice, finish_curves, panels_of
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import LINE_STYLES


@FIGURES.register("learning_curves", title="Learning curves", order=30, block="cost")
def learning_curves(material: Material) -> Plot:
    """Validation loss of each run; pale: training loss.

    A dot marks the epoch whose weights are kept.
    """
    best_epoch = {result.run: result.cost("best_epoch") for result in material.results}
    curves = [
        _Curve(run.architecture, run.arm, run.dataset, run.seed, history, best_epoch.get(run))
        for run, history in material.histories.items()
        if run.labels == material.board.labels and not history.empty
    ]
    return _plot(material, curves, material.architectures, material.arms, "arm")


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
    return _plot(material, curves, architectures, objectives, "objective")


def _plot(
    material: Material, curves: list[_Curve], architectures: list[str], labels: list[str], kind: str
) -> Plot:
    """Draw a panel for each architecture and a line style for each label, which is of a kind."""
    held_out, measured, y = {
        "arm": ("val_loss", "val", "loss"),
        "objective": ("monitor_loss", "held_out", "loss of the objective"),
    }[kind]
    figure, panels = panels_of(architectures)
    numbers = Numbers()
    for one in curves:
        axes, colour = panels[one.architecture], material.colours[one.architecture]
        epoch, loss, train = (one.history[name] for name in ("epoch", held_out, "train_loss"))
        axes.plot(epoch, train, color=colour, alpha=0.22, linewidth=0.8)
        style = choice(LINE_STYLES, labels, one.label)
        axes.plot(epoch, loss, color=colour, linestyle=style, linewidth=1.2)
        known = {kind: one.label, "dataset": one.dataset, "seed": one.seed}
        if one.best_epoch is not None:
            kept = epoch == one.best_epoch
            axes.plot(epoch[kept], loss[kept], "o", color=colour, markersize=3.2)
            known["is_kept"] = kept.to_numpy()
        numbers.add(
            architecture=one.architecture, **known, epoch=epoch.to_numpy(),
            train_loss=train.to_numpy(), **{f"{measured}_loss": loss.to_numpy()},
        )  # fmt: skip
    losses = [one.history[name] for one in curves for name in (held_out, "train_loss")]
    finish_curves(figure, panels, losses, y)
    arm_legend(figure, labels, with_pale=True, measured=measured.replace("_", "-"))
    return Plot(figure, numbers.table)


class _Curve(NamedTuple):
    """Losses of one training, labelled by its arm or objective."""

    architecture: str
    label: str
    dataset: str
    seed: int
    history: pd.DataFrame
    best_epoch: float | None = None
