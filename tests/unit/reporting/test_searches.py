"""What a report shows of searches of options."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import FIGURES
from seqbench.config.tuning import Dimension
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan
from seqbench.plan.searches import trial_files
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material, gather
from seqbench.reporting.figures.catalog import figures_of
from seqbench.reporting.figures.rendering import draw
from seqbench.reporting.page.paper import paper_tables
from seqbench.reporting.read.finished import finished_part
from seqbench.reporting.read.results import collect
from seqbench.reporting.read.searches import Search, search_table
from seqbench.reporting.read.settings import step_settings
from seqbench.reporting.scores.searches import budget_curves, option_effects
from seqbench.reporting.text.searches import search_rows, tuned_notes
from seqbench.steps import report
from seqbench.storage.trials import (
    Choice,
    Promotion,
    Trial,
    write_choice,
    write_promotion,
    write_trial,
)

SEARCH = {
    "architectures": {
        "cnn1d": {"tune": {"trials": 4, "space": {"learning_rate": [0.01, 0.1], "epochs": [5, 9]}}}
    }
}
SCORES = [0.6, None, 0.8, 0.7]


@pytest.fixture
def searched(write_results, config):
    """Return the plan of a benchmark with a search, all results in place."""
    plan = write_results(config(architectures=["cnn1d", "gru"]) | SEARCH, skill=lambda run: 0.8)
    for dataset, name in plan.tuned:
        for number, point in enumerate(plan.trials(name)):
            trial = Trial(
                dataset=dataset,
                architecture=name,
                trial=number,
                options=point,
                headline="accuracy",
                score=SCORES[number],
                cpu_s=None if SCORES[number] is None else 10.0,
                failure="train_loss is nan" if SCORES[number] is None else None,
            )
            write_trial(Path(trial_files(dataset, name, 0, [number])[0]), trial)
        choose(plan, dataset, name, 2)
    return plan


def choose(plan, dataset, name, number):
    options = plan.trials(name)[number]
    choice = Choice(dataset=dataset, architecture=name, trial=number, options=options)
    write_choice(Path(layout.CHOICE.format(dataset=dataset, architecture=name)), choice)


def material_of(plan):
    return gather(plan, collect(plan, Path()), Path())[0]


def test_a_search_has_its_cost_its_scores_and_what_it_changed(searched):
    [row] = search_rows(material_of(searched).searches, searched.datasets[0])

    assert (row.n_trials, row.n_failed, row.cpu) == (4, 1, "30.0 s")
    assert (row.untuned, row.chosen, row.number) == ("0.600", "0.800", 2)
    point = searched.trials("cnn1d")[2]
    before = searched.trials("cnn1d")[0]
    assert all(
        (f"{name} {value:g}" in row.changes) == (value != before[name])
        for name, value in point.items()
    )
    assert [trial.score for trial in row.trials] == ["0.600", "failed", "0.800", "0.700"]
    assert [trial.best for trial in row.trials] == ["0.600", "0.600", "0.800", "0.800"]
    assert [trial.cpu for trial in row.trials] == ["10.0 s", "10.0 s", "20.0 s", "30.0 s"]
    assert "train_loss is nan" in row.trials[1].options


def test_models_whose_options_were_chosen_are_marked_and_the_others_are_not(searched):
    board = material_of(searched).board

    marked = {row.architecture: row.n_trials for row in board.rows}
    assert marked == {name: 4 if name == "cnn1d" else 0 for name in marked}
    assert len(marked) > 1
    [note] = tuned_notes(board)
    assert note.startswith("Options chosen on val: cnn1d (4 trials);")
    assert all(
        note in text for path, text in paper_tables([[board]]).items() if path.endswith("md")
    )


@pytest.mark.usefixtures("without_figures")
def test_the_page_shows_the_search_and_the_settings_that_were_chosen(searched):
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    page = Path(layout.REPORT).read_text(encoding="utf-8")

    assert "Search of options: 4 trials" in page
    block = page[page.index("Search of options: 4 trials") : page.index("Trials of cnn1d")]
    assert "Score on val against budget." in block
    assert page.count("Score on val against budget.</b>") == 1
    assert page.count(">tuned</span>") >= 1
    with Path(layout.TRIALS_TABLE).open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["is_chosen"] for row in rows] == ["False", "False", "True", "False"]
    assert [json.loads(row["options"]) for row in rows] == searched.trials("cnn1d")


def test_the_settings_of_a_run_are_those_that_were_chosen(searched):
    run = next(run for run in searched.trained if run.architecture == "cnn1d")
    point = searched.trials("cnn1d")[2]

    settings = step_settings(searched, run, material_of(searched).choices)["finetune"]

    assert settings.optimizer.learning_rate == point["learning_rate"]
    assert settings.optimizer.epochs == point["epochs"]


def test_a_choice_among_other_trials_is_refused(searched):
    dataset, name = searched.tuned[0]
    path = Path(layout.CHOICE.format(dataset=dataset, architecture=name))
    write_choice(path, Choice(dataset=dataset, architecture=name, trial=2, options={"epochs": 1}))

    with pytest.raises(FormatError, match="the choice was made among other trials; run"):
        material_of(searched)


def test_a_file_of_another_model_is_refused(searched):
    dataset, name = searched.tuned[0]
    path = Path(layout.CHOICE.format(dataset=dataset, architecture=name))
    options = searched.trials(name)[2]
    write_choice(path, Choice(dataset=dataset, architecture="gru", trial=2, options=options))

    with pytest.raises(FormatError, match=f"is of gru on {dataset}, not of {name} on {dataset}"):
        material_of(searched)


def test_a_run_whose_options_are_still_searched_has_not_finished(searched):
    dataset, name = searched.tuned[0]
    Path(trial_files(dataset, name, 0, [3])[0]).unlink()

    assert {run.architecture for run in finished_part(searched, Path()).trained} == {"gru"}


# Of nine trials three go on and, as configured is not among them, trial 0 on top; then one.
HALVED = [
    {0: 0.2, 1: None, **{number: number / 10 for number in range(2, 9)}},
    {0: 0.5, 6: 0.9, 7: 0.6, 8: 0.7},
    {0: 0.75, 6: 0.7},
]
RATES = [0.01 * i for i in range(2, 10)]


@pytest.fixture
def halved(write_results, config):
    """Return the plan of a benchmark with a search by halving, all results in place."""
    search = {"trials": 9, "method": "halving", "space": {"learning_rate": RATES}}
    entry = {"architectures": {"cnn1d": {"finetune": {"epochs": 18}, "tune": search}}}
    plan = write_results(config(architectures=["cnn1d", "gru"]) | entry, skill=lambda run: 0.8)
    for dataset, name in plan.tuned:
        for rung, scores in enumerate(HALVED):
            for number, score in scores.items():
                trial = Trial(
                    dataset=dataset, architecture=name, trial=number, rung=rung,
                    epochs=(2, 6, 18)[rung], options=plan.trials(name)[number],
                    headline="accuracy", score=score, cpu_s=3.0**rung,
                    failure="train_loss is nan" if score is None else None,
                )  # fmt: skip
                write_trial(Path(trial_files(dataset, name, rung, [number])[0]), trial)
        for rung, numbers in enumerate(HALVED[1:]):
            go_on(dataset, name, rung, numbers)
        choose(plan, dataset, name, 0)
    return plan


def go_on(dataset, name, rung, numbers):
    promotion = Promotion(dataset=dataset, architecture=name, rung=rung, trials=tuple(numbers))
    path = layout.PROMOTION.format(dataset=dataset, architecture=name, rung=rung)
    write_promotion(Path(path), promotion)


def test_the_scores_of_a_search_by_halving_are_those_with_all_epochs(halved):
    [row] = search_rows(material_of(halved).searches, halved.datasets[0])

    assert (row.n_trials, row.n_failed) == (9, 1)
    assert (row.untuned, row.chosen, row.number) == ("0.750", "0.750", 0)
    assert row.cpu == "39.0 s"  # of nine, four and two trials
    assert row.rungs == "9 trials with 1/9 of the epochs, 4 with 1/3, 2 with all"
    last = row.trials[-2:]
    assert [trial.rung for trial in last] == ["3, 18 epochs"] * 2
    assert [trial.best for trial in last] == ["0.750", "0.750"]
    assert [trial.is_chosen for trial in row.trials] == [False] * 13 + [True, False]


def test_every_trial_of_a_search_by_halving_is_in_the_table_of_trials(halved):
    text = search_table(material_of(halved).searches)

    rows = list(csv.DictReader(text.splitlines()))
    of_rungs = Counter((row["rung"], row["epochs"]) for row in rows)
    assert of_rungs == {("0", "2"): 9, ("1", "6"): 4, ("2", "18"): 2}
    assert [(row["rung"], row["trial"]) for row in rows if row["is_chosen"] == "True"] == [
        ("2", "0")
    ]


def test_the_budget_of_a_search_by_halving_counts_its_short_trials(halved):
    [curve] = budget_curves(material_of(halved).searches)

    assert curve.best.tolist() == [0.75, 0.75]
    assert curve.expected is None  # the last trials are no random ones
    assert curve.n_trials.tolist() == pytest.approx([9 / 9 + 4 / 3 + 1, 9 / 9 + 4 / 3 + 2])
    assert curve.cpu_s.tolist() == [9 + 4 * 3 + 9, 9 + 4 * 3 + 18]
    plot = FIGURES["search_budget"](material_of(halved))
    assert plot.table["shows"].unique().tolist() == ["as run"]


def test_folds_of_which_one_has_fewer_last_trials_are_averaged_as_they_end(halved):
    [one] = material_of(halved).searches
    other = replace(one, rungs=(*one.rungs[:-1], one.rungs[-1][:1]))

    [curve] = budget_curves([one, other])

    assert curve.best.tolist() == [0.75, 0.75]
    assert curve.cpu_s.tolist() == [30 + 30, 39 + 30]


def test_options_are_compared_in_the_rung_that_all_trials_reach(halved):
    [model] = option_effects(material_of(halved).searches)

    assert model.trials == [0, 2, 3, 4, 5, 6, 7, 8]
    assert model.scores == [0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert model.chosen == {0}


@pytest.mark.usefixtures("without_figures")
def test_the_page_says_which_part_of_the_epochs_a_trial_had(halved):
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    page = Path(layout.REPORT).read_text(encoding="utf-8")

    assert "cnn1d 9 trials with 1/9 of the epochs, 4 with 1/3, 2 with all." in page
    assert "<td>2, 6 epochs</td>" in page
    assert "cnn1d: 9 trials by halving" in page


@pytest.mark.parametrize("numbers", [(0, 9), (6, 7)], ids=["no such trial", "not as configured"])
def test_a_rung_that_is_ranked_for_another_search_is_refused(numbers, halved):
    dataset, name = halved.tuned[0]
    go_on(dataset, name, 1, numbers)

    with pytest.raises(FormatError, match="the choice was made among other trials; run"):
        material_of(halved)


def test_rungs_that_were_trained_with_other_epochs_are_refused(halved):
    raw = halved.benchmark.model_dump(mode="json", exclude_unset=True)
    raw["architectures"]["cnn1d"]["finetune"]["epochs"] = 27
    longer = Plan(Benchmark.load(raw))

    with pytest.raises(FormatError, match="cnn1d: trials of rung 0 have other epochs than"):
        material_of(longer)


def test_a_run_whose_trials_still_go_on_has_not_finished(halved):
    dataset, name = halved.tuned[0]
    Path(trial_files(dataset, name, 1, [6])[0]).unlink()

    assert {run.architecture for run in finished_part(halved, Path()).trained} == {"gru"}


def a_search(name, scores, *, place="waves", chosen=0, cpu_s=10.0, options=None):
    """Return a search whose trials have these scores; None is a trial that failed."""
    options = options or {"learning_rate": [0.001 * 2**i for i in range(len(scores))]}
    trials = tuple(
        Trial(
            dataset=place,
            architecture=name,
            trial=i,
            options={option: values[i] for option, values in options.items()},
            headline="accuracy",
            score=one,
            cpu_s=None if one is None else cpu_s,
            failure="train_loss is nan" if one is None else None,
        )
        for i, one in enumerate(scores)
    )
    space = {
        option: Dimension(low=1e-4, high=1, log=True)
        if option == "learning_rate"
        else Dimension(values=tuple(one for i, one in enumerate(values) if one not in values[:i]))
        for option, values in options.items()
    }
    choice = Choice(dataset=place, architecture=name, trial=chosen, options=trials[chosen].options)
    return Search(choice, (trials,), (1,), space)


def drawn_of(searched, searches, figure):
    material = material_of(searched)
    material = Material(**{**vars(material), "searches": searches})
    return FIGURES[figure](material)


def test_a_failed_trial_costs_its_place_and_is_never_the_best():
    [curve] = budget_curves([a_search("cnn1d", [0.6, None, 0.8, 0.7])])

    assert curve.best.tolist() == [0.6, 0.6, 0.8, 0.8]
    # Each of the four may be first; as the pair, three of six hold .8, two .7, and one .6.
    assert curve.expected.tolist() == pytest.approx(
        [(0.6 + 0.6 + 0.8 + 0.7) / 4, (3 * 0.8 + 2 * 0.7 + 0.6) / 6, (3 * 0.8 + 0.7) / 4, 0.8]
    )
    assert curve.cpu_s.tolist() == [10, 10, 20, 30]
    assert curve.expected_cpu_s.tolist() == [7.5, 15, 22.5, 30]


def test_folds_are_averaged_in_score_and_summed_in_cost():
    folds = [a_search("cnn1d", [0.6, 0.8], place="f0"), a_search("cnn1d", [0.4, 0.2], place="f1")]

    [curve] = budget_curves(folds)

    assert curve.best.tolist() == pytest.approx([0.5, 0.6])
    assert curve.expected.tolist() == pytest.approx([0.5, 0.6])
    assert curve.cpu_s.tolist() == [20, 40]


def test_a_model_without_a_score_has_no_curve():
    assert budget_curves([a_search("cnn1d", [None, None])]) == []


def test_one_figure_holds_networks_and_baselines_against_trials_and_time(searched):
    searches = [
        a_search("cnn1d", [0.6, None, 0.8, 0.7], chosen=2),
        a_search("minirocket", [0.7, 0.75], cpu_s=100.0, chosen=1),
    ]

    plot = drawn_of(searched, searches, "search_budget")

    colours = [line.get_color() for line in plot.figure.axes[0].lines]
    assert colours[2:] == [BASELINE_COLOUR] * 2
    assert BASELINE_COLOUR not in colours[:2]
    for axes, column in zip(plot.figure.axes, ("n_trials", "cpu_s"), strict=True):
        drawn = [list(zip(*line.get_data(), strict=True)) for line in axes.lines]
        table = plot.table.groupby(["architecture", "shows"], sort=False)
        rows = [list(zip(of[column], of["score_on_val"], strict=True)) for _, of in table]
        assert drawn == rows
    assert plot.figure.axes[1].get_xscale() == "log"
    assert "cnn1d 0.800, minirocket 0.750" in plot.shown


def test_a_floor_far_below_is_named_and_does_not_press_curves_together(searched):
    searches = [
        a_search("cnn1d", [0.6, 0.8]),
        a_search("gru", [0.7, 0.79]),
        a_search("minirocket", [0.71, 0.78]),
        a_search("majority", [-3.0, -2.0], cpu_s=0.001),
    ]

    number, time = drawn_of(searched, searches, "search_budget").figure.axes

    assert [text.get_text() for text in number.texts] == ["below: majority \N{MINUS SIGN}2.000"]
    assert 0.7 < number.get_ylim()[0] < 0.78
    assert time.get_xlim()[0] > 1


RISING = [0.1 * i for i in range(8)]
OPTIONS = {
    "learning_rate": [0.001 * 2**i for i in range(8)],
    "n_layers": [1, 2, 1, 2, 2, 1, 2, 1],
    "widths": [[16, 16], [32, 32]] * 4,
}


def test_only_an_option_with_a_trend_beyond_chance_has_one():
    [model] = option_effects([a_search("cnn1d", RISING, options=OPTIONS)])

    effects = {one.option: one for one in model.effects}
    assert effects["learning_rate"].rank_correlation == pytest.approx(1)
    assert effects["learning_rate"].is_clear
    # Two of 8! orders are as extreme, and of two numbers Holm doubles the smaller p-value.
    assert effects["learning_rate"].adjusted_p < 0.001
    assert not effects["n_layers"].is_clear
    assert effects["widths"].rank_correlation is None


def test_options_of_few_trials_are_not_compared():
    assert option_effects([a_search("cnn1d", [0.1, None, 0.2, 0.3])]) == []
    [model] = option_effects([a_search("cnn1d", [0.1, None, 0.2, 0.3, 0.4])])
    assert model.trials == [0, 2, 3, 4]


def test_each_option_has_a_panel_and_the_chosen_trial_a_diamond(searched):
    plot = drawn_of(
        searched, [a_search("cnn1d", RISING, chosen=7, options=OPTIONS)], "search_effects"
    )

    rate, layers, widths = (axes for axes in plot.figure.axes if axes.get_visible())
    assert [rate.get_xscale(), layers.get_xscale()] == ["log", "linear"]
    assert [text.get_text() for text in widths.get_xticklabels()] == ["16, 16", "32, 32"]
    assert [[text.get_text() for text in axes.texts] for axes in (rate, layers, widths)] == [
        ["\N{GREEK SMALL LETTER RHO} 1.000"], ["no trend"], [],
    ]  # fmt: skip
    [diamond] = rate.collections[2].get_offsets().tolist()
    assert diamond == pytest.approx([0.128, 0.7])
    assert plot.table.query("is_chosen")["trial"].tolist() == [7, 7, 7]
    assert len(plot.table) == 3 * 8
    assert plot.shown == "Rank correlation with accuracy on val: cnn1d learning_rate 1.000."


def test_an_option_of_0_as_configured_has_a_place_left_of_all_orders_of_magnitude(searched):
    options = {"learning_rate": [0.0, *(0.001 * 10**i for i in range(3))]}

    plot = drawn_of(
        searched, [a_search("cnn1d", [0.1, 0.3, 0.2, 0.4], options=options)], "search_effects"
    )

    axes = plot.figure.axes[0]
    places = axes.transData.transform([(x, 0.2) for x in (0.0, 0.001, 0.01, 0.1)])[:, 0]
    assert np.all(np.isfinite(places))
    gaps = np.diff(places)
    assert gaps[1] == pytest.approx(gaps[2])  # as on an axis of logarithms
    assert gaps[0] > gaps[1] / 4
    assert axes.bbox.x0 < places[0]
    assert axes.get_xticks().tolist() == [0, 0.001, 0.01, 0.1]


def test_a_search_has_its_figures_and_they_are_drawn_from_files(searched, write_results, config):
    assert {"search_budget", "search_effects"} <= set(figures_of(searched, "waves"))
    drawing = draw("search_budget", material_of(searched))
    assert drawing.block == "search"
    assert drawing.svg.startswith(b"<?xml")

    plain = write_results(config(), skill=lambda run: 0.8)
    assert not {"search_budget", "search_effects"} & set(figures_of(plain, "waves"))
