"""Numbers in the tables, held against values computed by hand."""

import json
import re
from pathlib import Path

import pytest

from seqbench import layout
from seqbench.errors import FormatError
from seqbench.plan.plan import Run
from seqbench.reporting.read.results import COLUMNS, Result, collect, summary
from seqbench.reporting.scores.leaderboards import Lead, lead, leaderboard, leaderboards
from seqbench.storage.metrics import Metrics, read_metrics, write_metrics
from seqbench.tasks.metric_names import higher_is_better

ACCURACY = {  # by seed
    "cnn1d": [0.90, 0.92, 0.94],  # mean 0.92, s.d. 0.02
    "gru": [0.91, 0.90, 0.92],  # mean 0.91: one hundredth below the best
    "lstm": [0.80, 0.80, 0.80],
    "rnn": [0.50, 0.55, 0.60],  # mean 0.55, below the floor
    "majority": [0.60],
    "minirocket": [0.85, 0.86, 0.87],
}


def skill(run):
    return ACCURACY[run.architecture][run.seed]


@pytest.fixture
def made_board(write_results, config):
    """Return what makes the board of waves from a skill by architecture."""

    def make(skill, baselines=("majority",), edit=None, **grid):
        by_name = skill if callable(skill) else lambda run: skill[run.architecture]
        plan = write_results(config(baselines, **grid), skill=by_name, edit=edit)
        return leaderboard(collect(plan, Path()), "waves", "1")

    return make


@pytest.fixture
def board(made_board):
    return made_board(
        skill, ("majority", "minirocket"), architectures=["rnn", "lstm", "gru", "cnn1d"]
    )


def row(board, architecture):
    return next(row for row in board.rows if row.architecture == architecture)


def test_rows_stand_from_best_to_worst_with_their_marks(board):
    def marked(mark):
        return [row.architecture for row in board.rows if getattr(row, mark)]

    names = [row.architecture for row in board.rows]
    assert names == ["cnn1d", "gru", "minirocket", "lstm", "majority", "rnn"]
    assert (marked("is_best"), marked("is_tied")) == (["cnn1d"], ["gru"])
    assert (marked("below_floor"), marked("below_best_baseline")) == (["rnn"], ["lstm", "rnn"])
    assert board.best_baseline.architecture == "minirocket"
    assert board.margin == pytest.approx(0.92 - 0.86)
    assert {(row.of_ceiling, row.gap_closed) for row in board.rows} == {(None, None)}


def test_a_score_is_the_mean_over_seeds_and_a_single_run_shows_its_own_interval(board):
    score, alone = row(board, "cnn1d").score, row(board, "majority").score

    # Squares 4 + 0 + 4 over n - 1.
    assert (score.mean, score.sd, score.n) == pytest.approx((0.92, 0.02, 3))
    assert (alone.sd, alone.interval) == (None, pytest.approx((0.55, 0.65)))


def test_the_headline_is_the_one_that_the_results_name(made_board):
    def edit(run, content):
        content["headline"] = "mcc"
        content["scores"]["test"]["mcc"]["value"] = {"cnn1d": 0.1, "gru": 0.2}.get(
            run.architecture, 0.0
        )

    on_accuracy = {"cnn1d": 0.9, "gru": 0.8, "majority": 0.5}
    board = made_board(on_accuracy, edit=edit, architectures=["cnn1d", "gru"])

    assert board.headline == board.metric_names[0] == "mcc"
    assert [row.architecture for row in board.rows] == ["gru", "cnn1d", "majority"]


def test_a_metric_at_a_tolerance_improves_like_its_family():
    assert all(map(higher_is_better, ("f1_at_5ms", "accuracy")))
    assert not any(map(higher_is_better, ("onset_mae_ms", "onset_bias_ms", "log_loss")))


