"""What the readers and writers of all label formats share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import number, plain
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.recording import Recording


@dataclass(frozen=True, kw_only=True)
class LabelFile:
    """A label file, and the recordings that it is of.

    Parameters
    ----------
    path
        The file.
    recordings
        By name; one, unless the format holds several recordings in a file.
    times
        When the samples of each recording were taken, before any resampling; None where that
        is unknown.
    intervals
        Whether labels are classes of intervals, not events.
    """

    path: Path
    recordings: Mapping[str, Recording]
    times: Mapping[str, SampleTimes | None]
    intervals: bool

    @property
    def only_recording(self) -> str:
        """Name of the recording, where the file is of one."""
        (name,) = self.recordings
        return name

    def entry(
        self,
        number: int,
        place: str,
        label: str,
        onset_s: float,
        offset_s: float | None,
        recording: str | None = None,
    ) -> LabelEntry:
        """Return an entry of the file.

        Raises
        ------
        DataError
            If its label is empty, or a time is not finite.
        """
        entry = LabelEntry(
            path=self.path,
            place=place,
            number=number,
            recording=self.only_recording if recording is None else recording,
            label=plain(label),
            onset_s=onset_s,
            offset_s=offset_s,
        )
        if not entry.label:
            raise entry.fault("the label is empty", "name it or remove it")
        for seconds in (onset_s, offset_s):
            if seconds is not None and not math.isfinite(seconds):
                raise entry.fault(f"the time {seconds} is not finite", "correct it")
        return entry

    def searched(self, number: int, place: str, recording: str | None = None) -> LabelEntry:
        """Return the entry which states that a recording was searched and holds no event."""
        return LabelEntry(
            path=self.path,
            place=place,
            number=number,
            recording=self.only_recording if recording is None else recording,
            label="",
        )

    def seconds_at(self, sample: float, recording: str, place: str) -> float:
        """Return the time of a sample, in seconds from the first one.

        Raises
        ------
        DataError
            If the recording has no sampling rate.
        """
        times = self.times[recording]
        if times is None:
            problem = f"its times are samples, and recording '{recording}' has no sampling rate"
            raise fault(self.path, problem, "set `sampling_rate_hz`", place=place)
        return times.time_s_at(sample) - times.start_s

    def end_s(self, recording: str, place: str) -> float:
        """Return the time of the sample behind the last one; see `seconds_at`."""
        one = self.recordings[recording]
        if one.times is None:
            return self.seconds_at(len(one.signal), recording, place)
        return one.times.time_s_at(len(one.signal)) - one.times.start_s

    def seconds(self, text: str, place: str) -> float:
        """Return the time that stands somewhere in the file."""
        seconds = number(text.strip())
        if seconds is None or not math.isfinite(seconds):
            hint = "write seconds from the start of the recording, with a decimal point"
            raise fault(self.path, f"'{text}' is not a number", hint, place=place)
        return seconds


@dataclass(frozen=True, kw_only=True)
class WrittenLabel:
    """An event to write into a label file.

    Parameters
    ----------
    sample
        The nearest one.
    onset_s, clock_s
        Seconds from the first sample, and on the clock of the recording.
    label, score
        Of the event.
    duration_s
        From onset to end; None: no end is known.
    """

    sample: int
    onset_s: float
    clock_s: float
    label: str
    score: float
    duration_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class WrittenRecording:
    """The recording that written labels are of."""

    file_name: str
    sampling_rate_hz: float
    duration_s: float
