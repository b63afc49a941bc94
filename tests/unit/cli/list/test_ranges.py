"""Ranges of options in words."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from seqbench.cli.list.ranges import described
from seqbench.config.options import (
    AugmentationNames,
    Dropout,
    Fraction,
    LabelFiles,
    Level,
    NaturalNumber,
    OddCount,
    OddWidths,
    Options,
    Positive,
    Text,
    Tolerance,
    Widths,
)


class Some(Options):
    """Options of every type that there is."""

    required: Text = Field(description="A word.")
    dropout: Dropout = 0.5
    share: Fraction = 1.0
    warmup_s: Level = 0.0
    rate_hz: Positive | None = None
    seed: NaturalNumber = 0
    kernel_size: OddCount = 7
    kernel_sizes: OddWidths = (7, 5)
    widths: Widths = (64,)
    n_samples: Annotated[int, Field(le=9, multiple_of=3)] = 3
    tolerance_ms: Tolerance = 5.0
    pooling: Literal["last", "mean"] = "mean"
    is_causal: bool | None = None
    augment: AugmentationNames = ()
    names: tuple[Text, ...] | None = None
    two: Annotated[tuple[Literal["a", "b"], ...], Field(min_length=2)] = ("a", "b")
    labels: LabelFiles | None = None
    own: Literal["own"] | None = None


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("required", "text; required. A word."),
        ("dropout", "number from 0 to below 1; default 0.5."),
        ("share", "number above 0 up to 1; default 1.0."),
        ("warmup_s", "number from 0, in s; default 0.0."),
        ("rate_hz", "number above 0 or empty, in Hz; default empty."),
        ("seed", "whole number from 0 to 4294967295; default 0."),
        ("kernel_size", "whole number from 1 and odd; default 7."),
        ("kernel_sizes", "list of 1 to 100 whole numbers, each from 1 and odd; default [7, 5]."),
        ("widths", "list of 1 to 100 whole numbers, each from 1; default [64]."),
        ("n_samples", "whole number to 9 in steps of 3; default 3."),
        ("tolerance_ms", "one of 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 50.0, 150.0, in ms; default 5.0."),
        ("pooling", "one of last, mean; default mean."),
        ("is_causal", "true or false or empty; default empty."),
        (
            "augment",
            "list of jitter, band_noise, scaling, channel_drop, channel_mix, time_mask, shift,"
            " time_warp; default [].",
        ),
        ("names", "list of texts or empty; default empty."),
        ("two", "list of 2 or more of a, b; default [a, b]."),
        (
            "labels",
            "the keys format, path, tier, column, extension, unit, only or empty; default empty.",
        ),
        ("own", "own or empty; default empty."),
    ],
)
def test_ranges_are_told_in_words(option, words):
    assert described(Some)[option].rstrip() == words


def test_every_type_of_option_is_tried_here():
    assert set(described(Some)) == set(Some.model_fields)
