"""Every figure of detection, from usual and from odd results."""

import re

import numpy as np
import pytest

from fixtures.event_results import event_skill as skill
from fixtures.results import material_of
from seqbench.config.registry import FIGURES
from seqbench.reporting.figures.catalog import figures_of
from seqbench.reporting.figures.rendering import draw
from seqbench.reporting.scores.estimates import Estimate


@pytest.fixture
def material(write_events, event_config):
    def make(raw=None, **settings):
        raw = raw or event_config(architectures=["cnn1d", "event_specific"])
        plan = write_events(raw, **({"skill": skill} | settings))
        return plan, material_of(plan)

    return make


def drawn(name, made):
    """Return the text of a figure after looking for what no figure may have."""
    drawing = draw(name, made)
    text = drawing.svg.decode()
    assert len(text) < 400_000
    assert text.rstrip().endswith("</svg>")
    [height] = re.findall(r"<svg[^>]* height='([0-9.]+)pt'", text)
    assert 40 < float(height) < 2300
    assert not any("nan" in path.lower() for path in re.findall(r' d="[^"]*"', text))
    return text


@pytest.mark.parametrize(
    "settings",
    [
        {"n_types": 1, "n_channels": 1, "refractory_s": None},
        {"n_types": 16, "n_channels": 6},
        {"finds_nothing": True, "seconds": 5.0},
        {"has_events": False, "finds_nothing": True, "seconds": 5.0},
    ],
    ids=["one type", "16 types", "nothing found", "nothing there"],
)
def test_every_figure_of_the_task_is_drawn(settings, material, event_config):
    raw = event_config(
        architectures=["cnn1d", "event_specific", "quick"],
        arms=["scratch", "contrastive_finetune"],
        labels=[0.5, 1.0],
        seeds=[0],
    )
    plan, made = material(raw, **settings)
    names = figures_of(plan, "strikes")

    own = {n for n in FIGURES if "detection" in FIGURES.entry(n).tags.get("tasks", ())}
    assert set(names) > own
    for name in own | {"leaderboard", "cost"}:
        drawn(name, made)


@pytest.mark.parametrize(
    "settings",
    [
        {
            "classes": ("a name that is very long indeed", "$x_1$", "<b>"),
            **{"n_channels": 14, "n_test": 1, "tolerance_ms": 150.0},
        },
        {"n_types": 30, "seconds": 10.0},
    ],
    ids=["odd names of one recording", "many types"],
)
def test_figures_of_events_take_odd_datasets(settings, material):
    _, made = material(**settings)

    for name in ("tolerance", "timing_errors", "timeline", "templates", "calibration"):
        text = drawn(name, made)
        assert "<b>" not in text
        if name in ("timing_errors", "templates") and "classes" in settings:
            assert "$x_1$" in text  # a name, not a formula


def test_latency_shows_scores_and_errors_of_all_that_have_a_stream(material, event_config):
    raw = event_config(architectures=["cnn1d", "quick"])
    plan, made = material(raw)

    plot = FIGURES["latency"](made)

    assert "latency" in figures_of(plan, "strikes")
    assert sorted(plot.table.architecture) == ["cnn1d", "quick"]
    assert plot.table.latency_p95_ms.is_monotonic_increasing
    for row, shown in zip(plot.table.itertuples(), plot.figure.axes[0].lines[1:], strict=True):
        (scores,) = (one for one in made.board.rows if one.architecture == row.architecture)
        metrics = {name: estimate.mean for name, estimate in scores.metrics.items()}
        assert row.f1 == metrics["f1_at_5ms"] == shown.get_ydata()[0]
        assert row.latency_p95_ms == metrics["latency_p95_ms"] == shown.get_xdata()[0]
        assert row.onset_mae_ms == metrics["onset_mae_ms"]
    assert "latency" not in figures_of(material()[0], "strikes")