@pytest.fixture
def board_of(made_board):
    """Return what makes a board of scores by architecture: of two seeds, or on resamples of test.

    On resamples each model has the same scores in both runs; without, test is one group.
    """

    def make(scores, *, on_resamples):
        def skill(run):
            own = scores[run.architecture]
            return sum(own) / len(own) if on_resamples else own[run.seed]

        def edit(run, content):
            own = scores[run.architecture] if on_resamples else None
            content["scores"]["test"]["accuracy"]["resampled"] = own

        architectures = [name for name in scores if name != "majority"]
        return made_board(skill, edit=edit, architectures=architectures, seeds=[0, 1])

    return make


def test_the_interval_of_several_runs_is_that_of_their_mean_over_resamples(board_of):
    tenths = [i / 40 for i in range(41)]  # 2.5 % of them lie below 1/40, 2.5 % above 39/40
    board = board_of({"cnn1d": tenths, "majority": [0.1] * 41}, on_resamples=True)

    assert row(board, "cnn1d").score.interval == pytest.approx((1 / 40, 39 / 40))


def test_perfect_scores_of_all_runs_have_the_interval_of_one(board_of):
    board = board_of({"cnn1d": [1.0] * 40, "majority": [0.1] * 40}, on_resamples=True)

    result = row(board, "cnn1d").results[0]
    low, high = row(board, "cnn1d").score.interval
    assert (low, high) == result.interval(result.headline)
    assert low < high


def test_a_lead_is_taken_resample_by_resample(board_of):
    swing = [0.2, 0.8] * 20  # hard and easy resamples, for all models alike
    better = [value + 0.1 for value in swing]
    scores = {"cnn1d": better, "gru": swing, "majority": [0.1] * 40}
    board = board_of(scores, on_resamples=True)
    found = lead(row(board, "cnn1d"), row(board, "gru"))

    assert found.mean == pytest.approx(0.1)
    assert found.interval == pytest.approx((0.1, 0.1))  # though each model swings by 0.6
    assert not row(board, "gru").is_tied


def test_what_the_best_leads_on_some_resamples_only_is_tied(board_of):
    even, odd = [0.9, 0.5] * 20, [0.5, 0.8] * 20  # 0.7 and 0.65
    scores = {"cnn1d": even, "gru": odd, "majority": [0.1] * 40}
    board = board_of(scores, on_resamples=True)

    assert lead(row(board, "cnn1d"), row(board, "gru")).interval == pytest.approx((-0.3, 0.4))
    assert row(board, "gru").is_tied
    assert not row(board, "majority").is_tied


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.01, 0.2), "ahead"),
        ((-0.2, -0.01), "behind"),
        ((-0.1, 0.3), "within chance"),
        (None, "no interval"),
    ],
)
def test_a_lead_is_put_in_words(interval, verdict):
    assert Lead(0.1, interval).verdict == verdict


def test_without_resamples_a_lead_has_the_interval_over_seeds(board_of):
    board = board_of({"cnn1d": [0.7, 0.9], "majority": [0.5]}, on_resamples=False)
    ahead, behind = (
        lead(row(board, one), row(board, other)).interval
        for one, other in (("cnn1d", "majority"), ("majority", "cnn1d"))
    )

    assert row(board, "cnn1d").score.interval is None
    # Differences .2 and .4: s.d. .1414, t of one degree of freedom 12.706.
    assert ahead == pytest.approx((0.3 - 1.2706, 0.3 + 1.2706), abs=1e-4)
    assert behind == pytest.approx((-0.3 - 1.2706, -0.3 + 1.2706), abs=1e-4)


def test_without_resamples_chance_in_both_trainings_counts(board_of):
    # All of the chance is in the second: it may well be the better one.
    scores = {"cnn1d": [0.9, 0.9], "gru": [0.7, 0.95], "majority": [0.5]}
    board = board_of(scores, on_resamples=False)

    # Differences .2 and -.05: s.d. .17678.
    assert lead(row(board, "cnn1d"), row(board, "gru")).interval == pytest.approx(
        (0.075 - 12.706 * 0.125, 0.075 + 12.706 * 0.125), abs=1e-4
    )
    assert row(board, "gru").is_tied


