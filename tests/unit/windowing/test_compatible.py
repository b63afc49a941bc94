"""Signals that a model of another dataset cannot take are refused in a sentence that names both."""

from typing import NamedTuple

import pytest

from seqbench.errors import UserError
from seqbench.windowing.compatible import check_compatible


class Made(NamedTuple):
    sample: str = "series"
    channels: tuple[str, ...] = ("x", "y")
    frame_size: tuple[int, ...] = ()
    sampling_rate_hz: float | None = 100.0


def check(own, other):
    check_compatible(own, "mine", other, "theirs")


def test_equal_signals_and_unknown_rates_are_taken():
    check(Made(), Made())
    check(Made(sampling_rate_hz=None), Made())
    check(Made(sampling_rate_hz=100.05), Made())
    check(Made(sample="video", frame_size=(8, 8)), Made(sample="video", frame_size=(8, 8)))


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (Made(sample="tokens"), "'mine' holds tokens, but 'theirs', .* holds series; take a data"),
        (
            Made(channels=("x",)),
            r"'mine' has 1 channel \(x\), but 'theirs', .* has 2 channels \(x, y\); keep the same",
        ),
        (Made(channels=("y", "x")), r"\(y, x\), .* \(x, y\); keep the same ones in the same order"),
        (
            Made(channels=("x", "z")),
            r"if these are the same, state .* `datasets\.mine\.rename\.channels`, as \{z: y\}",
        ),
        (Made(frame_size=(4, 4)), r"'mine' has frames of \(4, 4\), but 'theirs'"),
        (Made(sampling_rate_hz=101.0), "'mine' has 101 Hz, but 'theirs', .* has 100 Hz; bring"),
    ],
)
def test_others_are_refused(own, sentence):
    with pytest.raises(UserError, match=sentence):
        check(own, Made())


def test_other_vocabularies_are_refused():
    own, other = (Made(sample="tokens", channels=("other", *letters)) for letters in ("ab", "ac"))

    with pytest.raises(UserError, match="'mine' and 'theirs' have other vocabularies"):
        check_compatible(own, "mine", other, "theirs", ids_count=True)
    check(own, other)
