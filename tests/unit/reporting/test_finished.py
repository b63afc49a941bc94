"""The page of the runs that have finished so far, while others have not."""

import csv
import os
import random
import re
import shutil
from pathlib import Path

import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.cli.main import main
from seqbench.config.benchmark import Benchmark
from seqbench.errors import UserError
from seqbench.plan.plan import Plan, Run
from seqbench.plan.workflow_jobs import run_files
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.page.assembly import assemble
from seqbench.reporting.read.finished import finished_part, unfinished_warnings
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.leaderboards import leaderboards
from seqbench.steps import report as step

HERE = Path()
QUESTION = {"ask": "Which?", "compare": ["waves", "gun_point"]}


def skill(run):
    """Different for each model and seed, so that no two rows of a table are alike."""
    best = {"cnn1d": 0.9, "gru": 0.8, "majority": 0.5, "minirocket": 0.7}[run.architecture]
    return best - run.seed / 50 - 0.1 * (1 - float(run.labels)) - 0.03 * (run.arm == "scratch")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Where the world that most tests use is kept, once one of them has made it."""
    return tmp_path_factory.mktemp("shelf") / "results"


@pytest.fixture
def plan(write_results, rich_config, shelf):
    raw = rich_config(seeds=[0, 1, 2]) | {"questions": [QUESTION]}
    if not shelf.exists():
        write_results(raw, skill=skill)
        shutil.copytree("results", shelf)
    else:
        shutil.copytree(shelf, "results")
    return Plan(Benchmark.load(raw))


def delete(plan, *runs):
    """Remove what runs have alone."""
    for run in runs:
        for path in run_files(plan)[run]:
            if path.startswith(("results/evaluate", "results/finetune")):
                Path(path).unlink()


def summary_rows(report):
    return list(csv.DictReader(report.summary.splitlines()))


@pytest.mark.usefixtures("without_figures")
def test_when_all_runs_have_finished_it_is_the_page_of_the_workflow(plan):
    step.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    main(["report"])

    assert Path(layout.REPORT_SO_FAR).read_bytes() == Path(layout.REPORT).read_bytes()


@pytest.mark.usefixtures("without_figures")
def test_a_run_that_is_gone_takes_exactly_its_rows_of_the_summary(plan):
    run = Run("waves", "gru", "scratch", "1", 1)
    before = summary_rows(assemble(plan, HERE))
    delete(plan, run)
    after = summary_rows(assemble(finished_part(plan, HERE), HERE))

    identity = {"dataset": "waves", "architecture": "gru", "arm": "scratch", "labels": "1.0"}
    gone = [row for row in before if row.items() >= (identity | {"seed": "1"}).items()]
    assert len(gone) == 7 + 7 + 7 + 1  # as in the files, and the energy
    assert after == [row for row in before if row not in gone]


@pytest.mark.usefixtures("without_figures")
def test_a_run_that_is_gone_changes_the_rows_of_its_model_alone(plan):
    before = Page(assemble(plan, HERE).page).tables
    delete(plan, Run("waves", "gru", "scratch", "1", 1))
    after = Page(assemble(finished_part(plan, HERE), HERE).page).tables
    unfinished = after.pop("Unfinished runs on waves")

    assert unfinished[1:] == [["gru scratch", "100 %", "1"]]
    assert after.keys() == before.keys()
    shown = [tables.pop("The recommended method of each dataset") for tables in (before, after)]
    assert [row[:-1] for row in shown[0]] == [row[:-1] for row in shown[1]]  # but for the command
    boards = ("Leaderboard of waves", "More metrics of waves")
    for label in ("All models", *boards, "Cost on waves"):
        changed = [
            (old, new)
            for old, new in zip(before.pop(label), after.pop(label), strict=True)
            if old != new
        ]
        assert {row[0] for pair in changed for row in pair} == {"gru scratch"}
        assert len(changed) == 1
    # Means of effects are over pairs, of which one is gone with the run.
    for label in [label for label in before if label.startswith("Effect of") or "Which?" in label]:
        del before[label], after[label]
    assert after == before


@pytest.mark.usefixtures("without_figures")
def test_what_has_not_finished_is_warned_of_on_the_first_screen(plan):
    gone = [run for run in plan.trained if run.dataset == "gun_point"]
    delete(plan, *gone, Run("waves", "gru", "scratch", "1", 1))
    page = assemble(finished_part(plan, HERE), HERE).page
    warnings = re.search(r'<ul class="warnings">(.*?)</ul>', page, re.S).group(1)

    # Per dataset: 2 architectures, 2 arms, 2 fractions, 3 seeds; majority once, minirocket thrice.
    assert "25 of 56 runs have not finished: 1 of 28 on waves." in warnings
    assert "No trained model has finished on gun_point; this page leaves them out." in warnings
    assert 'id="dataset-gun_point"' not in page
    assert page.index('id="result"') < page.index('class="warnings"') < page.index('id="models"')
    assert "31 runs" not in page


def test_a_few_runs_are_named_in_the_warning(plan):
    delete(plan, Run("waves", "gru", "scratch", "0.2", 1))

    [warning] = unfinished_warnings(finished_part(plan, HERE))
    assert warning.startswith(
        "1 of 56 runs has not finished: waves, gru, scratch, labels 0.2, seed 1."
    )


def test_colours_are_those_of_the_whole_report(plan):
    whole = gather(plan, collect(plan, HERE), HERE)[0].colours
    delete(plan, *(run for run in plan.trained if run.architecture == "cnn1d"))
    finished = finished_part(plan, HERE)
    left = gather(finished, collect(finished, HERE), HERE)[0]

    assert left.architectures == ["gru"]
    assert left.colours["gru"] == whole["gru"]


@pytest.mark.parametrize("missing", [layout.METRICS, layout.PREDICTIONS, layout.HISTORY])
def test_a_run_without_one_of_its_files_has_not_finished(missing, plan):
    run = plan.trained[0]
    Path(run.fill(missing)).unlink()

    assert finished_part(plan, HERE).unfinished == {run}


def test_a_score_older_than_its_model_is_that_of_another_model(plan):
    run = plan.trained[0]
    score = Path(run.fill(layout.METRICS)).stat().st_mtime
    os.utime(run.fill(layout.HISTORY), (score + 1, score + 1))

    assert finished_part(plan, HERE).unfinished == {run}


def test_without_windows_no_run_of_the_dataset_has_finished(plan):
    Path(layout.WINDOWS.format(dataset="waves")).unlink()

    assert finished_part(plan, HERE).base_datasets == ["gun_point"]


def test_before_anything_has_finished_a_sentence_says_so(plan):
    shutil.rmtree("results/evaluate")

    with pytest.raises(UserError, match="none of the 48 models has finished"):
        finished_part(plan, HERE)


@pytest.mark.usefixtures("without_figures")
def test_nothing_but_the_page_is_written(plan):
    step.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    delete(plan, plan.trained[0])
    before = contents()
    main(["report"])
    after = contents()

    del after[Path(layout.REPORT_SO_FAR)]
    assert after == before


def contents():
    files = [path for path in Path("results").rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize(
    "path",
    [
        layout.REPORT,
        layout.SUMMARY,
        layout.CONFIG,
        layout.FIGURE.format(dataset="waves", figure="leaderboard"),
        layout.WINDOWS.format(dataset="waves"),
        "results/../results/report.html",
    ],
)
def test_files_of_the_workflow_are_never_written(path, plan):
    before = contents()

    with pytest.raises(SystemExit, match="is made by Snakemake; choose another name for --out"):
        main(["report", "--out", path])
    assert contents() == before


@pytest.mark.usefixtures("without_figures")
def test_a_question_is_answered_as_far_as_runs_have_finished(write_results, config):
    ask = {"ask": "Which data?", "compare": ["waves", "gun_point", "basic_motions"]}
    raw = config(datasets=ask["compare"]) | {"questions": [ask]}
    plan = write_results(raw, skill=skill)
    delete(plan, *(run for run in plan.trained if run.dataset == "basic_motions"))
    page = assemble(finished_part(plan, HERE), HERE).page

    table = Page(page).tables["Which data? cnn1d"]
    assert {row[0] for row in table[1:]} == {"gun_point", "waves"}


@pytest.mark.usefixtures("without_figures")
def test_where_folds_have_different_seeds_the_runs_are_counted(write_results, config):
    halves = {"source": "waves", "split": {"folds": 2}}
    raw = config(datasets=["halves"]) | {"datasets": {"halves": halves}}
    plan = write_results(raw, skill=skill)

    def counted(of):
        board = leaderboards(collect(of, HERE), "halves")[0]
        return [row.counted for row in board.rows if not row.is_baseline]

    assert counted(plan) == ["2 \N{MULTIPLICATION SIGN} 3"]
    delete(plan, plan.trained[0])
    assert counted(finished_part(plan, HERE)) == ["5"]
    unfinished = Page(assemble(finished_part(plan, HERE), HERE).page).tables
    assert unfinished["Unfinished runs on halves"] == [
        ["model", "fold", "labels", "seeds"],
        ["cnn1d scratch", plan.trained[0].dataset, "100 %", "0"],
    ]


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize("number", range(0, 5, 2))
def test_whatever_has_finished_makes_a_page(number, plan):
    draw = random.Random(number)
    delete(plan, *(run for run in plan.runs if draw.random() < 0.2 * (number + 0.5)))
    finished = finished_part(plan, HERE)

    page = assemble(finished, HERE).page
    assert all(f'id="dataset-{name}"' in page for name in finished.base_datasets)