def test_tolerance_shows_the_values_of_the_results(material):
    _, made = material()
    figure = FIGURES["tolerance"](made).figure
    (axes,) = figure.axes

    lines = {line.get_linewidth(): line for line in axes.lines if len(line.get_xdata()) == 8}
    bold = lines[max(lines)]
    selected = made.board.selected
    expected = [
        Estimate.of(selected.results, f"f1_at_{tolerance:g}ms").mean
        for tolerance in bold.get_xdata()
    ]
    assert bold.get_ydata().tolist() == expected
    assert sum(len(line.get_xdata()) == 8 for line in axes.lines) == 5  # two models, three others
    names = {text.get_text() for text in axes.texts}
    assert names == {row.name for row in made.board.rows}
    points = axes.get_window_extent().height * 72 / figure.dpi
    heights = sorted(text.xy[1] * points + text.xyann[1] for text in axes.texts)
    assert min(np.diff(heights)) > 10.9  # one line of text


def test_lateness_is_marked_where_its_mean_is(material):
    _, made = material(bias_ms=1.5)
    timing = made.evidence.timings[0]
    figure = FIGURES["timing_errors"](made).figure

    marks = [line for line in figure.axes[0].lines if line.get_linewidth() == pytest.approx(1.3)]
    at = [line.get_xdata()[0] for line in marks]  # the first type stands on top
    assert at == pytest.approx([timing.late_ms[timing.type == k].mean() for k in range(3)])
    assert [timing.row for timing in made.evidence.timings] == [
        made.board.selected, made.board.best_baseline,
    ]  # fmt: skip
    assert made.board.best_baseline.architecture == "matched_filter"


def test_every_mark_of_an_excerpt_is_drawn_and_errors_look_different(material):
    _, made = material()
    figure = FIGURES["timeline"](made).figure

    uppers = figure.axes[::2]
    assert len(uppers) == len(made.evidence.excerpts)
    for axes, excerpt in zip(uppers, made.evidence.excerpts, strict=True):
        marks = [line for line in axes.lines if line.get_marker() in ("v", "^", "X")]
        hollow = [line for line in marks if line.get_markerfacecolor() == "white"]
        assert len(marks) == len(excerpt.labelled) + len(excerpt.found)
        assert len(hollow) == excerpt.n_missed
        assert sum(line.get_marker() == "X" for line in marks) == excerpt.n_false
        assert len(axes.patches) == excerpt.n_missed + excerpt.n_false
    assert any(excerpt.n_missed + excerpt.n_false for excerpt in made.evidence.excerpts)


def test_labels_of_an_excerpt_do_not_touch(material):
    _, made = material(n_types=16, seconds=10.0)
    figure = FIGURES["timeline"](made).figure
    figure.draw_without_rendering()

    for axes in figure.axes[::2]:
        boxes = [text.get_window_extent() for text in axes.texts]
        for i, box in enumerate(boxes):
            for other in boxes[i + 1 :]:
                width = min(box.x1, other.x1) - max(box.x0, other.x0)
                height = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert min(width, height) < 2  # pixels


def test_templates_are_drawn_by_type_for_each_model_that_has_some(material):
    _, made = material()
    figure = FIGURES["templates"](made).figure

    assert len(figure.axes) == 2 * 3
    assert [axes.get_title() for axes in figure.axes[:3]] == ["e00", "e01", "e02"]
    bank = made.evidence.banks[0]
    dots = next(line for line in figure.axes[1].lines if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_xdata(), bank.delays_samples[1] * 1000 / 500)


def test_a_score_that_is_a_probability_lies_on_the_diagonal(material):
    _, made = material()
    score, true, count = made.evidence.calibration.pooled
    figure = FIGURES["calibration"](made).figure

    line = next(line for line in figure.axes[0].lines if line.get_marker() == "o")
    np.testing.assert_array_equal(line.get_ydata(), true)
    by_hand = np.nansum(count * np.abs(score - true)) / count.sum()
    assert by_hand == pytest.approx(made.board.selected.metrics["presence_ece"].mean, abs=0.05)
