"""`metrics.json`: scores, costs and provenance of one run, as named fields with a checksum.

The file is JSON for people and scripts: the fields of `Metrics`, and
``checksum``, the SHA-256 of those fields as canonical JSON. A changed value, a
cut file and a file of something else are refused on reading.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from seqbench.config.options import canonical_json
from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import write_json
from seqbench.storage.event_counts import EventCounts
from seqbench.storage.kinds import read_text
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
    """

    headline: Name
    scores: dict[str, dict[str, Score]]
    pretraining: PretrainingOutcome | None = None
    model: dict[str, Any] = Field(default_factory=dict)
    events: EventCounts | None = None


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics atomically, with their checksum."""
    content = metrics.model_dump(mode="json")
    write_json(path, content | {"checksum": _checksum(content)})


def read_metrics(path: Path) -> Metrics:
    """Read what `write_metrics` wrote.

    Raises
    ------
    FormatError
        If the file is missing, no regular file, empty, cut, changed by as
        little as one bit, or no metrics of a run; the sentence names which.
    """
    try:
        content = json.loads(read_text(path, "metrics"))
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged or cut short, it is no JSON ({error})") from None
    if not isinstance(content, dict) or not {"run", "scores", "checksum"} <= content.keys():
        raise DamagedError(f"{path}: not the metrics of a run, or of another version")
    if content.pop("checksum") != _checksum(content):
        raise DamagedError(f"{path}: damaged or edited, its checksum does not fit")
    try:
        return Metrics.parse(json.dumps(content))
    except ValueError as error:
        raise DamagedError(f"{path}: not the metrics of a run ({error})") from None


def _checksum(content: dict[str, Any]) -> str:
    try:
        text = canonical_json(content)
    except ValueError:  # NaN or infinity, which are never written
        return ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
