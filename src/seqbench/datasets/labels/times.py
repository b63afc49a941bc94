"""How the times of labels become samples."""

from dataclasses import dataclass

from seqbench.config.options import TimeOrigin
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.reading.clock import SampleTimes

SAME_PLACE = 0.5  # of a sample: a clock that starts nearer to 0 starts there
TINY = 1e-6  # of a sample: differences of decimal fractions are off by less


@dataclass(frozen=True)
class LabelTimes:
    """How the times of labels become places in one recording.

    Parameters
    ----------
    n_samples
        Samples of the recording.
    times
        When they were taken; None where that is unknown.
    origin
        Whether labels count from the first sample or are on the clock of the
        recording; None: from the first sample, but a time that may be either is refused.
    """

    n_samples: int
    times: SampleTimes | None
    origin: TimeOrigin | None

    def place(self, entry: LabelEntry, time_s: float) -> float:
        """Return where a time of an entry lies among the samples, whole at that of a sample.

        Raises
        ------
        DataError
            If the clock is unknown, or starts elsewhere than at 0 and has this
            time, too, and nobody said whether labels use it.
        """
        if self.times is None:
            hint = "set `sampling_rate_hz`, which turns seconds into samples"
            raise entry.fault("the sampling rate is unknown", hint)
        start_s, on_clock = self.times.start_s, self.times.sample_at(time_s)
        starts_elsewhere = abs(start_s) * self.times.rate_hz >= SAME_PLACE
        if self.origin is None and starts_elsewhere and 0 <= on_clock <= self.n_samples:
            problem = f"the clock of recording '{entry.recording}' starts at {start_s:.10g} s"
            hint = "set `times: clock` if labels use it, or `times: start` if they count from the"
            raise entry.fault(problem, f"{hint} first sample")
        place = on_clock if self.origin == "clock" else self.times.sample_at(start_s + time_s)
        return 0.0 if -TINY < place < 0 else place

    def is_in_gap(self, entry: LabelEntry, *, by_onset: bool) -> bool:
        """Return whether an entry, or its onset, touches no sample: it lies in a gap."""
        if self.times is None or entry.onset_s is None or len(self.times.starts) == 1:
            return False
        zero_s = 0.0 if self.origin == "clock" else self.times.start_s
        onset_s = zero_s + entry.onset_s
        if not self.times.is_in_gap(onset_s):
            return False
        if by_onset or entry.offset_s is None:
            return True
        offset_s = zero_s + entry.offset_s
        return self.times.sample_at(offset_s) <= self.times.sample_at(onset_s)

    def time_s_at(self, sample: float) -> float:
        """Return the time of a sample as labels have it."""
        if self.times is None:
            raise ValueError("the sampling rate is unknown")
        zero_s = 0.0 if self.origin == "clock" else self.times.start_s
        return self.times.time_s_at(sample) - zero_s

    def keep_within(self) -> str:
        """Return the hint for a time outside of the recording."""
        first, last = self.time_s_at(0), self.time_s_at(self.n_samples)
        return f"keep within {first:.10g} s to {last:.10g} s, or correct the sampling rate"
