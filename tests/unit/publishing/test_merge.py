"""Results of several are one leaderboard where they can be compared, and nothing else is joined."""

import csv
import json
import os
import shutil
import subprocess

import pytest

from fixtures.pages import EVIL, Page
from seqbench import layout
from seqbench.cli.main import main
from seqbench.storage.static_folder import sums_of
from seqbench.storage.windows import SPLITS, LeakCheck, read_windows, write_windows

CODE, OTHER_CODE = "0" * 16, "1" * 16


def skill(run):
    return {"cnn1d": 0.8, "gru": 0.9, "lstm": 0.7}.get(run.architecture, 0.5) + 0.01 * run.seed


@pytest.fixture
def make(make_results):
    """Return what makes results whose scores depend on the run alone."""
    return lambda name, **changes: make_results(name, **{"skill": skill} | changes)


@pytest.fixture
def merge(tmp_path):
    """Return what joins results and returns the folder."""

    def call(*roots, out="joined", options=()):
        main(["merge", *map(str, roots), str(tmp_path / out), *options])
        return tmp_path / out

    return call


@pytest.fixture
def refusal(tmp_path):
    """Return what joins results in vain and returns the sentence."""

    def call(*roots, options=()):
        with pytest.raises(SystemExit) as caught:
            main(["merge", *map(str, roots), str(tmp_path / "refused"), *options])
        assert not (tmp_path / "refused").exists()
        return str(caught.value)

    return call


def rows_of(folder, name="leaderboard.csv"):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_models_of_both_are_ranked_and_what_both_have_is_one_row(make, merge, capsys):
    a = make("ana", architectures=["cnn1d", "gru"])
    b = make("ben", architectures=["cnn1d", "lstm"], seeds=[1, 2, 3])

    folder = merge(a, b)

    found = {row["architecture"]: row for row in rows_of(folder)}
    assert [row["rank"] for row in rows_of(folder)] == ["1", "2", "3", "4"]
    assert list(found) == ["gru", "cnn1d", "lstm", "majority"]
    assert [found[name]["results"] for name in found] == ["ana", "ana; ben", "ben", "ana; ben"]
    # Seeds 0 to 3 of the one, of which both have two.
    assert (found["cnn1d"]["n"], float(found["cnn1d"]["mean"])) == ("4", pytest.approx(0.815))
    of_runs = {(row["architecture"], row["seed"]): row for row in rows_of(folder, "runs.csv")}
    assert [of_runs["cnn1d", str(seed)]["results"] for seed in range(4)] == [
        *("ana", "ana; ben", "ana; ben", "ben"),
    ]
    assert of_runs["cnn1d", "0"]["device"] == "cpu"
    assert of_runs["cnn1d", "0"]["commit"] == "0123456789ab"
    assert "2 folders of results together: 4 models on 1 dataset, 11 runs. 3 runs stand in" in (
        " ".join(capsys.readouterr().out.split())
    )


def test_the_page_shows_the_numbers_of_the_table(make, merge):
    folder = merge(make("ana"), make("ben", architectures=["gru"]))

    (table,) = [
        rows
        for label, rows in Page((folder / "index.html").read_text()).tables.items()
        if label.startswith("Leaderboard of waves")
    ]

    for row, shown in zip(rows_of(folder), table[1:], strict=True):
        assert shown[:2] == [row["rank"], f"{row['architecture']} {row['arm']}"]
        assert (
            f"{float(row['mean']):.3f} [{float(row['low']):.3f}, {float(row['high']):.3f}]" in shown
        )


def test_the_interval_is_that_of_one_report_on_all_the_runs(make, merge):
    whole = make("whole", seeds=[0, 1, 2, 3])
    apart = merge(make("ana", seeds=[0, 1]), make("ben", seeds=[2, 3]))

    with (whole / layout.TABLE.format(dataset="waves", form="csv")).open() as file:
        (expected,) = [
            one
            for one in csv.DictReader(file)
            if (one["architecture"], one["metric"]) == ("cnn1d", "accuracy")
        ]

    found = next(row for row in rows_of(apart) if row["architecture"] == "cnn1d")
    assert [float(found[key]) for key in ("mean", "sd", "low", "high")] == [
        float(expected[key]) for key in ("mean", "sd", "low", "high")
    ]


