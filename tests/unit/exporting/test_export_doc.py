"""The table of docs/how-to/export.md names every architecture and baseline on each of its tasks."""

from pathlib import Path

import pytest

from fixtures.networks import CASES
from seqbench.config.registry import BASELINES

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "export.md"


@pytest.fixture(scope="module")
def rows():
    table = PAGE.read_text().partition("<!-- table")[2].partition("<!-- end")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_name_has_a_row_for_each_of_its_tasks(rows):
    of_baselines = [(name, task) for name in BASELINES for task in tasks_of(name)]
    expected = {(name, task) for name, _, task in CASES} | set(of_baselines)

    assert {(row[0], row[2]) for row in rows} == expected
    assert len(rows) == len(CASES) + len(of_baselines)


def tasks_of(baseline):
    return BASELINES.entry(baseline).tags["tasks"]


def test_no_cell_is_empty_and_every_network_is_exported(rows):
    assert all(cell for row in rows for cell in row)
    for row in rows:
        if row[0] not in BASELINES:
            assert float(row[5]) <= 1e-4
            assert float(row[6]) > 0
