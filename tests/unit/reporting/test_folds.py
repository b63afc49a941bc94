"""Folds of a dataset: one row a model, and intervals that know what folds share."""

from itertools import product
from pathlib import Path
from statistics import stdev

import numpy as np
import pytest

from seqbench import layout
from seqbench.reporting.figures.catalog import figure_names
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores import pretraining, questions
from seqbench.reporting.scores.estimates import paired, resampled_mean
from seqbench.reporting.scores.leaderboards import lead, leaderboard
from seqbench.statistics.student import mean_interval
from seqbench.steps import report

# Accuracy by fold, of four; a seed more is a hundredth less.
SKILL = {
    "cnn1d": [0.80, 0.90, 0.70, 0.84],
    "gru": [0.76, 0.85, 0.67, 0.80],
    "majority": [0.5] * 4,
    "minirocket": [0.9] * 4,
}
N_TEST = 10  # windows of each run, which learns from 40 as all made-up results do
TIMES = "\N{MULTIPLICATION SIGN}"


def skill(run):
    return SKILL[run.architecture][int(run.dataset[-1]) - 1] - run.seed / 100


@pytest.fixture
def raw(config):
    made = config(
        ("majority", "minirocket"), datasets=["mine"], architectures=["gru", "cnn1d"], seeds=[0, 1]
    )
    made["datasets"] = {"mine": {"source": "waves", "split": {"folds": 4}}}
    made["questions"] = [{"ask": "Which?", "compare": ["cnn1d", "gru"]}]
    return made


@pytest.fixture
def plan(write_results, raw):
    return write_results(raw, skill=skill, n_test=N_TEST)


@pytest.fixture
def board(plan):
    return leaderboard(collect(plan, Path()), "mine", "1")


def row(board, architecture):
    return next(row for row in board.rows if row.architecture == architecture)


def test_a_model_has_one_row_over_all_folds_and_seeds(board):
    names = [(row.architecture, row.counted) for row in board.rows]

    assert names == [
        ("minirocket", f"4 {TIMES} 2"),
        ("cnn1d", f"4 {TIMES} 2"),
        ("gru", f"4 {TIMES} 2"),
        ("majority", f"4 {TIMES} 1"),
    ]


def test_mean_and_deviation_are_over_all_runs(board):
    values = [value - seed / 100 for value, seed in product(SKILL["cnn1d"], (0, 1))]
    score = row(board, "cnn1d").score

    assert score.n == 8
    assert score.mean == pytest.approx(sum(values) / 8)
    assert score.sd == pytest.approx(stdev(values))


def test_the_interval_is_that_of_the_corrected_resampled_t_test(board):
    of_folds = [value - 0.005 for value in SKILL["cnn1d"]]
    # 3.182 standard errors of 3 degrees of freedom; variance (1 / 4 + 10 / 40) of that of folds.
    reach = 3.18245 * stdev(of_folds) * 0.5**0.5
    low, high = row(board, "cnn1d").score.interval

    assert (low, high) == pytest.approx((0.805 - reach, 0.805 + reach), abs=1e-4)


def test_shared_training_data_widen_an_interval_as_stated():
    values = [0.1, 0.2, 0.3, 0.4]
    plain, shared = mean_interval(values), mean_interval(values, test_to_train=0.75)

    assert shared[1] - shared[0] == pytest.approx(2 * (plain[1] - plain[0]))
    assert sum(shared) == pytest.approx(sum(plain))


def test_a_lead_over_a_baseline_of_one_seed_is_taken_fold_by_fold(board):
    runs, baselines = row(board, "cnn1d").results, row(board, "majority").results
    leads = [(one.result, one.value) for one in paired(runs, baselines, or_mean=True)]

    assert [round(value, 3) for _, value in leads] == [
        0.3, 0.29, 0.4, 0.39, 0.2, 0.19, 0.34, 0.33,
    ]  # fmt: skip


def test_resamples_of_different_folds_are_not_held_against_each_other(plan):
    finished = {"cnn1d": "1", "gru": "2"}  # so far
    results = [
        result
        for result in collect(plan, Path())
        if result.run.dataset[-1] == finished.get(result.run.architecture, "1")
    ]
    board = leaderboard(results, "mine", "1")
    first, second = row(board, "cnn1d"), row(board, "gru")

    assert all(
        resampled_mean(one.results, np.random.default_rng(0)) is not None for one in (first, second)
    )
    assert lead(first, second) is None  # no fold shows who is ahead


def test_a_question_is_answered_fold_by_fold(plan):
    [finding] = questions.findings(plan, collect(plan, Path()))
    [found] = finding.comparisons

    assert found.place == "mine"
    # Differences 0.04, 0.05, 0.03, 0.04: s.d. 0.00816, reach 3.182 times that by 0.707.
    assert found.sentence == "cnn1d is ahead of gru by +0.040 accuracy (+0.022 to +0.058, 4 folds)."


def test_what_pretraining_does_is_stated_fold_by_fold(write_results, raw):
    # In fold k contrastive_probe is k hundredths ahead of scratch.
    raw["runs"][0] |= {"architectures": ["cnn1d"], "arms": ["scratch", "contrastive_probe"]}
    del raw["questions"]
    gain = {"contrastive_probe": 0.01}
    plan = write_results(
        raw, skill=lambda run: 0.5 + gain.get(run.arm, 0) * int(run.dataset[-1]), n_test=N_TEST
    )

    [effect] = pretraining.effects(collect(plan, Path()))
    [verdict] = pretraining.verdicts([effect])

    assert (effect.dataset, effect.difference.n, effect.n_better) == ("mine", 8, 8)
    # Mean 0.025, s.d. of folds 0.01291, reach 3.182 times that by 0.707.
    assert effect.interval == pytest.approx((0.025 - 0.02905, 0.025 + 0.02905), abs=1e-5)
    assert "to +0.054, 4 folds)" in verdict


@pytest.mark.usefixtures("plan")
def test_the_summary_has_a_row_for_every_fold_and_the_page_one_section(page_without_figures):
    page = page_without_figures()

    summary = Path(layout.SUMMARY).read_text(encoding="utf-8")
    assert all(f"\nmine-repeat1-fold{k},cnn1d,scratch,1.0,0,test,auroc," in summary for k in "1234")
    assert page.count("<article") == 1
    assert f'<td class="number">4 {TIMES} 2</td>' in page
    assert "4 in 1 draw" in page
    assert "Fold by fold, cnn1d · scratch scores " in page
    assert "accuracy against minirocket, as chance can do (95 % interval " in page
    assert "corrected resampled t test" in page
    assert "trained with only" not in page


def test_every_figure_can_be_drawn_of_folds(plan):
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])

    assert {dataset for dataset, _ in figure_names(plan)} == {"mine"}
    assert all(
        Path(layout.FIGURE.format(dataset=dataset, figure=figure)).is_file()
        for dataset, figure in figure_names(plan)
    )
