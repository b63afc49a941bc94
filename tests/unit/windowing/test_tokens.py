"""Tokens become ids, and nothing of val or test decides which."""

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.windowing.tokens import token_ids, token_names, vocabulary
from seqbench.windowing.windows import make_windows

WORDS = ["abba", "cab", "Zürich", "bad", "ab \U0001f600", "ace"]


def code_points(word):
    return np.array([[ord(letter)] for letter in word], dtype=np.float32)


@pytest.fixture
def words(recordings):
    """Six words of two classes, two in each part."""
    return recordings(
        ["a", "b"] * 3,
        signals=[code_points(word) for word in WORDS],
        sample="tokens",
        channels=["letter"],
        sampling_rate_hz=None,
    )


def test_the_vocabulary_is_what_train_holds_in_order():
    assert vocabulary(code_points("cab\U0001f600a")).tolist() == [97, 98, 99, 0x1F600]


def test_what_the_vocabulary_lacks_has_the_id_0():
    codes = vocabulary(code_points("bd"))

    assert token_ids(code_points("abcde"), codes)[:, 0].tolist() == [0, 1, 0, 2, 0]


def test_ids_have_the_names_of_their_characters():
    codes = vocabulary(code_points("b\n\x00\ud800é"))

    assert token_names(codes) == ["other", "U+0000", "U+000A", "b", "é", "U+D800"]


def test_windows_hold_ids_of_the_vocabulary_of_train(words):
    splits = make_windows(words, job())

    for windows in splits.values():
        assert windows.sample == "tokens"
        assert windows.channels == ["other", "a", "b", "c"]
        assert windows.signal.dtype == np.float32
        assert windows.signal.shape[1] == 1
    found = [splits["train"].window(0), splits["val"].window(0), splits["test"].window(1)]
    assert [window[:, 0].tolist() for window in found] == [
        [1, 2, 2, 1],
        [0, 0, 0, 0, 3, 0],
        [1, 3, 0],
    ]


@pytest.mark.parametrize("normalization", ["zscore", "robust", "per_window", "none"])
def test_tokens_are_never_normalised(words, normalization):
    splits = make_windows(words, job().model_copy(update={"normalization": normalization}))

    for windows in splits.values():
        assert windows.normalization.mode == "none"
        assert windows.normalization.centre.tolist() == [0]
        assert windows.normalization.scale.tolist() == [1]
    assert splits["train"].window(1)[:, 0].tolist() == [3, 1, 2]


def test_padding_is_the_id_of_unknown_tokens(words):
    train = make_windows(words, job(pad_to_samples=6))["train"]

    assert train.window(1)[:, 0].tolist() == [3, 1, 2, 0, 0, 0]


def test_tokens_of_two_channels_are_refused(recordings):
    with pytest.raises(ValueError, match="tokens have one channel, not 2"):
        recordings(sample="tokens")
