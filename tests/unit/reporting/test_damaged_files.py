"""Files beside a model that are damaged are refused in a sentence, as all others are."""

import os
from pathlib import Path

import pytest

from seqbench import layout
from seqbench.errors import FormatError
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.read.results import collect

FILES = {
    "history": layout.HISTORY.format(
        dataset="waves", architecture="cnn1d", arm="contrastive_probe", labels="1", seed=0
    ),
    "pretraining": layout.PRETRAIN_HISTORY.format(
        dataset="waves", architecture="cnn1d", objective="contrastive", seed=0
    ),
    "transfer": layout.TRANSFER.format(
        dataset="waves", architecture="cnn1d", arm="contrastive_probe", labels="1", seed=0
    ),
}


@pytest.fixture
def refusal(write_results, config):
    """Return what damages a file and returns the sentence that refuses it."""
    plan = write_results(config(arms=["contrastive_probe"], seeds=[0]), skill=lambda run: 0.5)
    results = collect(plan, Path())

    def of(path, damage):
        damage(Path(path))
        with pytest.raises(FormatError) as caught:
            gather(plan, results, Path())
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return of


def put_pipe(path):
    path.unlink()
    os.mkfifo(path)


def cut_last_row(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-4]), "damaged or cut short"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"[1,\xff]\n"), "it is not UTF-8 text"),
        (lambda path: path.write_text('"epoch\n'), "damaged or cut short"),
        (lambda path: path.write_text("[]\n"), "damaged"),
        pytest.param(put_pipe, "is a pipe or device", marks=pytest.mark.timeout(60)),
        (Path.unlink, "no such file"),
    ],
    ids=["cut", "empty", "binary", "torn", "other content", "pipe", "missing"],
)
def test_a_damaged_file_is_named_with_the_reason(path, damage, reason, refusal):
    assert reason in refusal(path, damage)


@pytest.mark.parametrize(
    "damage",
    [
        cut_last_row,
        lambda path: path.write_text(path.read_text() + "x," * 7 + "x\n"),
        lambda path: path.write_text(path.read_text().replace("epoch", "time")),
    ],
    ids=["row missing", "words", "other table"],
)
def test_a_history_that_is_not_that_of_the_run_is_refused(damage, refusal):
    assert "not the history" in refusal(FILES["history"], damage)
