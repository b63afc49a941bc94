"""Two benchmarks held against each other: numbers, words, and tables that were tampered with."""

import csv
import json
import math
import shutil
from pathlib import Path

import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.reporting.page.comparison import render_comparison
from seqbench.reporting.read.results import COLUMNS, collect, summary
from seqbench.reporting.read.stored import read_stored
from seqbench.reporting.scores.differences import (
    Equality,
    differences,
    equality,
    only_in,
    other_origin,
    other_settings,
    ranked_otherwise,
)
from seqbench.storage.atomic import write_text

HEADER = ",".join(COLUMNS)
T_2 = 4.302652729911275  # 97.5 % quantile of Student's t with 2 degrees of freedom, from a table


def rows_of(values, dataset="waves", architecture="cnn1d", metric="accuracy", split="test"):
    """Return the rows of a model from scratch, a value for each seed."""
    return [
        (dataset, architecture, "scratch", 1.0, seed, split, metric, value)
        for seed, value in values.items()
    ]


@pytest.fixture
def table(tmp_path):
    """Return what reads rows as a summary alone."""

    def read(name, *rows):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
        return read_stored(path)

    return read


@pytest.fixture
def folder(tmp_path, write_results, config):
    """Return what makes the results of a benchmark, with summary, config and metrics."""

    def make(name, skill=0.8, edit=None, **grid):
        plan = write_results(config(**grid) | {"title": name}, skill=lambda run: skill, edit=edit)
        text = summary(collect(plan, Path())).to_csv(index=False)
        write_text(Path(layout.SUMMARY), text)
        return shutil.move("results", tmp_path / name / "results")

    return make


def test_the_interval_is_that_of_the_paired_differences(table):
    a = table("a", *rows_of({0: 0.80, 1: 0.82, 2: 0.84}))
    b = table("b", *rows_of({0: 0.82, 1: 0.85, 2: 0.85}))

    (found,) = differences(a, b)

    # The differences .02, .03 and .01 have the standard deviation .01.
    assert (found.a.mean, found.b.mean) == pytest.approx((0.82, 0.84))
    assert found.difference.mean == pytest.approx(0.02)
    reach = T_2 * 0.01 / math.sqrt(3)
    assert found.interval == pytest.approx((0.02 - reach, 0.02 + reach))
    assert (found.verdict, found.n_seeds) == ("not significant", 3)


@pytest.mark.parametrize(
    ("of_b", "verdict"),
    [
        ({0: 0.820, 1: 0.841, 2: 0.859}, "higher"),  # differences .020, .021 and .019
        ({0: 0.780, 1: 0.799, 2: 0.821}, "lower"),
        ({0: 0.80, 1: 0.82, 2: 0.84}, "identical"),
        ({0: 0.81}, "not tested"),
    ],
)
def test_the_verdict_is_that_of_the_interval(of_b, verdict, table):
    a = table("a", *rows_of({0: 0.80, 1: 0.82, 2: 0.84}))

    (found,) = differences(a, table("b", *rows_of(of_b)))

    assert found.verdict == verdict


def test_only_seeds_that_both_have_are_compared_and_the_others_named(table):
    a = table("a", *rows_of({0: 0.8, 1: 0.9}), *rows_of({0: 0.5}, architecture="gru"))
    b = table("b", *rows_of({1: 0.9, 2: 0.1}))

    (found,) = differences(a, b)

    assert (found.a.mean, found.n_seeds, found.verdict) == (0.9, 1, "identical")
    assert [(model.architecture, seeds) for model, seeds in only_in(a, b).items()] == [
        ("cnn1d", [0]),
        ("gru", [0]),
    ]
    assert [(model.architecture, seeds) for model, seeds in only_in(b, a).items()] == [
        ("cnn1d", [2])
    ]


def test_equal_means_equal_to_the_last_digit(table):
    costs = rows_of({0: 3.0}, metric="train_cpu_s", split="cost")
    a = table("a", *rows_of({0: 0.3, 1: 0.5, 2: 0.7}), *costs)
    b = table("b", *rows_of({0: math.nextafter(0.3, 1), 1: 0.5, 3: 0.7}), *costs)

    scores = equality(a, b, costs=False)

    assert scores == Equality(n_common=2, n_equal=1, n_only_a=1, n_only_b=1)
    assert equality(a, b, costs=True).n_equal == 1


