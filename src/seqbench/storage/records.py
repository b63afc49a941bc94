"""Records that the header of a model and `metrics.json` share: typed, closed, checked on reading.

Numbers are finite, unknown keys are refused, and nothing is converted: text is no number.
"""

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seqbench.errors import one_line

MAX_SHOWN = 80

Name = Annotated[str, Field(min_length=1, max_length=1_000)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0)]


class Record(BaseModel):
    """A closed, immutable group of named fields with a JSON form."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=()
    )

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Self:
        """Read JSON values; see `parse`."""
        return cls.parse(json.dumps(values))

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read JSON text.

        Raises
        ------
        ValueError
            If the text is no JSON or not of this form; its message names the first fault in
            one line.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ValueError(first_fault(error)) from None


def first_fault(error: ValidationError) -> str:
    """Return the first fault that pydantic found, with its key, in one line."""
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    shown = one_line(repr(fault["input"]))
    shown = shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + "…"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{one_line(key)[:MAX_SHOWN]}: {one_line(message)}, not {shown}" if key else message


class RunIdentity(Record):
    """Which run of a benchmark a file belongs to."""

    dataset: Name
    architecture: Name
    arm: Name
    labels: Annotated[float, Field(gt=0, le=1)]
    seed: Count


class Cost(Record):
    """Measured costs of one run; None: not measured.

    Times with `_s` are wall seconds and with `_cpu_s` processor seconds of a
    stage; `predict` is the prediction of test, `_per_s` for each second of its
    signal, `compile` of code before both.
    """

    train_s: Seconds | None = None
    train_cpu_s: Seconds | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    n_parameters: Count | None = None
    macs_per_window: Count | None = None
    peak_memory_bytes: Count | None = None
    pretrain_s: Seconds | None = None
    pretrain_cpu_s: Seconds | None = None
    predict_s: Seconds | None = None
    predict_cpu_s: Seconds | None = None
    predict_s_per_s: Seconds | None = None
    compile_s: Seconds | None = None


class PretrainingOutcome(Record):
    """How the pretraining of an encoder ended.

    Attributes
    ----------
    objective
        Registered name.
    dataset
        Whose train windows it learned from, each fold one; None: not stated.
    watched
        Means over held-out windows in the epoch whose weights were kept.
    collapse
        Why the encoder is of little use; None: nothing points to it.
    """

    objective: Name
    dataset: Name | None = None
    watched: dict[str, float] = Field(default_factory=dict)
    collapse: str | None = None


class Provenance(Record):
    """Code, versions and machine that made a result; see `process.origin`."""

    versions: dict[str, str] = Field(default_factory=dict)
    commit: str = "unknown"
    machine: dict[str, str] = Field(default_factory=dict)
    device: str | None = None
    threads: Count | None = None
    gpus: Count | None = None
    batch_size_halved: bool | None = None
    evaluated_at_commit: str | None = None


class RunRecord(Record):
    """What is kept of every run, in the header of its model and with its scores.

    Attributes
    ----------
    run
        Identity of the run.
    task
        Registered name.
    cost
        Of pretraining, training and prediction, as far as they are done.
    n_windows
        Windows of each split that the run used.
    provenance
        Of training; with scores, also the commit of the evaluation.
    """

    run: RunIdentity
    task: Name
    cost: Cost = Cost()
    n_windows: dict[str, Count] = Field(default_factory=dict)
    provenance: Provenance = Provenance()