def test_what_was_published_is_joined_as_the_results_are_and_checked(
    make, merge, refusal, tmp_path
):
    a, b = make("ana"), make("ben", architectures=["gru"])
    main(["publish", str(a), str(tmp_path / "of_ana")])

    names = ("--names", "Ana", "Ben")
    assert rows_of(merge(tmp_path / "of_ana", b, options=names)) == rows_of(
        merge(a / "results", b, out="again", options=names)
    )

    path = tmp_path / "of_ana" / "results/evaluate/waves/cnn1d/scratch/labels1/seed0/metrics.json"
    path.write_text(path.read_text().replace("0.8", "0.9"))
    assert "seed0/metrics.json was changed since it was published" in refusal(
        tmp_path / "of_ana", b
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"windows": {}}, "has no windows of waves; publish the results anew"),
        ({"windows": {"waves": {"test": "0" * 64}}}, "has no windows of waves; publish"),
        ({"windows": {"waves": {"test": "0"}}}, "not the index of this version"),
        ({"models": 1}, "not the index of this version"),
    ],
    ids=["no windows", "windows of test alone", "no digest", "no models"],
)
def test_an_index_of_another_kind_is_refused(change, expected, make, refusal, tmp_path):
    a, b, folder = make("ana"), make("ben"), tmp_path / "of_ana"
    main(["publish", str(a), str(folder)])
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | change))
    sums = "".join(f"{digest}  {name}\n" for name, digest in sums_of(folder).items())
    (folder / "SHA256SUMS").write_text(sums)

    sentence = refusal(folder, b)

    assert expected in sentence
    assert str(folder / "index.json") in sentence


def with_code(code):
    return lambda run, content: content.update(metric_code=code)


def better(run, content):
    if run.seed == 1 and run.architecture == "cnn1d":
        content["scores"]["test"]["mcc"]["value"] = 0.99


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"sources": {"waves": {"source": "waves", "split": {"seed": 1}}}},
            "`split.seed` of waves is 0 in the one and 1 in the other",
        ),
        (
            {"sources": {"waves": {"source": "waves", "n_windows": 80}}},
            "`n_windows` of waves is",
        ),
        (
            {"more": {"finetune": {"epochs": 7}}},
            "`finetune.optimizer.epochs` of cnn1d · scratch on waves is",
        ),
        ({"edit": with_code(OTHER_CODE)}, "scored by different code of the metrics"),
        ({"edit": with_code(None)}, "does not name the code of its metrics"),
        (
            {"edit": better},
            "waves, cnn1d, scratch, labels 1, seed 1 has mcc on test 0.81 in the one and 0.99 in",
        ),
    ],
    ids=["split", "source", "training", "metric code", "no metric code", "score"],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence_that_says_why(
    changes, expected, make, refusal
):
    sentence = refusal(make("ana"), make("ben", **changes))

    assert expected in sentence
    assert "\n" not in sentence


def test_other_labels_of_test_are_refused(make, refusal, monkeypatch):
    a = make("ana")
    b = make("ben", classes={"waves": ["a", "b", "c"]})

    assert "ana and ben cannot be joined: windows, labels or source files of test of waves" in (
        refusal(a, b)
    )


@pytest.mark.parametrize(
    ("of_ben", "expected"),
    [
        ({}, None),
        ({"split": {"seed": 1}}, "`split.seed` of waves is 0 in the one and 1 in the other"),
        ({"split": {"folds": None}}, "`fold.n_folds` of waves is 3 in the one and absent in the"),
        ({"epochs": 7}, "`finetune.optimizer.epochs` of cnn1d · scratch on waves-repeat1-fold1 is"),
        ({"code": OTHER_CODE}, "waves was scored by different code of the metrics"),
    ],
    ids=["alike", "split", "no folds", "training", "metric code"],
)
def test_who_has_other_folds_has_the_same_protocol_or_is_refused(
    of_ben, expected, make, merge, refusal
):
    def of_folds(name, places, split=None, epochs=5, code=CODE):
        source = {"source": "waves", "split": {"folds": 3} | (split or {})}
        root = make(
            name,
            sources={"waves": source},
            seeds=[0],
            more={"finetune": {"epochs": epochs}},
            edit=with_code(code),
        )
        for place in {1, 2, 3} - set(places):
            shutil.rmtree(root / f"results/evaluate/waves-repeat1-fold{place}", ignore_errors=True)
        return root

    roots = of_folds("ana", [1]), of_folds("ben", [2, 3], **of_ben)

    if expected is not None:
        assert expected in refusal(*roots)
    else:
        assert {row["n"] for row in rows_of(merge(*roots))} == {"3"}


def test_results_that_do_not_overlap_in_models_need_not_have_the_same_training(make, merge):
    a = make("ana")
    b = make("ben", architectures=["gru"], more={"finetune": {"epochs": 7}})

    assert len(rows_of(merge(a, b))) == 3


def test_models_across_datasets_are_ranked_where_all_have_all(make, merge):
    both = {"datasets": ["waves", "gun_point"]}

    folder = merge(make("ana", **both), make("ben", architectures=["gru"], **both))

    tables = Page((folder / "index.html").read_text()).tables
    (ranks,) = [rows for label, rows in tables.items() if label.startswith("Average ranks")]
    assert [row[:2] for row in ranks[1:]] == [
        ["gru scratch", "1.00"],
        ["cnn1d scratch", "2.00"],
        ["majority baseline", "3.00"],
    ]


def test_the_folder_is_checkable_and_the_same_for_the_same_results(make, merge):
    roots = make("ana"), make("ben", architectures=["gru"])

    first, again = merge(*roots), merge(*roots, out="again")
    merge(*roots)  # in place of the first

    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=first, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (first / "SHA256SUMS").read_bytes() == (again / "SHA256SUMS").read_bytes()
    assert str(roots[0].parent) not in (first / "index.html").read_text()