def test_costs_are_compared_by_the_geometric_mean_of_their_ratios(table):
    score = rows_of({0: 0.5, 1: 0.5})
    a = table("a", *score, *rows_of({0: 10, 1: 10}, metric="train_cpu_s", split="cost"))
    b = table("b", *score, *rows_of({0: 20, 1: 5}, metric="train_cpu_s", split="cost"))

    (found,) = differences(a, b)

    assert found.cost_ratios == {"train_cpu_s": pytest.approx(1.0), "peak_memory_bytes": None}


@pytest.mark.parametrize(
    ("metrics", "headline"),
    [
        (("accuracy", "mcc", "ece"), "accuracy"),
        (("rmse", "mae", "r2"), "r2"),
        (("rmse", "mae", "skill"), "skill"),
        (("f1_at_5ms", "f1_at_150ms", "onset_mae_ms"), "f1_at_5ms"),
    ],
)
def test_a_summary_alone_suggests_what_ranks_models(metrics, headline, table):
    stored = table("a", *(row for metric in metrics for row in rows_of({0: 0.5}, metric=metric)))

    assert stored.headlines == {"waves": headline}


def test_a_metric_that_nobody_knows_ranks_nothing_and_the_page_notes_it(table):
    a = table("a", *rows_of({0: 0.5}, metric="beauty"))

    (found,) = differences(a, a)

    assert (found.metric, found.verdict) == ("", "not defined")
    assert "No known metric ranks the models of waves." in render_comparison(a, a)


def test_runs_name_what_ranks_them(folder):
    def edit(run, content):
        content["headline"] = "mcc"

    a, b = read_stored(folder("a", edit=edit)), read_stored(folder("b"))

    assert a.headlines == {"waves": "mcc"}
    assert ranked_otherwise(a, b) == {"waves": ("mcc", "accuracy")}
    assert "waves is ranked by MCC in A and by accuracy in B" in render_comparison(a, b)


def test_versions_machines_and_settings_that_differ_are_listed(folder):
    def edit(run, content):
        content["provenance"]["versions"]["torch"] = "9.9"
        content["provenance"]["machine"]["processor"] = "Another processor"

    a, b = folder("a"), folder("b", edit=edit)
    first, second = read_stored(a), read_stored(b.parent)  # the folder above is found too

    assert other_origin(first, second) == {
        "torch": ("2.13.0", "9.9"),
        "processor": ("A processor", "Another processor"),
    }
    assert other_settings(first, second) == {"title": ('"a"', '"b"')}


def test_a_summary_alone_has_nothing_of_versions_and_settings(folder):
    a, b = folder("a"), folder("b")
    alone = read_stored(b / "summary.csv")

    assert (alone.metrics, alone.config) == ({}, None)
    assert other_origin(read_stored(a), alone) is other_settings(read_stored(a), alone) is None
    assert "Not known: one of them has no <code>metrics.json</code>." in render_comparison(
        read_stored(a), alone
    )


def test_the_page_needs_nothing_but_itself(folder):
    a, b = read_stored(folder("a")), read_stored(folder("b", 0.9, seeds=[0, 1, 3]))

    text = render_comparison(a, b)

    page = Page(text)
    assert {link["href"].removeprefix("#") for link in page.all("a")} == set(page.ids)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert "url(" not in text
    assert "Of 2 models that both have, B scores higher than A with 1 and lower with 0" in text
    assert "; not tested: 1." in text
    assert "both have the same runs" not in text
    assert "None" not in text
    assert "seed 2</li>" in text


def test_identical_results_are_named_so(folder):
    a = folder("a")
    shutil.copytree(a.parent, a.parent.with_name("b"))

    text = render_comparison(read_stored(a), read_stored(a.parent.with_name("b")))

    # Seven metrics of three seeds on val and test, and of one baseline on test.
    assert "All 49 scores that A and B have in common are identical." in text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\N{RIGHT-TO-LEFT OVERRIDE}",
        "x" * 200,
    ],
)
def test_names_stay_text(name, table):
    a = table(
        "a",
        (name, name, name, 1.0, 0, "test", "accuracy", 0.5),
        (name, name, name, 1.0, 1, "test", name, 0.5),
    )
    b = table("b", (name, name, name, 1.0, 0, "test", "accuracy", 0.6))

    text = render_comparison(a, b)

    page = Page(text)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert page.texts.count(name) >= 3  # dataset, architecture and arm of the one row


def test_a_name_in_a_table_leads_to_no_file_outside_of_the_folder(folder, tmp_path):
    a = folder("a")
    outside = tmp_path / "a/elsewhere/cnn1d/scratch/labels1/seed0/metrics.json"
    write_text(outside, json.dumps({"headline": "accuracy"}))
    rows = rows_of({0: 0.5}, dataset="../../elsewhere")
    text = "\n".join([HEADER, *(",".join(map(str, row)) for row in rows)])
    write_text(a / "summary.csv", text)

    assert (a / "evaluate/../../elsewhere").is_dir()
    assert read_stored(a).metrics == {}


