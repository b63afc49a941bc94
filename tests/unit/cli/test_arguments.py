"""What arguments of several commands must not be."""

from pathlib import Path

import pytest

from seqbench.cli.arguments import refuse_missing
from seqbench.errors import UserError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results/best/doors").mkdir(parents=True)
    Path("results/run.yaml").touch()
    Path("lost").symlink_to("nowhere")


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("results/best/door", "did you mean 'results/best/doors'?"),
        ("result/best/doors", "did you mean 'results/best/doors'?"),
        ("result/best/bells", "name another"),  # the folder is there, but nothing like bells
        ("elsewhere", "name another"),
        ("results/rod.yaml", "name another"),  # which has the suffix of run.yaml, no more
        ("results/run.yml", "did you mean 'results/run.yaml'?"),
        ("results/run.yaml/x", "name another"),  # below a file
        ("lost", "name another"),  # a link to nowhere is not what was meant
    ],
)
def test_a_missing_path_is_refused_with_what_is_nearly_called_so(named, hint):
    with pytest.raises(UserError) as refused:
        refuse_missing(Path(named), "name another")

    assert str(refused.value) == f"{named}: no such file or folder; {hint}"


def test_a_path_that_is_there_is_not_refused():
    refuse_missing(Path("results/best/doors"), "name another")