def test_without_a_spread_only_equal_means_are_tied(made_board):
    same = {"cnn1d": 0.9, "gru": 0.9, "lstm": 0.899, "majority": 0.5}

    board = made_board(same, architectures=["cnn1d", "gru", "lstm"], seeds=[0])

    assert [(row.architecture, row.is_best, row.is_tied) for row in board.rows[:3]] == [
        ("cnn1d", True, False),
        ("gru", False, True),
        ("lstm", False, False),
    ]


def test_an_undefined_value_is_left_out_of_the_mean_and_of_the_summary(write_results, config):
    def edit(run, content):
        if run.seed == 1:
            content["scores"]["test"]["accuracy"] = {"value": None, "low": None, "high": None}

    plan = write_results(config(), skill=lambda run: 0.5 + run.seed / 10, edit=edit)
    results = collect(plan, Path())
    score = row(leaderboard(results, "waves", "1"), "cnn1d").score
    frame = summary(results).query("architecture == 'cnn1d'")

    assert (score.n, score.mean) == (2, pytest.approx(0.6))
    assert len(frame.query("metric == 'accuracy' and split == 'test'")) == 2


def test_a_model_without_any_value_stands_last_and_is_no_candidate(made_board):
    def edit(run, content):
        if run.architecture == "gru":
            content["scores"]["test"]["accuracy"] = {"value": None}

    board = made_board(lambda run: 0.7, edit=edit, architectures=["gru", "cnn1d"])

    assert board.rows[-1].architecture == "gru"
    assert board.rows[-1].score.mean is None
    assert board.selected.architecture == "cnn1d"


def test_the_chosen_run_is_the_best_on_val_whatever_test_shows(made_board):
    def edit(run, content):
        if run.arm != "baseline":
            content["scores"]["val"]["accuracy"]["value"] = {0: 0.7, 1: 0.9, 2: 0.8}[run.seed]

    board = made_board(lambda run: 0.5 + run.seed / 10, edit=edit)

    assert board.selected.chosen.run.seed == 1


def test_val_selects_the_model_of_a_dataset(made_board):
    def edit(run, content):
        on_val = {"gru": (0.9, 0.3), "cnn1d": (0.9, 0.2), "rnn": (0.8, 0.1)}
        if run.architecture in on_val:
            accuracy, loss = on_val[run.architecture]
            content["scores"]["val"]["accuracy"]["value"] = accuracy
            content["scores"]["val"]["log_loss"]["value"] = loss

    on_test = {"gru": 0.8, "cnn1d": 0.7, "rnn": 0.95, "majority": 0.5}
    board = made_board(on_test, edit=edit, architectures=["gru", "cnn1d", "rnn"])

    assert board.rows[0].architecture == "rnn"
    assert board.selected.architecture == "cnn1d"


def test_ties_on_val_are_named_and_few_groups_warned_of(
    write_results, config, page_without_figures
):
    def edit(run, content):
        if run.arm != "baseline":
            content["scores"]["val"]["accuracy"]["value"] = 0.75
            content["scores"]["val"]["log_loss"]["value"] = 0.1 if run.architecture == "gru" else 1

    write_results(config(architectures=["cnn1d", "gru", "rnn"]), skill=skill, edit=edit)

    page = page_without_figures()

    assert "3 models tie on val with 0.750 accuracy; the lowest log loss there, then" in page
    assert "the first name, selects gru" in page
    table = page[page.index('<table class="leaderboard') :]
    marks = re.findall(r'<tr data-run="([^"]*)".*?</tr>', table, re.DOTALL)
    rows = re.findall(r"<tr data-run=.*?</tr>", table, re.DOTALL)
    (selected,) = [name for name, one in zip(marks, rows, strict=True) if ">selected<" in one]
    assert "gru" in selected
    assert '<td class="number" data-value="0.75">0.750</td>' in rows[0]


