"""Events found in recordings."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_RESULTS
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.storage.detections import Decoding, DetectionTuning
from seqbench.storage.model_header import PredictorHeader
from seqbench.tasks.detection.refractory import period_samples, select, wait_samples
from seqbench.tasks.results import Predicted, Results, Table


@dataclass(frozen=True)
class FoundEvent:
    """One event: onset in seconds on the clock of its recording, and where it may lie.

    A recording without a clock of its own starts at 0.

    The interval holds 95 % of the matched events of val; None where val had
    too few. `offset_s` is the end, None where none is predicted.
    """

    recording: str
    onset_s: float
    label: str
    score: float
    earliest_s: float | None
    latest_s: float | None
    offset_s: float | None = None


def columns(header: PredictorHeader) -> list[str]:
    """Return the columns of a table of events; only a model of ends has `offset_s`."""
    names = [field.name for field in fields(FoundEvent) if field.name != "offset_s"]
    if DetectionTuning.of_json(header.tuned).typical_samples:
        names.insert(names.index("onset_s") + 1, "offset_s")
    return names


@TASK_RESULTS.register("detection")
class DetectionResults(Results):
    """Events of each recording, by onset.

    Attributes
    ----------
    events
        Of all recordings, in their order.
    candidates
        Those that became events, `place` being an index into `names`; by recording and type.
    clocks
        When the samples of each recording were taken.
    """

    rows = ("event",)

    def __init__(self, predicted: Predicted) -> None:
        super().__init__(predicted)
        tuned = DetectionTuning.of_json(self.header.tuned)
        decoding, found = Decoding.of(tuned), predicted.values.with_ends(tuned.typical_samples)
        rate_hz = self.header.sampling_rate_hz or 1.0
        kept = select(
            found,
            decoding.thresholds[decoding.decoder],
            period_samples(self.header.refractory_s, rate_hz),
            decoding.decoder,
            wait_samples(decoding.wait_ms, rate_hz),
        )
        place = predicted.windows.events.recording[found.place[kept]]
        self.candidates = replace(found[kept], place=place)
        self.clocks = [one or SampleTimes.uniform(rate_hz) for one in self.times]
        self.events = self._events(tuned)

    @classmethod
    def check(cls, header: PredictorHeader) -> None:
        """Refuse a header without a sampling rate, or with thresholds of other types."""
        if header.sampling_rate_hz is None or header.tolerance_ms is None:
            raise ValueError("no sampling rate or tolerance")
        DetectionTuning.of_json(header.tuned).check(len(header.classes))

    def _events(self, tuned: DetectionTuning) -> list[FoundEvent]:
        kept = self.candidates
        duration = np.full(len(kept), np.nan)
        if kept.duration is not None:  # none lasts longer than its recording
            duration = np.minimum(kept.duration, np.array(self.lengths)[kept.place] - kept.time)
        values = (kept.place, kept.time, kept.type, kept.score, duration)
        rows = sorted(
            zip(*(one.tolist() for one in values), strict=True),
            key=lambda row: (row[0], row[1], self.classes[row[2]]),
        )
        found = []
        for place, *event in rows:
            name, clock = self.names[place], self.clocks[place]
            found.append(found_event(self.header, tuned, name, clock, *event))
        return found

    def arrays(self, rows: str | None = None) -> dict[str, NDArray[Any]]:
        """Return the columns of `table`; of an interval that is not known NaN."""
        kinds = {"recording": np.str_, "label": np.str_}
        return {
            name: np.array(column, dtype=kinds.get(name, np.float64))
            for name, column in self.table(rows).items()
        }

    def _table(self, rows: str) -> Table:
        names = columns(self.header)
        return {name: [getattr(event, name) for event in self.events] for name in names}


def found_event(
    header: PredictorHeader,
    tuned: DetectionTuning,
    recording: str,
    clock: SampleTimes | None,
    place: float,
    kind: int,
    score: float,
    duration: float,
) -> FoundEvent:
    """Return an event at a place among the samples of a recording, on its clock.

    Of a duration that is NaN there is no end.
    """
    times = clock or SampleTimes.uniform(header.sampling_rate_hz or 1.0)
    onset_s = times.time_s_at(place)
    bounds = tuned.timing_bounds_ms[kind]
    earliest, latest = (onset_s + b / 1000 for b in bounds) if bounds else (None, None)
    offset_s = None if math.isnan(duration) else times.time_s_at(place + duration)
    return FoundEvent(recording, onset_s, header.classes[kind], score, earliest, latest, offset_s)