GOOD = "waves,cnn1d,scratch,1.0,0,test,accuracy,0.5"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the first line is not"),
        (f"{HEADER}\n", "holds no runs"),
        (f"{HEADER}\nwaves,cnn1d", "line 2: not 8 fields"),
        (f"{HEADER}\n{GOOD}\n{GOOD.replace('0.5', 'much')}", "line 3: not 8 fields with numbers"),
        (f"{HEADER}\n{GOOD.replace(',0,', ',first,')}", "line 2: not 8 fields with numbers"),
        (f"{HEADER}\n{GOOD.replace('0.5', 'nan')}", "line 2: the value is not finite"),
        (f"{HEADER}\n{GOOD}\n{GOOD}", "line 3: stands there twice"),
        (f'{HEADER}\n"{"x" * 200_000}"', "not a valid CSV file"),
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
    ],
)
def test_a_bad_summary_ends_in_one_sentence(text, reason, tmp_path):
    path = tmp_path / "summary.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(UserError, match=reason) as raised:
        read_stored(path)

    assert str(path) in str(raised.value)


def test_metrics_and_a_config_that_are_none_are_refused(folder):
    a = folder("a", seeds=[0])
    path = a / "evaluate/waves/cnn1d/scratch/labels1/seed0/metrics.json"
    path.write_text("{}")

    with pytest.raises(UserError, match=r"not the metrics of a run.*; evaluate it anew"):
        read_stored(a)
    (a / "config.yaml").write_text("- device")
    with pytest.raises(UserError, match="not a configuration"):
        read_stored(a)


def test_the_command_writes_the_page_and_prints_where(folder, tmp_path, capsys):
    out = tmp_path / "page.html"

    main(["compare", str(folder("a")), str(folder("b") / "summary.csv"), "--out", str(out)])

    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"A: {tmp_path / 'a' / 'results'}, 4 runs"
    assert "" not in shown
    assert shown[-1] == f"page: {out}"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.fixture
def compare(tmp_path, capsys):
    """Return what compares rows as the command does: exit code, lines, and lines of errors."""

    def run(rows_a, rows_b, *options):
        for name, rows in (("a.csv", rows_a), ("b.csv", rows_b)):
            with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
        paths = [str(tmp_path / name) for name in ("a.csv", "b.csv", "page.html")]
        code = 0
        try:
            main(["compare", *paths[:2], "--out", paths[2], *options])
        except SystemExit as left:
            code = left.code
        shown = capsys.readouterr()
        return code, " ".join(shown.out.split()), shown.err

    return run


SCORES = {0: 0.80, 1: 0.82, 2: 0.84}
LOWER = {0: 0.780, 1: 0.799, 2: 0.821}  # by .02, .021 and .019


def test_the_summary_has_what_is_lower_first_and_counts_what_is_identical(compare):
    rows_a = [
        row
        for name in ("cnn1d", "gru", "lstm", "rnn")
        for row in rows_of(SCORES, architecture=name)
    ]
    rows_b = [
        *rows_of(SCORES, architecture="cnn1d"),
        *rows_of({0: 0.82, 1: 0.841, 2: 0.859}, architecture="gru"),
        *rows_of(LOWER, architecture="lstm"),
        *rows_of(SCORES, architecture="mlp"),
    ]

    code, shown, _ = compare(rows_a, rows_b, "--names", "old", "new")

    assert code == 0
    assert "new scores higher than old with 1 and lower with 1; identical: 1." in shown
    lower = (
        "new is lower waves: lstm · scratch accuracy 0.820 to 0.800, \u22120.020 over 3 seeds,"
        " 95 % interval \u22120.022 to \u22120.018 new is higher waves: gru · scratch"
    )
    assert lower in shown
    assert "waves: cnn1d" not in shown
    assert "only in old: waves: rnn · scratch, seeds 0, 1, 2 only in new: waves: mlp" in shown


def test_the_page_folds_what_is_identical_and_has_the_names(table):
    a = table("a", *rows_of(SCORES), *rows_of(SCORES, architecture="gru"))
    b = table("b", *rows_of(SCORES), *rows_of(LOWER, architecture="gru"))

    text = render_comparison(a, b, ("old", "new"))

    open_part, folded = text.split("<summary>1 identical model</summary>")
    assert "gru" in open_part
    assert "cnn1d" not in open_part
    assert "cnn1d" in folded
    assert "<h1>old against new</h1>" in text
    assert "new is lower" in text


