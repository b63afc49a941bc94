"""A YAML file is read as it is meant, or refused in one sentence that names file and line."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.config.yaml_files import read_yaml
from seqbench.errors import UserError


@pytest.fixture
def read(tmp_path):
    def text_read(text):
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return read_yaml(tmp_path / "config.yaml")

    return text_read


def test_anchors_and_merges_are_read(read):
    text = "a: &shared {x: 1, y: 2}\nb: {<<: *shared, y: 3}\nc: *shared\n"

    assert read(text) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("runs: []\ntitle: a\nruns: []\n", "line 3: the key 'runs' is given already in line 1"),
        (
            "a:\n  seeds: [0]\n  'seeds': [1]\n",
            "line 3: the key 'seeds' is given already in line 2",
        ),
        ("- {a: 1, b: 2, a: 3}\n", "line 1: the key 'a' is given already in line 1"),
        ("? {a: 1, a: 2}\n: b\n", "the key 'a' is given already"),
        ("a: &a [*a]\n", "line 1: it holds itself"),
        ("a: !!python/object/apply:os.system ['touch me']\n", "not valid YAML"),
        ("a: 2001-99-99\n", "not valid YAML"),
        ("a: !!bool maybe\n", "not valid YAML"),
        ("a: !!timestamp now\n", "not valid YAML"),
        ("a: *nothing\n", "line 1: not valid YAML: found undefined alias 'nothing'; correct"),
        (
            "a: 1\nb: [2,\nc: 3",
            "line 3: not valid YAML (while parsing a flow sequence, from line 2): expected"
            " ',' or ']'",
        ),
        ("a: 1\n b: 2\n", "line 2: not valid YAML: mapping values are not allowed here; correct"),
        ("a: 1\n--- \nb: 2\n", "not valid YAML"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_not_meant_is_refused_with_its_place(read, tmp_path, text, sentence):
    with pytest.raises(UserError) as caught:
        read(text)

    assert str(caught.value).startswith(str(tmp_path / "config.yaml"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_aliases_that_multiply_are_refused_before_they_are_written_out(read):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]

    with pytest.raises(UserError, match="stand for too many values"):
        read("\n".join(lines))


def test_a_value_that_stands_for_very_many_is_shown_in_part():
    value = ["x"] * 10
    for _ in range(30):
        value = [value] * 10

    with pytest.raises(ConfigError) as caught:
        Benchmark.load({"runs": value, "device": "c" * 10_000, "finetune": value})

    assert len(str(caught.value)) < 100_000


def test_a_key_cannot_pass_for_another_line():
    with pytest.raises(ConfigError) as caught:
        Benchmark.load({"runs": [], "a\n  all is fine\x1b[2K": 1})

    assert "a all is fine\\x1b[2K: no such key" in str(caught.value)


MARKS = st.sampled_from([*"abc :-?,[]{}&*!|>'\"%@`#~.019\n\t", "\n  ", "<<", "!!", "runs: ", "- "])
TEXTS = st.lists(MARKS, max_size=60).map("".join) | st.text(max_size=60)


@given(text=TEXTS)
def test_any_text_is_read_or_refused(read, text):
    with suppress(UserError):
        read(text)


# Keys that there are, and values that belong elsewhere.
OTHERS = ("source", "of", "split", "window", "val", "waves", "cnn1d")
KEYS = st.sampled_from([*Benchmark.model_fields, *OTHERS]) | st.text(max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | KEYS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(raw=st.dictionaries(KEYS | st.integers() | st.none(), VALUES, max_size=6))
def test_any_configuration_is_accepted_or_refused(raw):
    usual = {"runs": [{"datasets": ["basic_motions"], "architectures": ["cnn1d"]}]}
    with suppress(ConfigError):
        Benchmark.load(usual | raw)
