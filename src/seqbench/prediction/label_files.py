"""Predicted events as label files of other programs, for a person to look at them there."""

from collections.abc import Callable, Iterable
from pathlib import Path

from seqbench.datasets.labels.formats.audacity_track import write_audacity
from seqbench.datasets.labels.formats.bids_events import write_bids
from seqbench.datasets.labels.formats.label_file import WrittenLabel, WrittenRecording
from seqbench.datasets.labels.formats.label_studio_json import write_label_studio
from seqbench.datasets.labels.formats.praat_textgrid import write_textgrid
from seqbench.datasets.labels.formats.wfdb_annotations import write_wfdb
from seqbench.prediction.event_finder import RecordingEvents

WRITERS: dict[str, Callable[[Path, Iterable[WrittenLabel], WrittenRecording], None]] = {
    "audacity": write_audacity,
    "bids": write_bids,
    "label_studio": write_label_studio,
    "textgrid": write_textgrid,
    "wfdb": write_wfdb,
}


def write_label_file(
    path: Path, label_format: str, found: RecordingEvents, recording_name: str
) -> None:
    """Write the events of a recording, times in seconds from its first sample.

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
        If the format cannot hold a label, or its library is not installed.
    """
    rate, start_s = found.times.rate_hz, found.times.start_s
    recording = WrittenRecording(
        file_name=recording_name, sampling_rate_hz=rate, duration_s=found.n_samples / rate
    )
    last_s = (found.n_samples - 1) / rate
    labels = [
        # Times lie between samples, that of the first or last event perhaps a little outside.
        WrittenLabel(
            onset_s=float(min(max(one.onset_s - start_s, 0.0), last_s)),
            label=one.label,
            score=one.score,
        )
        for one in found.events
    ]
    WRITERS[label_format](path, labels, recording)
