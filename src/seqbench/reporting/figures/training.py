"""Figures of how training and pretraining went."""

from __future__ import annotations

import pandas as pd

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import arm_legend, choice, finish_curves, panels_of
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import LINE_STYLES


@FIGURES.register("learning_curves", title="Learning curves", order=30)
def learning_curves(material: Material) -> Plot:
    """Validation loss of each run; pale: training loss.

    A dot marks the epoch whose weights are kept.
    """
    board = material.board
    best_epoch = {result.run: result.cost("best_epoch") for result in material.results}
    figure, panels = panels_of(material.architectures)
    lines: list[pd.Series[float]] = []
    numbers = Numbers()
    for run, history in material.histories.items():
        if run.labels != board.labels or history.empty:
            continue
        axes, colour = panels[run.architecture], material.colours[run.architecture]
        style = choice(LINE_STYLES, material.arms, run.arm)
        epoch, val = history["epoch"], history["val_loss"]
        axes.plot(epoch, history["train_loss"], color=colour, alpha=0.22, linewidth=0.8)
        axes.plot(epoch, val, color=colour, linestyle=style, linewidth=1.2)
        kept = history[epoch == best_epoch.get(run)]
        axes.plot(kept["epoch"], kept["val_loss"], "o", color=colour, markersize=3.2)
        lines += [val, history["train_loss"]]
        numbers.add(
            architecture=run.architecture, arm=run.arm, dataset=run.dataset, seed=run.seed,
            epoch=epoch.to_numpy(), train_loss=history["train_loss"].to_numpy(),
            val_loss=val.to_numpy(), is_kept=(epoch == best_epoch.get(run)).to_numpy(),
        )  # fmt: skip
    finish_curves(figure, panels, lines, "loss")
    arm_legend(figure, material.arms, with_pale=True)
    return Plot(figure, numbers.table)


@FIGURES.register("pretraining", title="Pretraining curves", needs="pretraining", order=33)
def pretraining(material: Material) -> Plot:
    """Loss of the objective on held-out train recordings for each run; pale: training loss.

    Neither val nor test is used.
    """
    architectures = [
        a for a in material.architectures if any(a == key[0] for key in material.pretraining)
    ]
    objectives = sorted({objective for _, objective, *_ in material.pretraining})
    figure, panels = panels_of(architectures)
    lines: list[pd.Series[float]] = []
    numbers = Numbers()
    for (architecture, objective, dataset, seed), history in material.pretraining.items():
        axes, colour = panels[architecture], material.colours[architecture]
        epoch, monitor = history["epoch"], history["monitor_loss"]
        axes.plot(epoch, history["train_loss"], color=colour, alpha=0.22, linewidth=0.8)
        style = choice(LINE_STYLES, objectives, objective)
        axes.plot(epoch, monitor, color=colour, linestyle=style, linewidth=1.2)
        lines += [monitor, history["train_loss"]]
        numbers.add(
            architecture=architecture, objective=objective, dataset=dataset, seed=seed,
            epoch=epoch.to_numpy(), train_loss=history["train_loss"].to_numpy(),
            held_out_loss=monitor.to_numpy(),
        )  # fmt: skip
    finish_curves(figure, panels, lines, "loss of the objective")
    arm_legend(figure, objectives, with_pale=True, measured="held-out")
    return Plot(figure, numbers.table)
