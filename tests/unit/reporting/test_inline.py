"""Figures in the page: values of points, entries of legends and colours of the theme."""

import csv
import io
import json
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from fixtures.pages import Page
from fixtures.results import material_of
from seqbench.reporting.evidence.material import PALETTE
from seqbench.reporting.figures.catalog import figures_of
from seqbench.reporting.figures.inline import inlined, name_parts, without_names
from seqbench.reporting.figures.panels import legend
from seqbench.reporting.figures.plot import Numbers
from seqbench.reporting.figures.rendering import as_svg, draw
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.theme import CARD, contrast, dark_shade, luminance
from seqbench.reporting.scores.formats import NOTHING

EVIL = '</script>\'"<b onclick="x">&amp;'


def skill(run):
    return {"majority": 0.5, "metronome": 0.2}.get(run.architecture, 0.8) - run.seed / 50


@pytest.fixture
def drawings(write_results, write_events, config, event_config):
    """Return what draws all figures of a small world of classification, or of detection."""

    def draw_all(task):
        if task == "detection":
            raw = event_config(architectures=["cnn1d", "event_specific"])
            plan = write_events(raw, skill=skill)
        else:
            raw = config(arms=["scratch", "contrastive_finetune"], labels=[0.5, 1.0], seeds=[0, 1])
            plan = write_results(raw, skill=skill)
        [dataset] = plan.datasets
        material = material_of(plan)
        drawn = [draw(name, material) for name in figures_of(plan, dataset)]
        return [one for one in drawn if not one.left_out]

    return draw_all


def values_of(element):
    """Return what the script reads: names of columns, and the marks."""
    [svg] = Page(str(element)).all("svg")
    return json.loads(svg["data-values"]) if "data-values" in svg else {"columns": [], "marks": []}


