"""Models across datasets: what is compared, the numbers, and the words."""

import re
from pathlib import Path

import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Model, Plan
from seqbench.reporting.evidence.across import gather_across
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.figures.across import bar_levels, critical_difference, ranks_table
from seqbench.reporting.figures.catalog import figure_names
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.blocks import blocks
from seqbench.reporting.text.across import across_sections

PLACE = "_across/classification"
SCRATCH = ("cnn1d", "scratch"), ("gru", "scratch"), ("lstm", "scratch")


def grid(datasets, architectures, **others):
    shared = {"arms": ["scratch"], "seeds": [0], "labels": [1.0]}
    return shared | {"datasets": datasets, "architectures": architectures} | others


@pytest.fixture
def raw(config):
    """Return what makes a config of grids, of datasets of waves and of strikes."""

    def make(*grids, baselines=("majority",)):
        made = config(baselines)
        made["runs"] = list(grids)
        names = {name for grid in grids for name in grid["datasets"]}
        made["datasets"] = {
            name: {"source": "strikes_windows" if name.startswith("strikes") else "waves"}
            for name in sorted(names)
        }
        return made

    return make


def plan_of(raw):
    return Plan(Benchmark.load(raw))


def names(n):
    return [f"d{i}" for i in range(n)]


def compared(plan):
    return gather_across(plan, gather(plan, collect(plan, Path()), Path()))


ACCURACY = {  # by architecture, of d0, d1, ...; gru is second but for a tie and two wins
    "cnn1d": [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.80],
    "gru": [0.80, 0.82, 0.84, 0.86, 0.88, 0.97, 0.96, 0.85],
    "lstm": [0.70, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76, 0.77],
    "majority": [0.5] * 8,
}


def skill(run):
    return ACCURACY[run.architecture][int(run.dataset[1:])] + run.seed / 100


@pytest.fixture
def world(write_results, raw):
    """Return what makes results on the first n datasets."""

    def write(n, *, seeds=(0,), **settings):
        requested = raw(grid(names(n), ["cnn1d", "gru", "lstm"], seeds=list(seeds)))
        return write_results(requested, skill=settings.pop("skill", skill), **settings)

    return write


def test_a_full_grid_is_one_block_of_all_datasets_and_models(raw):
    (block,) = blocks(plan_of(raw(grid(names(3), ["cnn1d", "gru"]))))

    assert block.datasets == ("d0", "d1", "d2")
    assert block.models == (*SCRATCH[:2], ("majority", "baseline"))
    assert (block.other_datasets, dict(block.other_models)) == ((), {})


MANY = ["cnn1d", "gru", "lstm", "rnn", "cnn_lstm", "event_specific"]


@pytest.mark.parametrize(
    ("grids", "datasets", "n_models"),
    [
        # Runs with few labels are not compared.
        ([grid(names(2), MANY[:1]), grid(names(4), ["gru"], labels=[0.1])], names(2), 2),
        # 3 datasets with 2 trained models weigh 18, 2 datasets with all 4 weigh 16.
        ([grid(names(3), MANY[:2]), grid(names(2), MANY[2:4])], names(3), 3),
        # 2 datasets with 5 models weigh 20, 3 datasets with 2 models weigh 18.
        ([grid(names(3), MANY[:2]), grid(names(2), MANY[2:5])], names(2), 6),
        # Three datasets with one trained model and a baseline weigh 9, the two in common 8.
        ([grid(["a", "b", "c"], MANY[:1]), grid(["b", "c", "d"], ["gru"])], ["b", "c", "d"], 2),
        # 6 datasets can distinguish a model and a baseline; 5 with 6 models cannot.
        ([grid(names(5), MANY), grid(["d5"], MANY[:1])], names(6), 2),
    ],
    ids=["few labels", "datasets count twice", "many models", "in common", "can be tested"],
)
def test_the_block_is_the_largest_table_without_gaps(grids, datasets, n_models, raw):
    (block,) = blocks(plan_of(raw(*grids)))

    assert (list(block.datasets), len(block.models)) == (datasets, n_models)


def test_what_stands_outside_of_the_block_is_named(raw):
    few, many = grid(names(2), ["lstm"]), grid(["d1", "d2", "d3", "d4"], ["cnn1d", "gru"])

    (block,) = blocks(plan_of(raw(few, many)))

    assert block.other_datasets == ("d0",)
    assert dict(block.other_models) == {Model("lstm", "scratch"): ("d2", "d3", "d4")}


def test_the_ceiling_is_not_compared(raw):
    strikes = grid(["strikes-a", "strikes-b"], ["cnn1d"])

    (block,) = blocks(plan_of(raw(strikes, baselines=("metronome", "oracle"))))

    assert block.task == "detection"
    assert block.models == (Model("cnn1d", "scratch"), Model("metronome", "baseline"))


def test_a_task_with_one_dataset_has_nothing_to_compare(raw):
    assert blocks(plan_of(raw(grid(["d0"], ["cnn1d", "gru"])))) == []


@pytest.mark.parametrize(("n", "figures"), [(7, []), (8, [(PLACE, "critical_difference")])])
def test_the_diagram_is_promised_only_where_it_can_distinguish_models(n, figures, raw):
    # Four models make six pairs: 6 / 2**6 is more than 0.05, 6 / 2**7 is less.
    plan = plan_of(raw(grid(names(n), ["cnn1d", "gru", "lstm"])))

    assert [one for one in figure_names(plan) if one[0] == PLACE] == figures


