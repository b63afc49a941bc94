"""Predicted events as label files of other programs, for a person to look at them there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqbench.datasets.labels.formats.audacity_track import write_audacity
from seqbench.datasets.labels.formats.bids_events import write_bids
from seqbench.datasets.labels.formats.label_file import WrittenLabel, WrittenRecording
from seqbench.datasets.labels.formats.label_studio_json import write_label_studio
from seqbench.datasets.labels.formats.praat_textgrid import write_textgrid
from seqbench.datasets.labels.formats.wfdb_annotations import write_wfdb
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.errors import UserError
from seqbench.tasks.detection.results import DetectionResults, FoundEvent
from seqbench.tasks.results import Results

WRITERS: dict[str, Callable[[Path, Iterable[WrittenLabel], WrittenRecording], None]] = {
    "audacity": write_audacity,
    "bids": write_bids,
    "label_studio": write_label_studio,
    "textgrid": write_textgrid,
    "wfdb": write_wfdb,
}

WITHOUT_ENDS = ("textgrid", "wfdb")


@dataclass(frozen=True)
class RecordingEvents:
    """The events of one recording by onset, its number of samples, and when they were taken."""

    events: list[FoundEvent]
    n_samples: int
    times: SampleTimes

    @classmethod
    def of(cls, found: Results) -> "RecordingEvents":
        """Return what was found, where that is events in one recording.

        Raises
        ------
        UserError
            If it is something else.
        """
        if not isinstance(found, DetectionResults):
            raise UserError(
                f"label files hold events, not predictions of {found.header.task}; write a table:"
                " end --out in .csv, and leave --format out"
            )
        if len(set(found.names)) > 1:
            raise UserError("a label file holds the events of one recording; name one")
        starts = np.cumsum(found.lengths) - found.lengths
        times = SampleTimes.joined(found.clocks, starts.tolist())
        return cls(found.events, sum(found.lengths), times)


def write_label_file(
    path: Path, label_format: str, found: RecordingEvents, recording_name: str
) -> None:
    """Write the events of a recording.

    Parameters
    ----------
    path
        The file to write.
    label_format
        A key of `WRITERS`.
    found
        The events.
    recording_name
        Name of the file that they were found in.

    Raises
    ------
    DataError
        If the format cannot hold a label.
    UserError
        If it holds no ends, but events have some.
    """
    if label_format in WITHOUT_ENDS and any(one.offset_s is not None for one in found.events):
        raise UserError(
            f"files of {label_format} hold points, and these events have ends; choose another"
            " --format"
        )
    times, last = found.times, found.n_samples - 1
    recording = WrittenRecording(
        file_name=recording_name,
        sampling_rate_hz=times.rate_hz,
        duration_s=times.time_s_at(found.n_samples) - times.start_s,
    )
    labels = []
    for one in found.events:
        # Places lie between samples, that of the first or last event perhaps a little outside.
        place = float(min(max(times.sample_at(one.onset_s), 0.0), last))
        clock_s = times.time_s_at(place)
        labels.append(
            WrittenLabel(
                sample=round(place),
                onset_s=clock_s - times.start_s,
                clock_s=clock_s,
                label=one.label,
                score=one.score,
                duration_s=None if one.offset_s is None else max(one.offset_s - clock_s, 0.0),
            )
        )
    WRITERS[label_format](path, labels, recording)
