"""Prediction of a sequence, the refractory rule, and a figure of templates."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from seqbench.errors import UserError
from seqbench.library.models import EventSpecificClassifier, EventTemplateBank
from seqbench.library.models.events import EventClassifier
from seqbench.library.refractory import RefractoryPeriodEnforcer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "RefractoryPeriodEnforcer",
    "detect_events_from_sequence",
    "visualize_learned_templates",
]

N_COLUMNS = 4


def detect_events_from_sequence(
    model: EventClassifier,
    sequence: ArrayLike,
    threshold: float = 0.5,
    apply_refractory: bool = True,
) -> dict[str, NDArray[np.float32]]:
    """Return the events of one sequence, at most one of each type, and their times.

    Parameters
    ----------
    model
        An `LSTMEventClassifier` or `EventSpecificClassifier`; it predicts on
        the device of its weights and keeps its mode.
    sequence
        (T, C).
    threshold
        Least probability of an event, in [0, 1].
    apply_refractory
        As of `EventClassifier.predict_events`. One event of a type in one
        sequence cannot violate the rule; `RefractoryPeriodEnforcer` applies it
        to the sequences of a recording.

    Returns
    -------
    dict of arrays
        ``detected_events``, 1 or 0; ``event_timings`` in samples from the
        start of the sequence, 0 where nothing is detected; ``event_probs``;
        (K,) each.

    Raises
    ------
    UserError
        If the sequence is not (T, C).
    """
    array = np.asarray(sequence, dtype=np.float32)
    if array.ndim != 2 or 0 in array.shape:
        raise UserError(f"a sequence is (samples, channels), this one has shape {array.shape}")
    device = next(model.parameters()).device
    predicted = model.predict_events(
        torch.from_numpy(array)[None].to(device), threshold, apply_refractory
    )
    return {name: values[0].cpu().numpy() for name, values in predicted.items()}


def visualize_learned_templates(
    model: EventSpecificClassifier | EventTemplateBank, save_path: str | Path
) -> "Figure":
    """Plot the template of each type with its delays, one line a channel.

    Parameters
    ----------
    model
        Holds the templates.
    save_path
        Image file; its suffix sets the format. Missing folders are created.

    Returns
    -------
    Figure
        Four panels in a row, one for each type; time is in samples from the
        onset of the event.
    """
    from matplotlib.figure import Figure

    bank = model if isinstance(model, EventTemplateBank) else model.template_bank
    with torch.no_grad():
        templates = bank.delayed().cpu().numpy()  # (K, C, samples)
    n_types, n_channels, n_samples = templates.shape
    time = np.arange(n_samples) - bank.max_delay_samples
    n_rows = math.ceil(n_types / N_COLUMNS)
    figure = Figure(figsize=(3 * N_COLUMNS, 2.2 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, N_COLUMNS, sharex=True, squeeze=False).flat
    for kind, panel in enumerate(panels):
        if kind >= n_types:
            panel.set_axis_off()
            continue
        for channel in range(n_channels):
            panel.plot(time, templates[kind, channel], linewidth=1, label=f"F{channel}")
        panel.axvline(0, color="0.7", linewidth=0.7, zorder=0)
        panel.set_title(f"event {kind}", fontsize=9)
    figure.supxlabel("samples from the onset")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    path = Path(save_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return figure