def four_digits(cell):
    try:
        number = float(cell)
    except ValueError:
        return {"True": "yes", "False": "no", "": NOTHING}.get(cell, cell)
    return number if number.is_integer() else float(f"{number:.4g}")


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_every_value_that_is_shown_stands_in_the_table(task, drawings):
    with_values = 0
    for drawing in drawings(task):
        rows = [
            {four_digits(cell) for cell in row.values()}
            for row in csv.DictReader(io.StringIO(drawing.csv))
        ]
        marks = values_of(drawing.element)["marks"]
        with_values += bool(marks)
        for _, heads, _, at, *columns in marks:
            assert len(values_of(drawing.element)["columns"][heads]) == len(columns)
            for shown in zip(*columns, strict=True):
                assert any(set(shown) <= row for row in rows), (drawing.figure, shown)
            assert {len(values) for values in columns} == {len(at) // 2}
    assert with_values >= 5


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_ids_are_used_once_and_entries_hide_what_there_is(task, drawings):
    pages = [Page(str(drawing.element)) for drawing in drawings(task)]
    ids = [name for page in pages for name in page.ids]

    assert len(ids) == len(set(ids)) > 10
    n_entries = 0
    for page in pages:
        entries = {
            attributes["data-key"] for _, attributes in page.tags if "data-key" in attributes
        }
        hidden = {
            key for _, attributes in page.tags for key in attributes.get("data-of", "").split()
        }
        assert hidden == entries
        n_entries += len(entries)
    assert n_entries >= 4


@pytest.fixture
def plot():
    """Return a figure of two lines with gaps, long enough to be thinned, and a hostile name."""
    with mpl.rc_context(STYLE | {"svg.hashsalt": "test"}):
        figure = Figure(figsize=(4, 2))
        axes = figure.add_subplot(xlim=(0, 400), ylim=(0, 1))
        numbers = Numbers()
        x = np.arange(500.0)  # the last hundred lie outside
        y = np.where(x % 7 == 3, np.nan, np.linspace(0.1, 0.9, 500))
        for name, colour in ((EVIL, "#0072b2"), ("other", "#22262b")):
            [line] = axes.plot(x, y, color=colour)
            rows = numbers.add(model=name, time_ms=x, f1=y)
            numbers.mark(line, rows, {"time_ms": "time", "f1": "F1"}, name=name, keys=[name])
        ink = {"color": "#22262b"}
        legend(figure, [(EVIL, {"color": "#0072b2"}), ("other", ink), ("none", ink)])
        plot = numbers.plot(figure, "Words.")
        keys = name_parts(plot)
        return plot, keys, as_svg(figure)


def test_points_lie_where_they_are_drawn(plot):
    made, keys, svg = plot
    values = values_of(inlined(svg, made, keys, "label"))
    [axes] = made.figure.axes

    assert values["columns"] == [[["time", " ms"], ["F1", ""]]]
    for name, _, _, at, time, f1 in values["marks"]:
        assert name in (EVIL, "other")
        assert len(time) == 60
        assert time[0] == 0
        assert max(time) <= 402
        drawn = axes.transData.transform(np.column_stack([time, f1])) * 72 / made.figure.dpi
        drawn[:, 1] = 2 * 72 - drawn[:, 1]
        assert np.abs(np.reshape(at, (-1, 2)) - drawn).max() < 0.06  # digits of values and places


def test_values_beyond_all_numbers_are_words_that_the_script_can_read():
    with mpl.rc_context(STYLE):
        figure = Figure()
        axes = figure.add_subplot()
        numbers = Numbers()
        [line] = axes.plot([1, 2, 3], [0.5, 0.4, 0.3])
        train = [np.inf, -np.inf, np.nan]
        rows = numbers.add(epoch=[1, 2, 3], train_loss=train)
        numbers.mark(line, rows, {"train_loss": "on train"})
        plot = numbers.plot(figure)
        element = inlined(as_svg(figure), plot, name_parts(plot), "label")

    [(*_, shown)] = values_of(element)["marks"]
    assert shown == ["\N{INFINITY}", "\N{MINUS SIGN}\N{INFINITY}", NOTHING]


def test_entries_of_the_legend_are_those_with_a_curve(plot):
    made, keys, svg = plot
    page = Page(str(inlined(svg, made, keys, "label")))

    assert keys == [EVIL, "other"]
    assert [tag["data-of"] for tag in page.all("g") if "data-of" in tag] == ["0", "1"]
    assert sorted(tag["data-key"] for tag in page.all("g") if "data-key" in tag) == list("0011")


def test_names_are_text_in_the_element(plot):
    made, keys, svg = plot
    element = str(inlined(svg, made, keys, EVIL))
    page = Page(element)

    assert "<b" not in element
    assert {tag for tag, _ in page.tags} <= {
        "svg",
        "g",
        "path",
        "text",
        "defs",
        "use",
        "clippath",
        "rect",
    }
    assert page.all("svg")[0]["aria-label"] == EVIL
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_colours_follow_the_theme(plot):
    made, keys, svg = plot
    [tag] = re.findall(r"<svg[^>]*style='([^']*)'", inlined(svg, made, keys, "label"))
    body = inlined(svg, made, keys, "label").split(">", 1)[1]

    assert tag == f"--a:light-dark(#0072b2,{dark_shade('#0072b2')})"
    assert not re.search(r":#[0-9a-f]{6}", body)
    assert {"stroke:var(--a)", "stroke:var(--ink)"} <= set(re.findall(r"stroke:[^;']*", body))


def test_a_file_has_neither_ids_of_artists_nor_values(plot):
    _, _, svg = plot

    assert "id='mark-0'" in svg
    assert "mark-" not in without_names(svg)
    assert len(without_names(svg)) < len(svg)


def test_an_artist_must_have_a_point_for_each_row(plot):
    made, keys, svg = plot
    marks = [replace(mark, rows=range(3), name="curve") for mark in made.marks]

    with pytest.raises(ValueError, match="curve: 500 points are drawn of 3 rows"):
        inlined(svg, replace(made, marks=marks), keys, "label")


@pytest.mark.parametrize("colour", [*PALETTE, "#767676", "#b3202c", "#0b4f86", "#440154"])
def test_shades_of_dark_pages_can_be_read(colour):
    assert contrast(dark_shade(colour), CARD) >= 4.5


@pytest.mark.parametrize("colour", ["#fbe0da", "#c3c9cf"])
def test_a_tint_stays_behind_what_is_drawn(colour):
    assert luminance(CARD) < luminance(dark_shade(colour)) < 0.15
