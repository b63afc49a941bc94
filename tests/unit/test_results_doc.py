"""docs/reference/results.md says what summary.csv holds, and nothing else."""

import re
from pathlib import Path

import pandas as pd
import pytest

from seqbench import layout
from seqbench.config.registry import METRICS
from seqbench.reporting.read.results import COLUMNS

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "results.md").read_text(encoding="utf-8")


def table(heading):
    """Return the rows of the table whose first column has this heading, marks of code removed."""
    rows = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.M).group(1)
    return [
        [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]
        for row in rows.splitlines()
    ]


def test_the_columns_are_those_of_the_summary_in_their_order():
    assert tuple(row[0] for row in table("column")) == COLUMNS


def test_every_metric_stands_there_once_with_its_tasks_and_direction():
    documented = [
        (name, tuple(tasks.split(", ")), best) for name, tasks, best, _ in table("metric")
    ]
    registered = {
        (name, METRICS.entry(name).tags["tasks"], METRICS.entry(name).tags["better"])
        for name in METRICS
    }

    assert len(documented) == len(registered)
    assert set(documented) == registered


def test_every_metric_has_a_unit():
    assert all(unit for *_, unit in table("metric"))


@pytest.fixture
def summary(tmp_path, monkeypatch):
    """Write a summary of two seeds in a folder in which the test then works."""
    monkeypatch.chdir(tmp_path)
    run = ("waves", "cnn1d", "scratch", 1.0)
    rows = [
        (*run, 0, "cost", "train_s", 3.0),
        (*run, 0, "test", "accuracy", 0.1 + 0.2),
        (*run, 0, "val", "accuracy", 0.9),
        (*run, 1, "test", "accuracy", 0.5),
    ]
    path = Path(layout.SUMMARY)
    path.parent.mkdir()
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(path, index=False)


@pytest.mark.usefixtures("summary")
def test_three_lines_give_mean_deviation_and_number_of_runs():
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    names = {}

    exec(code, names)

    assert len([line for line in code.splitlines() if line]) == 3
    model = names["models"].loc[("waves", "cnn1d", "scratch", 1.0)]
    assert model["count"] == 2
    assert (model["mean"], model["std"]) == pytest.approx((0.4, 0.02**0.5))
