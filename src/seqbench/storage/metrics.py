"""`metrics.json`: scores, costs and provenance of one run, as named fields with a checksum."""

from pathlib import Path
from typing import Any

from pydantic import Field

from seqbench.storage.checked_json import read_checked, write_checked
from seqbench.storage.event_counts import EventCounts
from seqbench.storage.records import Name, PretrainingOutcome, Record, RunRecord


class Score(Record):
    """A metric on one split.

    Attributes
    ----------
    value
        None where the metric is not defined.
    low, high
        Bounds of the 95 % interval; None where there is none.
    resampled
        Headline only: its value in every bootstrap resample, None where it is
        not defined in one.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    resampled: tuple[float | None, ...] | None = None


class Metrics(RunRecord):
    """What evaluating one run leaves for reports.

    Attributes
    ----------
    tested_on
        Another dataset whose test was scored; None: that of the run.
    headline
        The metric that ranks models on the dataset.
    scores
        By split, then by metric.
    pretraining
        Of the encoder the run started from; None: from random weights.
    model
        Options of the architecture or baseline.
    events
        Of detection: which events of test were found.
    metric_code
        Digest of the code of the metrics; None: not recorded. Equal code scores alike.
    """

    tested_on: Name | None = None
    headline: Name
    scores: dict[str, dict[str, Score]]
    pretraining: PretrainingOutcome | None = None
    model: dict[str, Any] = Field(default_factory=dict)
    events: EventCounts | None = None
    metric_code: Name | None = None


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics atomically, with their checksum."""
    write_checked(path, metrics)


def read_metrics(path: Path) -> Metrics:
    """Read what `write_metrics` wrote.

    Raises
    ------
    FormatError
        If the file is missing, no regular file, empty, cut, changed by as
        little as one bit, or no metrics of a run; the sentence names which.
    """
    return read_checked(path, Metrics, "the metrics of a run", {"run", "scores"})
