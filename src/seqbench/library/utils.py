"""Prediction of a sequence, the refractory rule, and a figure of templates."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from seqbench.errors import UserError
from seqbench.library.models import EventSpecificClassifier, EventTemplateBank
from seqbench.library.models.events import EventClassifier
from seqbench.tasks.detection.refractory import check

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
) -> Figure:
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


class RefractoryPeriodEnforcer:
    """Applies the period to chunks of one recording, each with at most one event per type.

    It decides at once, so it may have to retract an event later: of two rivals,
    events of one type closer than the period, the more probable one is kept.

    Parameters
    ----------
    num_events
        Event types K.
    refractory_period_samples
        Shortest time between two events of one type.

    Attributes
    ----------
    retracted
        Events that an earlier call kept and the latest call retracts: pairs of
        type and global time in samples, by type.

    Notes
    -----
    The state holds the kept events of each type that can still be rivals of
    later ones, with their times in the recording and their probabilities. A
    new event that is more probable than all its rivals is kept, and they are
    retracted. Any other one with a rival is dropped, also a duplicate of an
    event in an overlapping chunk. Without probabilities the first one is kept.
    A dropped event is not restored if its rival is retracted;
    `seqbench.tasks.detection.stream.OnlineSelection` waits until it
    is certain, and needs no retraction.
    """

    def __init__(self, num_events: int = 16, refractory_period_samples: float = 4000) -> None:
        check("greedy", refractory_period_samples)
        self.num_events = num_events
        self.refractory_period_samples = refractory_period_samples
        self.reset()

    def reset(self) -> None:
        """Drop all state before another recording."""
        self._kept: list[list[tuple[float, float]]] = [[] for _ in range(self.num_events)]
        self._offset = -math.inf
        self.retracted: list[tuple[int, float]] = []

    def enforce(
        self,
        detected_events: ArrayLike,
        event_timings: ArrayLike,
        event_probs: ArrayLike | None = None,
        global_offset: float = 0,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the events of one chunk that respect the period.

        Parameters
        ----------
        detected_events
            Which types occur in the chunk, (K,), 0 or 1.
        event_timings
            In samples from the start of the chunk, (K,), 0 or more.
        event_probs
            Probability of each event, (K,); None: all are certain.
        global_offset
            Start of the chunk in the recording, in samples. Chunks may
            overlap, but must be in the order of their starts.

        Returns
        -------
        tuple of array
            Events and timings, 0 where there is no event or it was dropped.
            The inputs are not changed.

        Raises
        ------
        ValueError
            If a shape is not (K,), a chunk starts before the one before it, or
            an event is before its chunk or has NaN as its time or
            probability.
        """
        events, timings, probs = self._arrays(
            (self.num_events,), detected_events, event_timings, event_probs
        )
        if not global_offset >= self._offset:
            raise ValueError(
                f"a chunk starts at {global_offset}, before the last one at {self._offset};"
                " call reset() before another recording"
            )
        self._offset = global_offset
        self.retracted = []
        for k in range(self.num_events):
            # An event a period or more before this chunk has no rivals from now on.
            self._kept[k] = [
                event
                for event in self._kept[k]
                if global_offset - event[0] < self.refractory_period_samples
            ]
            if events[k] and not self._is_kept(
                k, global_offset + float(timings[k]), float(probs[k])
            ):
                events[k] = 0
        timings[events == 0] = 0
        return events, timings

    def enforce_batch(
        self,
        detected_events: ArrayLike,
        event_timings: ArrayLike,
        event_probs: ArrayLike | None = None,
        sequence_lengths: ArrayLike | None = None,
        global_offset: float = 0,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the events of consecutive chunks that respect the period.

        Parameters
        ----------
        detected_events, event_timings, event_probs
            As for `enforce`, (B, K).
        sequence_lengths
            Samples of each chunk, (B,). The next one starts where it ends.
        global_offset
            Start of the first chunk in the recording, in samples.

        Returns
        -------
        tuple of array
            Events and timings, (B, K). An event that loses to a later one of
            the batch is 0; `retracted` names events of earlier calls only.

        Raises
        ------
        ValueError
            As `enforce`, and if several chunks have no lengths.
        """
        n_chunks = len(np.asarray(detected_events))
        events, timings, probs = self._arrays(
            (n_chunks, self.num_events), detected_events, event_timings, event_probs
        )
        if sequence_lengths is None and n_chunks > 1:
            raise ValueError(
                "several chunks need sequence_lengths:"
                " the times of its events do not determine where a chunk starts"
            )
        lengths = np.zeros(n_chunks) if sequence_lengths is None else np.asarray(sequence_lengths)
        if lengths.shape != (n_chunks,):
            raise ValueError(f"sequence_lengths has shape {lengths.shape}, not ({n_chunks},)")
        starts = (global_offset + np.cumsum(lengths) - lengths).tolist()
        row_of: dict[tuple[int, float], int] = {}
        withdrawn: list[tuple[int, float]] = []
        for row, start in enumerate(starts):
            events[row], timings[row] = self.enforce(events[row], timings[row], probs[row], start)
            for event in self.retracted:
                if event in row_of:
                    events[row_of[event], event[0]] = 0
                    timings[row_of[event], event[0]] = 0
                else:
                    withdrawn.append(event)
            for k in np.flatnonzero(events[row]).tolist():
                row_of[k, start + float(timings[row, k])] = row
        self.retracted = sorted(withdrawn)
        return events, timings

    def _is_kept(self, kind: int, time: float, probability: float) -> bool:
        """Return whether an event is kept; retract the less probable rivals."""
        if not (time >= self._offset and probability >= 0):
            raise ValueError(
                f"an event of type {kind} has time {time} and probability {probability};"
                f" the time must not be before its chunk at {self._offset}"
            )
        rivals = [
            event
            for event in self._kept[kind]
            if abs(time - event[0]) < self.refractory_period_samples
        ]
        if any(probability <= rival[1] for rival in rivals):
            return False
        self.retracted += sorted((kind, rival[0]) for rival in rivals)
        others = [event for event in self._kept[kind] if event not in rivals]
        self._kept[kind] = [*others, (time, probability)]
        return True

    def _arrays(
        self,
        shape: tuple[int, ...],
        detected_events: ArrayLike,
        event_timings: ArrayLike,
        event_probs: ArrayLike | None,
    ) -> list[NDArray[Any]]:
        """Return copies of the inputs; without probabilities every event is certain."""
        probs = np.ones(shape) if event_probs is None else event_probs
        arrays = [np.array(values) for values in (detected_events, event_timings, probs)]
        names = ("detected_events", "event_timings", "event_probs")
        for name, values in zip(names, arrays, strict=True):
            if values.shape != shape:
                raise ValueError(f"{name} has shape {values.shape}, not {shape}")
        return arrays
