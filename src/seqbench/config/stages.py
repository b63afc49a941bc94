"""Settings of single stages: how to split, to cut and to train, with bounds and defaults."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seqbench.config.options import (
    AugmentationNames,
    Count,
    Fraction,
    Level,
    NaturalNumber,
    Options,
    Positive,
)

STATE_EVERY_S = 60.0  # between two states of a training, unless the config sets another
# In the environment, if set: states of trainings that are done stay. A job of a cluster that fails
# loses the outputs of all steps in it; the next one takes these trainings up where they ended.
STATES_STAY = "SEQBENCH_STATES_STAY"
MAX_FOLDS = 1000


class Fold(Options):
    """Which recordings are test, of folds that are test in turn."""

    n_folds: Annotated[int, Field(ge=2)]
    repeat: NaturalNumber
    index: NaturalNumber


class SplitSettings(Options):
    """Which recordings are train, val and test; decided before any window is cut."""

    val: Fraction | list[str] = Field(
        0.2, description="Fraction of the groups, or names of recordings or groups, for val."
    )
    test: Fraction | list[str] | None = Field(
        None, description="The same for test; empty: the official split, else 0.2 of the groups."
    )
    by: Literal["group", "recording", "time"] = Field(
        "group",
        description="What a split never cuts through; time: each recording is cut into train, val"
        " and test, the latest last.",
    )
    seed: NaturalNumber = Field(0, description="Seed of the draw; the same for all runs.")
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="Folds of which each is test once, drawn by class; val is drawn from the rest,"
        " and an official split is put aside. Each fold is a dataset of its own, and the report"
        " puts them together.",
    )
    repeats: Count = Field(1, description="How often the folds are drawn anew.")
    unlabelled: list[str] = Field(
        [],
        description="Names of train recordings or groups whose labels are put aside: they serve"
        " pretraining alone.",
    )

    @model_validator(mode="after")
    def _parts_leave_train(self) -> Self:
        if sum(one for one in (self.val, self.test) if isinstance(one, float)) >= 1:
            raise ValueError("val and test together leave nothing to train on")
        if self.by == "time" and (isinstance(self.val, list) or isinstance(self.test, list)):
            raise ValueError("a split by time takes fractions of each recording, not names")
        if self.by == "time" and self.unlabelled:
            raise ValueError(
                "a split by time cuts every recording into train, val and test, so none can go"
                " unlabelled; leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _folds_decide_test(self) -> Self:
        if self.folds is None and self.repeats > 1:
            raise ValueError("repeats counts draws of folds; give `folds`, or leave it out")
        if self.folds is None:
            return self
        if self.folds * self.repeats > MAX_FOLDS:
            raise ValueError(f"folds times repeats exceed {MAX_FOLDS}, each a dataset of its own")
        if self.test is not None:
            raise ValueError("with folds every recording is test once; leave test out")
        if self.by == "time":
            raise ValueError("folds are of recordings, not of time; choose another `by`")
        if isinstance(self.val, list) or self.unlabelled:
            raise ValueError(
                "what is named for val or as unlabelled would be test in one of the folds; give"
                " val as a fraction, and leave unlabelled out"
            )
        return self

    def of_fold(self) -> Self:
        """Return what a fold depends on beside its own place: how many there are has no effect."""
        return self.model_copy(update={"folds": None, "repeats": 1})


class RenameSettings(Options):
    """Other names for what a source calls its own, so that models of other datasets know it."""

    channels: dict[str, str] = Field(
        {}, description="New names of channels by their old ones, as {MLII: ecg}."
    )
    classes: dict[str, str] = Field(
        {},
        description="The same of classes or event types; several that get one name become one.",
    )


class TransformSettings(Options):
    """What a series goes through before it is normalised; forecasts come back by the same way."""

    log: bool = Field(False, description="Take the natural logarithm; all values must be above 0.")
    difference_samples: tuple[Count, ...] = Field(
        (),
        description="Take from each sample the one so many samples before, for each number in turn:"
        " [1] the trend, [12] the year of a monthly series.",
    )


class WindowSettings(Options):
    """How recordings become windows."""

    length_samples: Count | None = Field(
        None,
        description="Samples of a sliding window; empty: each recording or label is one window,"
        " in detection of at most 1024 samples.",
    )
    overlap: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="Fraction of a sliding window that the next one shares."
    )
    step_samples: Count | None = Field(
        None,
        description="Samples from one sliding window to the next instead of `overlap`; empty: as"
        " `overlap` gives, in forecasting 1.",
    )
    horizon_samples: Count | None = Field(
        None, description="Forecasting: samples to predict behind each window; empty: 1."
    )
    remainder: Literal["drop", "keep"] = Field(
        "drop", description="What becomes of a last window shorter than the others."
    )
    max_samples: Count | None = Field(
        None, description="Whole sequences longer than this are truncated."
    )
    truncate: Literal["end", "start", "centre"] = Field(
        "end", description="Which end a truncated sequence loses; `centre` loses both ends."
    )
    pad_to_samples: Count | None = Field(
        None,
        description="Whole sequences shorter than this are lengthened, the padding becoming signal;"
        " empty: each keeps its own length.",
    )
    pad_with: Literal["zero", "edge"] = Field(
        "zero",
        description="Value of such padding: zero (the mean of train under zscore) or the last"
        " sample.",
    )

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        if self.step_samples and self.overlap:
            raise ValueError("step_samples and overlap mean the same; leave one of them out")
        if self.length_samples and (self.max_samples or self.pad_to_samples):
            raise ValueError(
                "length_samples makes sliding windows, max_samples and pad_to_samples are for"
                " whole sequences; leave out one or the other"
            )
        return self


class OptimizerSettings(Options):
    """What pretraining and fine-tuning share: AdamW, its schedule and its end."""

    epochs: Count = Field(60, description="Passes over the train windows at most.")
    batch_size: Count = Field(32, description="Windows per optimiser step.")
    min_steps_per_epoch: Count = Field(
        10, description="Small training sets are passed over until an epoch has this many steps."
    )
    max_steps_per_epoch: Count | None = Field(
        None,
        description="Large training sets: an epoch has at most so many steps; empty: no limit.",
    )
    learning_rate: Positive = Field(1e-3, description="Peak step size of AdamW.")
    weight_decay: Level = Field(1e-2, description="Decoupled weight decay of AdamW.")
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine", description="Course of the learning rate after the warm-up."
    )
    warmup_epochs: NaturalNumber = Field(
        1, description="Epochs of linear rise to the peak learning rate."
    )
    plateau_epochs: Count = Field(
        5, description="`plateau`: epochs without a better loss before the rate is halved."
    )
    gradient_clip: Positive | None = Field(
        1.0, description="Largest L2 norm of the gradient; empty: no clipping."
    )
    patience_epochs: Count = Field(
        10, description="Epochs without a better validation loss before stopping."
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Decay, step by step, of a moving average of the weights, such as 0.999: the"
        " average is evaluated on val and kept; empty: the weights themselves.",
    )
    precision: Literal["auto", "float32", "tf32", "bfloat16"] = Field(
        "auto",
        description="Precision of the forward pass; auto: bfloat16 on a GPU, else float32. tf32: "
        "float32 whose products a GPU may round to 10 bits.",
    )

    gpus: Count = Field(
        1,
        description="GPUs that one training divides its batches among, each with a process of its"
        " own; losses are those of one, up to rounding. With `device: cpu` as many processes on"
        " the CPU, to try it.",
    )

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        if self.batch_size < self.gpus:
            raise ValueError(
                f"a batch of {self.batch_size} cannot be divided among {self.gpus} GPUs; raise"
                " batch_size or lower gpus"
            )
        if (self.max_steps_per_epoch or math.inf) < self.min_steps_per_epoch:
            raise ValueError("max_steps_per_epoch must not be less than min_steps_per_epoch")
        return self


class PretrainSettings(OptimizerSettings):
    """Training without labels, on train windows alone."""

    epochs: Count = Field(30, description="Passes over the train windows at most.")
    monitor: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.1, description="Fraction of the train recordings held out to watch the loss."
    )


class FinetuneSettings(OptimizerSettings):
    """Supervised training of one run."""

    unfreeze: Literal["at_once", "warm_up", "layer_wise"] = Field(
        "at_once",
        description="When a pretrained encoder begins to learn: at_once; warm_up: after"
        " `unfreeze_epochs`; layer_wise: from its last layer to its first within them.",
    )
    unfreeze_epochs: Count = Field(5, description="Epochs that `unfreeze` takes.")
    class_weights: Literal["none", "root", "balanced"] = Field(
        "none",
        description="balanced: a class, or the presence of a type of event, weighs in the loss as"
        " the inverse of its frequency in train; root: as the root of that, so that a type a"
        " thousand times rarer weighs 32 times more.",
    )
    augment: AugmentationNames = Field(
        (),
        description="Changes of every train window that its labels survive, in this order, drawn"
        " anew in each epoch; for classification and, those that move no sample, labelling.",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Share of a target that is spread evenly over all classes in training; for"
        " classification and labelling.",
    )
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Dropout between pooled features and the output layer."
    )
    refit: bool = Field(
        False,
        description="Train once more on train and val, for as many epochs as val has chosen, and"
        " predict test with that model; scores on val and what is tuned there stay those of the"
        " first.",
    )
