"""The task: which events happen in a recording, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Level
from seqbench.config.registry import TASKS
from seqbench.errors import UserError
from seqbench.storage.detections import Candidates, Decoding, Detections, DetectionTuning
from seqbench.storage.model_header import DataHeader, NetworkHeader
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.tasks.detection.refractory import DECODERS, period_samples
from seqbench.tasks.detection.thresholds import timing_bounds_ms, tune

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.detection.target import EventTable
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import SampleRows


@TASKS.register("detection", labels="events")
class DetectionTask(Task):
    """Recording to typed, timed events.

    Parameters
    ----------
    decoder
        How candidates become events: `threshold` keeps all that are likely
        enough, `greedy` the likelier of two that are closer than the
        refractory period, `optimal` the likeliest set that keeps the period,
        `bounded` the first that the period allows, so that none waits for its end.
    wait_ms
        How long `bounded` waits for a likelier candidate before it keeps one.
    presence
        Loss of presence: penalty-reduced `focal` loss or `bce`.
    offset_weight
        Weight of the time within a frame in the loss; presence weighs 1.
    template_weight
        Weight of the alignment of templates, for encoders that have them.
    refractory_weight
        Weight of the penalty on pairs of events closer than the refractory period.
    durations
        Predict the end of events as well, and score it. A method that gives no
        ends takes the median duration of the type in train.
    """

    name = "detection"
    headline = "f1_at_5ms"
    tiebreak = "onset_mae_ms"
    tunes_on_val = True

    def __init__(
        self,
        *,
        decoder: Literal["optimal", "greedy", "threshold", "bounded"] = "optimal",
        wait_ms: Level = 20.0,
        presence: Literal["focal", "bce"] = "focal",
        offset_weight: Level = 1.0,
        template_weight: Level = 0.5,
        refractory_weight: Level = 0.1,
        durations: bool = False,
    ) -> None:
        self.decoder = decoder
        self.wait_ms = wait_ms
        self.presence = presence
        self.offset_weight = offset_weight
        self.template_weight = template_weight
        self.refractory_weight = refractory_weight
        self.durations = durations

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build presence, offset and perhaps duration for every frame and type."""
        from seqbench.tasks.detection.head import DetectionHead
        from seqbench.tasks.detection.pursuit_head import PursuitHead

        if header.sampling_rate_hz is None:
            raise ValueError("detection needs a sampling rate")
        kind = PursuitHead if encoder.n_type_features else DetectionHead
        return kind(
            encoder,
            len(header.classes),
            self,
            dropout=header.head_dropout,
            refractory_samples=period_samples(header.refractory_s, header.sampling_rate_hz),
            typical_samples=self.typical_samples(header),
        )

    def targets(self, windows: WindowSet, signal: SampleRows) -> EventTable:
        """Return the events of every window."""
        from seqbench.tasks.detection.target import EventTable

        return EventTable(windows.events, signal.device)

    def typical_samples(self, data: DataHeader) -> tuple[float | None, ...]:
        """Return the median duration of each type in train, (K,); empty if ends do not matter.

        Raises
        ------
        UserError
            If ends are to be predicted, but none is known.
        """
        if not self.durations:
            return ()
        if not any(data.duration_samples):
            raise UserError(
                "tasks.detection.durations: no event of train has an end; add ends to the labels,"
                " or leave the option out"
            )
        return data.duration_samples

    def labels_inside(
        self, windows: WindowSet
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the type of every event, and which events begin in each window."""
        events, stop = windows.events, windows.start + windows.length
        first, last = (np.searchsorted(events.onset, at) for at in (windows.start, stop))
        return events.type, first, last

    def join(
        self,
        windows: WindowSet,
        predicted: Candidates,
        *,
        are_probabilities: bool,
        tuned: dict[str, Any],
    ) -> Detections:
        """Join candidates with the recordings they were found in."""
        of_val = DetectionTuning.of_json(tuned)
        return Detections.of(
            windows,
            predicted.with_ends(of_val.typical_samples),
            Decoding.of(of_val),
            are_probabilities=are_probabilities,
            durations=self.durations,
        )

    def tune(
        self,
        windows: WindowSet,
        predicted: Candidates,
        *,
        are_probabilities: bool,
        data: DataHeader,
        are_decisions: bool = False,
    ) -> dict[str, Any]:
        """Choose the threshold of each type on val, and bound the timing errors there.

        Of candidates that are decisions all are kept, as far as the refractory period allows.
        """
        typical_samples = self.typical_samples(data)
        undecided = Decoding(decoder=self.decoder, thresholds={}, wait_ms=self.wait_ms)
        found = Detections.of(windows, predicted, undecided, are_probabilities=are_probabilities)
        if are_decisions:
            none = dict.fromkeys(DECODERS, np.zeros(len(windows.classes)))
            decoding = replace(undecided, thresholds=none)
        else:
            decoding = tune(found, self.decoder)
        found = Detections.of(windows, predicted, decoding, are_probabilities=are_probabilities)
        tuned = decoding.tuning(timing_bounds_ms(found))
        return tuned | ({"typical_samples": list(typical_samples)} if typical_samples else {})

    def headline_of(self, windows: WindowSet) -> str:
        """Return F1 at the tolerance of the dataset: over all events, or the mean over types."""
        family = "f1_at" if windows.events.ranked_types is None else "macro_f1_at"
        return f"{family}_{windows.events.tolerance_ms:g}ms"
