"""Figures as files: the table behind each, and PDFs that any day and any process makes alike."""

import csv
import io
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fixtures.results import material_of
from seqbench.config.registry import FIGURES
from seqbench.reporting.figures import fonts
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.rendering import draw

SKILL = {"majority": 0.5, "metronome": 0.2, "matched_filter": 0.8, "oracle": 0.97}

SHARED = ("leaderboard", "learning_curves", "cost")
OWN = {
    "classification": ("confusion", "examples", "label_efficiency", "pretraining"),
    "detection": ("tolerance", "timing_errors", "timeline", "templates", "calibration"),
}


def skill(run):
    return SKILL.get(run.architecture, 0.9) - run.seed / 50


@pytest.fixture
def windows_world(write_results, config):
    raw = config(arms=["scratch", "contrastive_finetune"], labels=[0.5, 1.0], seeds=[0, 1])
    return lambda **settings: material_of(write_results(raw, skill=skill, **settings))


@pytest.fixture
def events_world(write_events, event_config):
    raw = event_config(architectures=["cnn1d", "event_specific"])
    return lambda **settings: material_of(write_events(raw, skill=skill, **settings))


@pytest.mark.parametrize("world", ["windows_world", "events_world"])
def test_every_figure_has_the_numbers_behind_it_as_rows(world, request):
    material = request.getfixturevalue(world)()
    names = SHARED + OWN[material.board.task]

    for name in names:
        rows = list(csv.DictReader(io.StringIO(FIGURES[name](material).csv)))
        assert rows, name
        assert all(any(row.values()) for row in rows), name


def test_the_dots_of_the_leaderboard_are_the_runs_of_the_table(windows_world):
    plot = FIGURES["leaderboard"](windows_world())
    (axes,) = plot.figure.axes

    dots = sorted(x for one in axes.collections for x, _ in one.get_offsets())
    runs = plot.table.query("shows == 'run'")
    assert sorted(runs["value"]) == pytest.approx(dots)
    assert {(0.9, 0), (0.88, 1)} <= set(
        zip(runs["value"].round(6), runs["seed"].astype(int), strict=True)
    )


def test_lines_of_examples_are_the_values_of_the_table(windows_world):
    plot = FIGURES["examples"](windows_world())
    drawn = [line for axes in plot.figure.axes for line in axes.lines]
    groups = plot.table.groupby(["window", "channel"], sort=False)

    for line, (_, rows) in zip(drawn, groups, strict=True):
        moved = np.asarray(line.get_ydata()) - rows["value"].to_numpy()
        assert np.ptp(moved) < 1e-5  # stacked channels stand apart by one offset each
        np.testing.assert_array_equal(line.get_xdata(), rows["seconds"])


def test_marks_of_a_timeline_are_the_events_of_the_table(events_world):
    material = events_world()
    plot = FIGURES["timeline"](material)

    marks = [
        (line.get_marker(), line.get_xdata()[0])
        for axes in plot.figure.axes
        for line in axes.lines
        if line.get_marker() in ("v", "^", "X")
    ]
    of_table = plot.table.query("shows != 'signal'")
    marker = {"labelled": "v", "missed": "v", "found": "^", "false alarm": "X"}
    assert sorted(marks) == sorted(
        zip(of_table["shows"].map(marker), of_table["seconds"], strict=True)
    )


def test_bars_of_lateness_count_what_the_table_counts(events_world):
    material = events_world(bias_ms=1.5)
    table = FIGURES["timing_errors"](material).table
    timing = material.evidence.timings[0]

    own = table[table["model"] == timing.row.name]
    assert own["n"].sum() == len(timing.late_ms)
    first = own[own["type"] == "e00"]
    assert first["bias_ms"].unique() == pytest.approx([timing.late_ms[timing.type == 0].mean()])


@pytest.mark.parametrize("name", ["=1+2", "+1-2", "-a", "@sum", "\tx"])
def test_text_of_a_table_is_no_formula(name):
    table = pd.DataFrame({name: [name, "-0.5", "left"], "value": [-1.5, 2.0, np.nan]})
    rows = list(csv.reader(io.StringIO(Plot(Figure(), table).csv)))

    assert rows == [
        [f"'{name}", "value"], [f"'{name}", "-1.5"], ["-0.5", "2.0"], ["left", ""],
    ]  # fmt: skip


@pytest.mark.usefixtures("pdfs")
def test_a_pdf_holds_truetype_letters_and_no_date(windows_world):
    pdf = draw("leaderboard", windows_world()).pdf

    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"Date" not in pdf


@pytest.mark.usefixtures("pdfs")
def test_any_process_makes_the_same_pdf():
    draw = (
        "from matplotlib.figure import Figure\n"
        "from seqbench.reporting.figures.rendering import as_pdf\n"
        "figure = Figure()\n"
        "figure.add_subplot().set_title('two letters', fontweight='bold')\n"
        "pdf = as_pdf(figure)\n"
    )
    here: dict[str, bytes] = {}
    exec(draw, here)
    code = f"{draw}import sys; sys.stdout.buffer.write(pdf)"

    assert subprocess.check_output([sys.executable, "-c", code]) == here["pdf"]


def test_a_label_of_two_lines_fits_the_small_font():
    figure = Figure()
    figure.text(0, 0, "accuracy\non val")

    assert fonts.has_room_for(figure)


def test_settings_of_a_machine_do_not_change_a_figure(windows_world):
    material = windows_world()
    drawn = draw("leaderboard", material)

    with mpl.rc_context({"lines.linewidth": 9, "axes.grid": True, "legend.loc": "center"}):
        assert draw("leaderboard", material) == drawn
        assert mpl.rcParams["lines.linewidth"] == 9


@pytest.mark.usefixtures("pdfs")
def test_letters_beyond_the_small_font_are_drawn_too(windows_world):
    figure = Figure()
    figure.text(0, 0, "\N{ARMENIAN CAPITAL LETTER AYB}")
    assert not fonts.has_room_for(figure)

    material = windows_world(classes={"waves": ["\N{ARMENIAN CAPITAL LETTER AYB}", "b"]})
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", UserWarning
        )  # matplotlib warns of letters that it does not find
        assert draw("confusion", material).pdf.startswith(b"%PDF")


def test_the_small_font_has_the_letters_that_it_promises():
    figure = Figure()
    figure.text(0, 0, "Größe · 5 µs ≤ ½ \N{EN DASH} “x” → αβ \N{MINUS SIGN}1 Łódź R²")

    assert fonts.has_room_for(figure)