def test_no_dataset_can_take_the_place_of_figures_across_datasets(raw):
    with pytest.raises(ValueError, match="datasets"):
        plan_of(raw(grid(["_across"], ["cnn1d"])))
    assert layout.FIGURE.format(dataset=PLACE, figure="x").startswith("results/figures/_across/")


def test_values_are_means_over_seeds(world):
    (across,) = compared(world(3, seeds=(0, 2)))

    assert across.values.loc["d1", "cnn1d · scratch"] == pytest.approx(0.91 + 0.01)
    assert across.values.loc["d1", "majority · baseline"] == 0.5
    assert across.n_runs == (1, 2)


def test_ranks_and_wins_are_those_found_by_hand(world):
    (across,) = compared(world(8))

    ranks = {one.model.architecture: one.rank for one in across.standings}
    first, second = across.standings[:2]

    # cnn1d wins d0 to d4, ties d6 and loses d5 and d7 to gru.
    assert ranks == {"cnn1d": 10.5 / 8, "gru": 13.5 / 8, "lstm": 3.0, "majority": 4.0}
    assert (first.wins, first.ties, first.losses) == (5 + 8 + 8, 1, 2)
    assert (second.wins, second.ties, second.losses) == (2 + 8 + 8, 1, 5)
    pair = across.pair(second.model, first.model)
    assert (pair.wins, pair.ties, pair.losses) == (2, 1, 5)
    # Differences of gru: -.1, -.09, -.08, -.07, -.06, +.02, 0 and +.05.
    assert pair.median_difference == pytest.approx(-0.065)
    # Pratt's ranks are 2 and 3 of what is above 0, 4 to 8 of what is below, 1 of the zero.
    assert pair.rank_biserial == pytest.approx((5 - 30) / 36)


def test_a_model_that_differs_stands_outside_of_the_bar(world):
    (across,) = compared(world(8))
    table = ranks_table(across)

    assert [across.models[c].architecture for c in across.cliques[0]] == ["cnn1d", "gru"]
    assert table["model"].tolist() == [one.model.name for one in across.standings]
    assert table["bar_1"].tolist() == [True, True, False, False]
    [axes] = critical_difference(across).figure.axes
    assert len(axes.texts) == 4 + 4 + 1  # names, ticks, the axis


def test_bars_that_meet_or_nearly_do_stand_on_levels_of_their_own():
    assert bar_levels([(1.0, 2.0), (1.5, 3.0), (2.5, 4.0), (3.05, 5.0)]) == [0, 1, 0, 2]
    assert bar_levels([(1.0, 2.0), (1.5, 3.0), (2.5, 4.0), (3.15, 5.0)]) == [0, 1, 0, 1]


def test_the_words_name_the_tests_and_who_differs(world):
    plan = world(8)
    (across,) = compared(plan)
    (section,) = across_sections([across])

    friedman, best = section.findings
    assert "the models do not all do equally well" in friedman
    assert "3 degrees of freedom, p < 0.001, 8 datasets" in friedman
    assert "cnn1d · scratch, 1.31. It differs from lstm · scratch, majority · baseline;" in best
    assert "of 6 pairs in all, 5 differ" in best
    words = critical_difference(across).shown
    assert "Joined by a bar: cnn1d · scratch, gru · scratch." in words
    assert section.warnings == []


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (3, "2 / 2^3 = 0.25, which cannot reach 0.05"),
        (7, "2 / 2^7 = 0.0156, and Holm's correction for 6 pairs makes it 0.0938"),
    ],
)
def test_too_few_datasets_are_named_with_the_numbers(n, sentence, world):
    (section,) = across_sections(compared(world(n)))

    assert sentence in section.warnings[0]
    assert "Distinguishing 4 models takes 8 datasets or more" in section.warnings[0]
    assert bool(section.findings) == (n >= 6)


def test_what_has_no_value_is_left_out_by_name(world):
    def edit(run, content):
        if run.dataset == "d1" or (run.dataset, run.architecture) == ("d2", "gru"):
            content["scores"]["test"]["accuracy"]["value"] = None

    (across,) = compared(world(4, edit=edit))

    assert across.values.index.tolist() == ["d0", "d2", "d3"]
    assert [model.architecture for model in across.models] == ["cnn1d", "lstm", "majority"]
    assert across.n_runs == (1, 1)
    assert across.undefined == [
        "d1: no model has a defined accuracy.",
        "gru · scratch: no defined value on d2.",
    ]


def test_a_diagram_that_was_promised_says_why_it_is_empty(world):
    def edit(run, content):
        content["scores"]["test"]["accuracy"]["value"] = None

    (across,) = compared(world(8, edit=edit))
    (section,) = across_sections([across])

    assert "Too few datasets" in critical_difference(across).figure.texts[0].get_text()
    assert ranks_table(across).empty
    assert section.warnings == ["Nothing is left to compare: too few of these values are defined."]


def section_across(page):
    return re.search(r'<section id="across">.*?</section>', page, re.S)[0]


def test_the_page_holds_the_diagram_and_the_file_lies_where_the_layout_says(
    world, page_without_figures
):
    world(8)

    section = section_across(page_without_figures())

    assert section.count("<figure>") == 1
    assert "p, adjusted" in section
    assert Path(layout.FIGURE.format(dataset=PLACE, figure="critical_difference")).is_file()


def test_with_few_datasets_the_page_has_ranks_but_neither_p_nor_diagram(
    world, page_without_figures
):
    world(3)

    section = section_across(page_without_figures())

    assert "<figure>" not in section
    assert "p, adjusted" not in section
    assert "average rank" in section
    assert "3 datasets are too few for a test" in section