def test_test_does_not_decide_between_equals_of_val(made_board):
    def edit(run, content):
        if run.arm != "baseline":
            content["scores"]["val"]["accuracy"]["value"] = 1
            content["scores"]["val"]["log_loss"]["value"] = 0

    scores = {"cnn1d": 0.7, "gru": 0.9, "majority": 0.5}
    board = made_board(scores, edit=edit, architectures=["cnn1d", "gru"])

    assert board.rows[0].architecture == "gru"
    assert board.selected.architecture == "cnn1d"


def test_the_summary_is_tidy_and_sorted(write_results, config):
    plan = write_results(config(seeds=[1, 0]), skill=lambda run: 0.1 + 0.2)
    frame = summary(collect(plan, Path()))

    assert list(frame.columns) == list(COLUMNS)
    assert set(frame["split"]) == {"val", "test", "cost"}
    assert frame.equals(frame.sort_values(list(COLUMNS), ignore_index=True))
    assert not frame.duplicated(list(COLUMNS[:-1])).any()
    assert "peak_memory_bytes" not in set(frame["metric"])  # null in the files
    trained = frame.query("architecture == 'cnn1d' and seed == 0")
    assert len(trained) == 7 + 7 + 7 + 1  # of val and test, costs that are not null, energy
    assert frame.query("metric == 'accuracy'")["value"].tolist() == [0.1 + 0.2] * 5


def test_results_of_another_run_are_refused(write_results, config):
    plan = write_results(config(), skill=lambda run: 0.5)
    path = Path(plan.runs[0].fill(layout.METRICS))
    metrics = read_metrics(path)
    other = metrics.run.model_copy(update={"seed": 7})
    write_metrics(path, metrics.model_copy(update={"run": other}))

    with pytest.raises(FormatError, match=r"metrics\.json: holds the results of"):
        collect(plan, Path())


def test_models_with_few_labels_are_not_held_against_baselines_that_have_all(write_results, config):
    raw = config(("majority", "minirocket"), labels=[0.1, 1.0])
    accuracy = {"cnn1d": 0.7, "majority": 0.5, "minirocket": 0.8}
    plan = write_results(raw, skill=lambda run: accuracy[run.architecture])

    full, few = leaderboards(collect(plan, Path()), "waves")

    assert (full.labels, few.labels) == ("1", "0.1")
    assert row(full, "cnn1d").below_best_baseline
    assert not row(few, "cnn1d").below_best_baseline
    assert few.best_baseline.architecture == "minirocket"


def test_the_ceiling_competes_with_nobody():
    f1 = {"cnn1d": 0.8, "gru": 0.4, "metronome": 0.1, "matched_filter": 0.6, "oracle": 0.9}
    baselines = ("metronome", "matched_filter", "oracle")
    results = []
    for name, value in f1.items():
        run = Run("strikes", name, "baseline" if name in baselines else "scratch", "1", 0)
        scores = {"test": {"f1_at_5ms": {"value": value}}}
        content = {"run": vars(run) | {"labels": 1.0}, "task": "detection", "scores": scores}
        metrics = Metrics.parse(json.dumps(content | {"headline": "f1_at_5ms"}))
        results.append(Result(run, metrics))

    board = leaderboard(results, "strikes", "1")

    assert [r.architecture for r in board.rows if r.is_ceiling] == ["oracle"]
    assert board.rows[0].architecture == "oracle"
    assert [r.architecture for r in board.rows if r.is_best] == ["cnn1d"]
    assert board.best_baseline.architecture == "matched_filter"
    assert board.floor.architecture == "metronome"
    assert board.margin == pytest.approx(0.2)
    assert [r.architecture for r in board.rows if r.below_best_baseline] == ["gru"]
    of_ceiling = {r.architecture: r.of_ceiling for r in board.rows}
    assert of_ceiling == pytest.approx(
        {"oracle": None, "cnn1d": 8 / 9, "matched_filter": 6 / 9, "gru": 4 / 9, "metronome": 1 / 9}
    )
    gap = {r.architecture: r.gap_closed for r in board.rows}
    assert gap == pytest.approx(
        {"oracle": None, "cnn1d": 7 / 8, "matched_filter": 5 / 8, "gru": 3 / 8, "metronome": 0.0}
    )
