"""Headers of models, encoders, baselines and training states: typed and bounded.

Everything that decides how large a model is stands here with its bounds, so a
header is checked before anything is built or allocated from it.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from seqbench.config.stages import WindowSettings
from seqbench.storage.normalization import NormalizationRecord
from seqbench.storage.records import (
    Cost,
    Count,
    Name,
    PretrainingOutcome,
    Record,
    RunRecord,
    first_fault,
)
from seqbench.storage.targets import TargetsRecord
from seqbench.storage.windows import WindowSet

MAX_NAMES = 200_000  # a vocabulary of all Unicode characters fits
MAX_WINDOW_SAMPLES = 2**31
MAX_PIXELS = 65_536

Names = Annotated[tuple[str, ...], Field(max_length=MAX_NAMES)]
Options = dict[str, Any]
Rate = Annotated[float, Field(ge=1e-12, le=1e9)]
Duration = Annotated[float, Field(gt=0, le=MAX_WINDOW_SAMPLES)]
Pixels = Annotated[int, Field(ge=1, le=MAX_PIXELS)]
Sample = Annotated[str, Field(pattern="^(series|tokens|video)$")]
Number = int | float  # kept as it is: an epoch of 3 is not 3.0


class DataHeader(Record):
    """What a network or baseline must know of a dataset.

    Attributes
    ----------
    sample
        Kind of sample; of tokens `channels` is the vocabulary.
    channels, classes
        Names of the C channels and K classes or event types.
    frame_size
        Rows and columns (H, W) of a frame of video; else empty.
    sampling_rate_hz
        None where the source does not give it.
    refractory_s
        Shortest time between two events of one type; None: none known.
    duration_samples
        Median duration of the events of each type in train; None: no end of the type is known;
        empty: there are no events.
    targets
        Names, units and normalization of targets by sample; None without such.
    window_samples
        Longest window of train.
    """

    sample: Sample = "series"
    channels: Annotated[Names, Field(min_length=1)]
    frame_size: Annotated[tuple[Pixels, ...], Field(max_length=2)] = ()
    classes: Names
    sampling_rate_hz: Rate | None = None
    refractory_s: Annotated[float, Field(ge=0, le=1e6)] | None = None
    duration_samples: Annotated[tuple[Duration | None, ...], Field(max_length=MAX_NAMES)] = ()
    targets: TargetsRecord | None = None
    window_samples: Annotated[int, Field(ge=1, le=MAX_WINDOW_SAMPLES)]

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if len(self.duration_samples) not in (0, len(self.classes)):
            raise ValueError("duration_samples must have a number for each type")
        if len(self.frame_size) != (2 if self.sample == "video" else 0):
            raise ValueError("video has frames of (rows, columns), other samples have none")
        return self


class NetworkHeader(DataHeader):
    """What a network is built from.

    Attributes
    ----------
    task, task_options, architecture, architecture_options
        Registered names and their options.
    embedding_size
        Numbers that a token becomes; tokens only.
    head_dropout
        Between encoder and head.
    """

    task: Name
    task_options: Options = Field(default_factory=dict)
    architecture: Name
    architecture_options: Options
    embedding_size: Annotated[int, Field(ge=1, le=2**20)] | None = None
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class PredictorHeader(DataHeader, RunRecord):
    """What turns recordings, those of a benchmark or new ones, into predictions.

    Attributes
    ----------
    task_options
        Options of the task.
    cutting
        How recordings become windows.
    normalization
        Of the signal, from train.
    units
        Of the channels, "" where unknown; empty: of none is known.
    subtracted
        Number that was subtracted from each channel before it became single precision; empty: none.
    tolerance_ms
        Of the headline of detection; None of other tasks.
    tuned
        What the task chose on val.
    """

    task_options: Options = Field(default_factory=dict)
    cutting: WindowSettings = WindowSettings()
    normalization: NormalizationRecord
    units: Names = ()
    subtracted: tuple[Number, ...] = ()
    tolerance_ms: Annotated[float, Field(gt=0, le=1e6)] | None = None
    tuned: Options = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_normalization(self) -> Self:
        if self.sample != "tokens" and len(self.normalization.centre) != len(self.channels):
            raise ValueError("normalization must have a centre and a scale for each channel")
        if len(self.subtracted) not in (0, len(self.channels)):
            raise ValueError("subtracted must have a number for each channel")
        return self


class ModelHeader(NetworkHeader, PredictorHeader):
    """A trained network; `pretraining` is as in `Metrics`.

    Attributes
    ----------
    refit
        Whether it has learned from val too; `tuned` and the epoch were chosen there before.
    """

    kind: Literal["model"] = "model"
    refit: bool = False
    pretraining: PretrainingOutcome | None = None


class BaselineHeader(PredictorHeader):
    """A fitted baseline, by its registered name and options."""

    kind: Literal["baseline"] = "baseline"
    baseline: Name
    options: Options = Field(default_factory=dict)


def data_fields(train: WindowSet) -> dict[str, Any]:
    """Return the fields of `DataHeader`, from the windows that a model learns from."""
    return {
        "sample": train.sample,
        "channels": tuple(train.channels),
        "frame_size": train.frame_size,
        "classes": tuple(train.classes),
        "sampling_rate_hz": train.sampling_rate_hz,
        "refractory_s": train.timeline.refractory_s if train.timeline else None,
        "duration_samples": train.timeline.median_durations(len(train.classes))
        if train.timeline
        else (),
        "targets": train.targets.record() if train.targets else None,
        "window_samples": int(train.length.max()),
    }


def windowing_fields(train: WindowSet) -> dict[str, Any]:
    """Return how the windows that a model learns from were made, as fields of its header."""
    return {
        "cutting": train.cutting,
        "normalization": train.normalization.record(),
        "units": tuple(train.units),
        "subtracted": tuple(train.source.get("subtracted", ())),
        "tolerance_ms": train.timeline.tolerance_ms if train.timeline else None,
    }


class EncoderHeader(Record):
    """A pretrained encoder, with the settings of its pretraining.

    Attributes
    ----------
    sample, channels, frame_size, sampling_rate_hz
        Of the signals that it was trained on, as in `DataHeader`; no channels: not stated.
    """

    kind: Literal["encoder"] = "encoder"
    architecture: Name
    architecture_options: Options = Field(default_factory=dict)
    sample: Sample = "series"
    channels: Names = ()
    frame_size: Annotated[tuple[Pixels, ...], Field(max_length=2)] = ()
    sampling_rate_hz: Rate | None = None
    objective_options: Options = Field(default_factory=dict)
    optimizer: Options = Field(default_factory=dict)
    seed: Count = 0
    batch_size_halved: bool = False
    cost: Cost = Cost()
    pretraining: PretrainingOutcome


class StateHeader(Record):
    """The state of an unfinished training.

    Attributes
    ----------
    identity
        What decides the course of the training: settings, inputs, code, seed.
    course
        Epoch, history, best loss, schedule and times; see `training.state`.
    """

    model_config = ConfigDict(allow_inf_nan=True)  # before the first epoch the best loss is inf

    kind: Literal["state"] = "state"
    identity: dict[str, str]
    course: "CourseRecord"


class CourseRecord(Record):
    """Numbers of a training between two steps; its tensors stand beside them."""

    model_config = ConfigDict(allow_inf_nan=True)

    epoch: Count
    history: list[dict[str, Number]]
    best_loss: float
    best_epoch: Count
    schedule: dict[str, Number]
    train_s: float
    train_cpu_s: float


Header = ModelHeader | BaselineHeader | EncoderHeader | StateHeader
_HEADER: TypeAdapter[Header] = TypeAdapter(Annotated[Header, Field(discriminator="kind")])


def parse_header(text: str) -> Header:
    """Read the header of any kind of file from its JSON text.

    Raises
    ------
    ValueError
        If the text is no header, or a value is out of bounds; the message is one line.
    """
    try:
        return _HEADER.validate_json(text)
    except ValidationError as error:
        raise ValueError(first_fault(error)) from None