def test_names_are_escaped_and_told_apart(make, merge, refusal, tmp_path):
    a, b = make("ana"), make("ben")
    shutil.copytree(a, tmp_path / "other" / "ana")

    page = (
        merge(a, b, options=("--names", EVIL, "Ben", "--title", EVIL)) / "index.html"
    ).read_text()
    alike = merge(a, tmp_path / "other" / "ana", out="alike")

    assert EVIL not in page
    found = json.loads((alike / "index.json").read_text())["results"]
    assert [one["name"] for one in found] == [f"{tmp_path.name}/ana", "other/ana"]
    assert "stands there twice" in refusal(a, b, options=("--names", "X", "X"))
    assert "1 for 2 results" in refusal(a, b, options=("--names", "X"))
    assert "name two or more" in refusal(a)


def test_scores_without_the_code_of_metrics_are_comparable_at_one_commit(make, merge, refusal):
    def of_commit(commit):
        def edit(run, content):
            content["metric_code"] = None
            content["provenance"]["evaluated_at_commit"] = commit

        return edit

    a, b = make("ana", edit=of_commit("012345")), make("ben", edit=of_commit("012345"))
    c = make("cem", edit=of_commit("012345 with uncommitted changes"))

    assert len(rows_of(merge(a, b))) == 2
    assert "cem: waves/cnn1d/scratch does not name the code of its metrics" in refusal(a, c)


def test_a_run_that_is_older_than_what_it_was_scored_from_is_left_out(make, merge):
    a, b = make("ana"), make("ben", architectures=["gru"])
    (a / "results/finetune/waves/cnn1d/scratch/labels1/seed1/history.csv").touch()

    found = next(row for row in rows_of(merge(a, b)) if row["architecture"] == "cnn1d")

    assert found["n"] == "2"


def test_models_that_start_from_files_are_not_taken_for_the_same(make, merge, refusal):
    def started(name, seeds):
        start = {"architectures": {"cnn1d": {"init": f"/data/{name}/encoder.safetensors"}}}
        return make(name, arms=["from_file_finetune"], seeds=seeds, more=start)

    a, b, again = started("ana", [0]), started("ben", [1]), started("cem", [0])
    more = started("dov", [0, 1])

    for roots in ((a, b), (a, more), (more, a)):
        assert "cnn1d · from_file_finetune on waves starts from a file" in refusal(*roots)
    assert len(rows_of(merge(a, again))) == 2


@pytest.mark.parametrize("is_published", [False, True])
def test_leaks_of_the_windows_are_said(is_published, make, merge, tmp_path, capsys):
    roots = [make("ana"), make("ben", architectures=["gru"])]
    for root in roots:
        add_leak(root / layout.WINDOWS.format(dataset="waves"))
    if is_published:
        for root in roots:
            main(["publish", str(root), str(tmp_path / f"of_{root.name}")])
        roots = [tmp_path / f"of_{root.name}" for root in roots]
    capsys.readouterr()

    page = (merge(*roots) / "index.html").read_text()

    said = " ".join(capsys.readouterr().out.split())
    for text in (page, said):
        words = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        assert "waves: 3 of 40 test windows (7.5 %) stand in train too, 2 of them" in words


def add_leak(path):
    """Write windows anew, with what the splits share, and leave their time as it was."""
    before = path.stat()
    splits = {split: read_windows(path, split) for split in SPLITS}
    check = LeakCheck(
        by="group",
        n_shared_groups=0,
        n_windows={"val": 8, "test": 40},
        n_repeated={"val": 0, "test": 3},
        n_same_target={"val": 0, "test": 2},
        order_agreement=None,
    )
    write_windows(path, splits, check)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_folds_and_fractions_of_labels_are_joined_as_a_report_has_them(make, merge):
    of_folds = {"waves": {"source": "waves", "split": {"folds": 3}}}
    grid = {"sources": of_folds, "labels": [0.2, 1.0]}
    whole = make("whole", seeds=[0, 1], **grid)
    joined = merge(make("ana", seeds=[0], **grid), make("ben", seeds=[1], **grid))

    with (whole / layout.TABLE.format(dataset="waves", form="csv")).open() as file:
        expected = {
            (row["labels"], row["architecture"]): row
            for row in csv.DictReader(file)
            if row["metric"] == "accuracy" and not row["arm"].endswith("ensemble")
        }

    found = {(row["labels"], row["architecture"]): row for row in rows_of(joined)}
    for key, row in expected.items():
        numbers = [float(row[name] or "nan") for name in ("mean", "n", "low", "high")]
        own = [float(found[key][name] or "nan") for name in ("mean", "n", "low", "high")]
        assert own == pytest.approx(numbers, nan_ok=True)
    assert found["1.0", "cnn1d"]["n"] == "6"
    tables = Page((joined / "index.html").read_text()).tables
    assert "Leaderboard of waves, 20 % of the labels" in {
        label.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        for label in tables
    }
