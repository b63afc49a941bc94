"""Models of one dataset on test of another, as the page and its table show them."""

import csv
import io
import json
from pathlib import Path

import pytest

from fixtures.results import overlap_of, write_content
from seqbench import layout
from seqbench.errors import FormatError
from seqbench.plan.plan import Model, Plan
from seqbench.reporting.page.assembly import assemble
from seqbench.reporting.read.crossings import read_crossings
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.crossings import cross_table, matrices
from seqbench.reporting.text.leaks import cross_warnings
from seqbench.storage.overlaps import write_overlap

GRID = {"datasets": ["waves", "gun_point"], "test_on": ["waves", "gun_point", "ecg200"]}
NETWORK, BASELINE = Model("cnn1d", "scratch"), Model("majority", "baseline")


@pytest.fixture
def crossed(write_results, config):
    """Write results of a network of .8 and .9 by seed on two datasets, and a baseline of .5."""
    return write_results(
        config(seeds=[0, 1], **GRID),
        skill=lambda run: 0.5 if run.is_baseline else 0.8 + run.seed / 10,
    )


@pytest.fixture
def found(crossed):
    """Return the matrices of the network and of the baseline."""

    def read(plan=crossed):
        return matrices(read_crossings(plan, Path()), collect(plan, Path()))

    return read


def test_each_model_has_a_matrix_with_its_own_test_on_the_diagonal(found):
    network, baseline = found()

    assert (network.model, baseline.model) == (NETWORK, BASELINE)
    assert network.rows == ["gun_point", "waves"]
    assert network.columns == ["ecg200", "gun_point", "waves"]
    assert network.headline == "accuracy"
    own, other = network.cells["waves", "waves"], network.cells["waves", "gun_point"]
    assert (own.is_own, other.is_own) == (True, False)
    assert own.score.mean == pytest.approx(0.85)
    assert other.score.mean == pytest.approx(0.85 - 0.125)
    assert (other.score.n, baseline.cells["waves", "ecg200"].score.n) == (2, 1)
    low, high = other.score.interval
    assert low < other.score.mean < high
    assert len(network.cells) == len(baseline.cells) == 2 * 3


def test_a_test_that_was_in_train_is_marked_in_its_cell_alone(found):
    path = Path(layout.OVERLAP.format(dataset="ecg200", source="waves"))
    shared = overlap_of("ecg200", "waves", 8).model_copy(
        update={"n_shared_groups": {"val": 1, "test": 3}}
    )
    write_overlap(path, shared)

    network, _ = found()

    assert [pair for pair, cell in network.cells.items() if cell.is_leak] == [("waves", "ecg200")]
    assert cross_warnings(found()) == [
        "Train and val of waves hold 8 of 80 test windows and 3 groups of ecg200: what is trained"
        " on waves knows that test."
    ]
    rows = {
        (row["architecture"], row["trained_on"], row["tested_on"]): row
        for row in csv.DictReader(io.StringIO(cross_table(found())))
    }
    assert len(rows) == 2 * 2 * 3
    cell = rows["cnn1d", "waves", "ecg200"]
    assert (cell["n_test_windows_known"], cell["n_test_groups_known"]) == ("8", "3")
    assert float(cell["value"]) == pytest.approx(0.725)
    assert float(cell["low"]) < 0.725 < float(cell["high"])


def test_what_pretraining_has_seen_of_a_test_is_marked_too(write_results, config):
    grid = {"datasets": ["waves"], "test_on": ["gun_point"]}
    plan = write_results(
        config(arms=["scratch", "contrastive_from_ecg200_finetune"], seeds=[0], **grid),
        skill=lambda run: 0.5,
    )
    seen = Path(layout.OVERLAP.format(dataset="gun_point", source="ecg200"))
    in_val = {"n_repeated_in_val": {"val": 0, "test": 2}}  # which pretraining does not see
    write_overlap(seen, overlap_of("gun_point", "ecg200", 8).model_copy(update=in_val))
    own = overlap_of("waves", "ecg200", 3)

    found = matrices(read_crossings(plan, Path()), collect(plan, Path()), [own])

    marked = {
        (one.model.arm, *pair): cell.n_seen
        for one in found
        for pair, cell in one.cells.items()
        if cell.is_leak
    }
    arm = "contrastive_from_ecg200_finetune"
    assert marked == {(arm, "waves", "gun_point"): 8, (arm, "waves", "waves"): 3}
    assert cross_warnings(found) == [
        "Train and val of ecg200 hold 8 of 80 test windows of gun_point: what is pretrained on"
        " ecg200 knows that test.",
        "Train and val of ecg200 hold 3 of 80 test windows of waves: what is pretrained on ecg200"
        " knows that test.",
    ]


def test_val_that_was_in_train_leaves_test_as_it_is(found):
    path = Path(layout.OVERLAP.format(dataset="ecg200", source="waves"))
    on_val = {name: {"val": 5, "test": 0} for name in ("n_repeated", "n_shared_groups")}
    write_overlap(path, overlap_of("ecg200", "waves").model_copy(update=on_val))

    assert not any(cell.is_leak for cell in found()[0].cells.values())


def test_a_test_that_models_are_chosen_on_is_known_too(found):
    path = Path(layout.OVERLAP.format(dataset="ecg200", source="waves"))
    in_val = {"n_repeated_in_val": {"val": 0, "test": 2}}
    write_overlap(path, overlap_of("ecg200", "waves", 8).model_copy(update=in_val))

    assert found()[0].cells["waves", "ecg200"].n_seen == 10


def test_scores_on_something_else_are_refused(crossed):
    one = next(one for one in crossed.crossings if one.tested_on == "ecg200")
    path = Path(one.fill(layout.CROSS_METRICS))
    content = json.loads(path.read_text()) | {"tested_on": "waves"}
    del content["checksum"]
    write_content(path, content)

    with pytest.raises(FormatError, match="holds scores on waves, not on ecg200; delete it"):
        read_crossings(crossed, Path())


def test_of_unfinished_runs_what_is_there_is_shown(crossed, found):
    one, other = (c for c in crossed.crossings if c.tested_on == "ecg200" and c.run.is_baseline)
    Path(one.fill(layout.CROSS_METRICS)).unlink()
    part = Plan(crossed.benchmark, [crossed.trained[0]])

    _, baseline = found(part)

    assert (one.run.dataset, "ecg200") not in baseline.cells
    assert (other.run.dataset, "ecg200") in baseline.cells
    with pytest.raises(FormatError):
        found()


def test_the_page_and_a_table_hold_the_matrix(crossed, without_figures):
    report = assemble(crossed, Path())

    _, _, block = report.page.partition('<section id="cross">')
    block, _, _ = block.partition("</section>")
    assert "tested on ecg200" in block
    assert "<b>0.850</b>" in block
    assert "0.725 <small>[" in block
    assert "known" not in block
    assert report.tables[layout.CROSS_TABLE].startswith(
        "architecture,arm,labels,trained_on,tested_"
    )


def test_without_other_tests_there_is_neither(write_results, config, without_figures):
    report = assemble(write_results(config(), skill=lambda run: 0.5), Path())

    assert 'id="cross"' not in report.page
    assert layout.CROSS_TABLE not in report.tables