def test_a_script_learns_that_a_model_is_worse_beyond_chance(compare):
    worse = compare(rows_of(SCORES), rows_of(LOWER), "--fail-if-worse")
    better = compare(rows_of(LOWER), rows_of(SCORES), "--fail-if-worse")
    same = compare(rows_of(SCORES), rows_of(SCORES), "--fail-if-worse")

    assert (worse[0], better[0], same[0]) == (4, 0, 0)
    assert "B is worse beyond chance: waves: cnn1d · scratch" in worse[2]


def test_one_interval_of_many_that_leaves_0_out_is_no_loss_beyond_chance(compare):
    names = [f"model{i}" for i in range(20)]
    noise = {0: 0.80, 1: 0.83, 2: 0.83}  # differences 0, .01 and -.01
    rows_a = [row for name in names for row in rows_of(SCORES, architecture=name)]
    one_lower = {0: 0.780, 1: 0.805, 2: 0.815}  # by .02, .015 and .025: p = .02, and 20 times it
    rows_b = [
        row
        for name in names
        for row in rows_of(one_lower if name == "model7" else noise, architecture=name)
    ]

    code, shown, _ = compare(rows_a, rows_b, "--fail-if-worse")

    assert code == 0
    assert "B is lower waves: model7" in shown
    assert "Intervals that leave 0 out: 1 of 20; by chance alone, about 1 would." in shown


def test_what_cannot_be_tested_is_not_passed_in_silence(compare):
    single = compare(rows_of({0: 0.8}), rows_of({0: 0.1}), "--fail-if-worse")
    beside = rows_of(SCORES, architecture="gru")
    only = compare([*rows_of({0: 0.8}), *beside], [*rows_of({0: 0.1}), *beside], "--fail-if-worse")
    higher = rows_of({0: 0.82, 1: 0.841, 2: 0.859}, architecture="gru")
    both = compare([*rows_of({0: 0.8}), *beside], [*rows_of({0: 0.1}), *higher], "--fail-if-worse")
    none = compare(rows_of(SCORES), rows_of(SCORES, dataset="others"), "--fail-if-worse")

    assert "a loss cannot be told from chance; train more `seeds` in both" in single[0]
    assert "a loss cannot be told from chance" in only[0]  # though another model is identical
    note = "not judged, with a single seed or no score: 1 of 2 models that differ\n"
    assert (both[0], both[2]) == (0, note)
    assert "A and B have no run in common to judge" in none[0]


def test_the_mean_over_seeds_is_no_run_that_lacks_its_metrics_or_seeds(folder, tmp_path, capsys):
    a, b = folder("a"), folder("b")
    for path in (a, b):
        with (path / "summary.csv").open("a") as summary:
            summary.write(f"waves,cnn1d,scratch_ensemble,1.0,0,test,accuracy,0.{path == a:d}5\n")

    main(["compare", str(a), str(b), "--fail-if-worse", "--out", str(tmp_path / "page.html")])

    shown = capsys.readouterr()
    assert shown.out.startswith(f"A: {a}, 4 runs\nB: {b}, 4 runs\n")
    printed = " ".join(shown.out.split())
    assert "not tested waves: cnn1d · scratch_ensemble accuracy" in printed
    assert "0.100 mean over the seeds of each" in printed
    assert "no metrics.json" not in shown.out
    assert shown.err == ""


def test_names_of_a_foreign_table_stay_one_line_on_the_terminal(compare):
    evil = (
        rows_of(SCORES, architecture="x\x1b[31m\nB is fine"),
        rows_of(LOWER, architecture="x\x1b[31m\nB is fine"),
    )

    _, shown, _ = compare(*evil)

    assert "x\\x1b[31m B is fine · scratch" in shown


def test_the_command_refuses_a_wrong_path_in_a_sentence_and_writes_nothing(folder, tmp_path):
    a, out = folder("a"), tmp_path / "page.html"

    with pytest.raises(
        SystemExit, match=r"error: .*nowhere: no such file or folder; name a folder"
    ):
        main(["compare", str(a), str(tmp_path / "nowhere"), "--out", str(out)])
    with pytest.raises(SystemExit, match=r"holds no summary\.csv"):
        main(["compare", str(tmp_path), str(a), "--out", str(out)])
    with pytest.raises(SystemExit, match="is called as a summary is"):
        main(["compare", str(a), str(a), "--out", str(a / "summary.csv")])

    assert not Path(out).exists()
