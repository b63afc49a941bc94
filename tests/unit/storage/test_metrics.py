"""Metrics of a run survive a file, and no other file is taken for them."""

import numpy as np
import pytest

from seqbench.errors import FormatError
from seqbench.storage.metrics import Metrics, Score, read_metrics, write_metrics
from seqbench.storage.records import Cost, PretrainingOutcome, Provenance, RunIdentity

METRICS = Metrics(
    run=RunIdentity(dataset="wellen", architecture="cnn1d", arm="scratch", labels=0.1, seed=3),
    task="classification",
    headline="accuracy",
    scores={
        "val": {"accuracy": Score(value=1.0)},
        "test": {
            "accuracy": Score(value=np.float64(1 / 3), low=0.25, high=0.5, resampled=(0.5, None)),
            "auroc": Score(),
        },
    },
    n_windows={"train": 8, "val": 2, "test": 3},
    cost=Cost(train_s=0.5, epochs=2),
    pretraining=PretrainingOutcome(objective="masked", watched={"effective_rank": 5.4}),
    model={"widths": [8, 16], "pooling": "last"},
    provenance=Provenance(versions={"numpy": "2"}, commit="0123", device="cpu", threads=1),
)


@pytest.fixture
def path(tmp_path):
    write_metrics(tmp_path / "metrics.json", METRICS)
    return tmp_path / "metrics.json"


def refusal(path) -> str:
    with pytest.raises(FormatError) as caught:
        read_metrics(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence


def test_metrics_are_read_back_as_they_were(path):
    assert read_metrics(path) == METRICS


def test_a_flipped_bit_in_any_value_or_name_is_noticed(path):
    healthy = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(healthy), 300, replace=False):
        for bit in (0, 4):
            changed = bytearray(healthy)
            changed[position] ^= 1 << bit
            path.write_bytes(changed)
            try:
                assert read_metrics(path) == METRICS  # white space
            except FormatError:
                continue


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe", "damaged, it is not UTF-8 text"),
        (b"{", "damaged or cut short"),
        (b"[" * 100_000, "damaged or cut short"),
        (b"[]", "not the metrics of a run"),
        (b'{"accuracy": 1.0}', "not the metrics of a run"),
        (b'{"run": NaN, "scores": 1, "checksum": ""}', "not the metrics of a run"),
        (b'{"run": {}, "scores": {}, "checksum": "0"}', "damaged or edited"),
    ],
)
def test_other_content_is_refused_in_a_sentence(path, content, reason):
    path.write_bytes(content)

    assert reason in refusal(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1.0"])
def test_a_score_is_a_finite_number_or_none(value):
    with pytest.raises(ValueError, match="value"):
        Score(value=value)
