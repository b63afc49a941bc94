"""Recall, F1 and errors from counts of runs, by hand; and the figures of them."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.results import material_of
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import FIGURES
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.figures.catalog import figures_of
from seqbench.reporting.figures.methods import compared_rows
from seqbench.reporting.read.event_shapes import EventShapes
from seqbench.reporting.scores.event_counts import (
    AtSnr,
    OfType,
    Recall,
    by_snr,
    by_type,
    confusion,
    recall_by_lag,
    recall_by_similarity,
)
from seqbench.storage.event_counts import Confused, EventCounts, OfLag, OfLevel, OfRival


def result(dataset="a", seed=0, **columns):
    empty = {name: () for name in ("by_level", "by_lag", "by_rival", "confusion")}
    counts = EventCounts(tolerance_ms=5.0, near_ms=20.0, has_levels=True, **(empty | columns))
    run = Run(dataset, "gru", "scratch", "1", seed)
    return SimpleNamespace(run=run, metrics=SimpleNamespace(events=counts))


def unit_shapes(*energies):
    """Shapes of one channel that are bells of those energies."""
    bell = np.exp(-0.5 * ((np.arange(64) - 32) / 4.0) ** 2)
    shapes = np.stack([np.sqrt(e) * bell / np.sqrt((bell**2).sum()) for e in energies])
    return EventShapes(whitened=shapes[:, None], rate_hz=1000.0, origin="made")


def test_recall_by_lag_adds_seeds_up_and_counts_the_events_of_each_fold_once():
    results = [
        result(seed=0, by_lag=(OfLag(2.0, 4, 1), OfLag(None, 10, 9))),
        result(seed=1, by_lag=(OfLag(2.0, 4, 3), OfLag(None, 10, 10))),
        result("b", by_lag=(OfLag(5.0, 2, 1),)),
    ]

    assert recall_by_lag(results) == [
        Recall(0.0, 2.0, 4, 4 / 8), Recall(2.0, 5.0, 2, 1 / 2), Recall(5.0, None, 10, 19 / 20),
    ]  # fmt: skip


def test_recall_by_likeness_puts_pairs_into_fifths():
    cosines = np.array([[1.0, -0.3, 0.2], [-0.3, 1.0, 0.95], [0.2, 0.95, 1.0]])
    rows = (OfRival(0, 1, 5, 5), OfRival(0, 2, 3, 2), OfRival(1, 2, 4, 1), OfRival(2, 1, 4, 2))

    found = recall_by_similarity([result(by_rival=rows)], cosines)

    assert found == [Recall(0.0, 0.2, 8, 7 / 8), Recall(0.8, 1.0, 8, 3 / 8)]


def test_events_are_grouped_by_the_ratio_of_their_type_at_their_level():
    shapes = unit_shapes(100.0, 1000.0)  # 20 and 30 dB
    rows = (
        OfLevel(0, 0, 10, 8, 8, 4.0),
        OfLevel(0, -9, 10, 2, 0, 0.0),
        OfLevel(1, -9, 20, 20, 20, 2.0),
    )
    least = shapes.least_mean_error_ms

    low, high = by_snr([result(by_level=rows)], shapes)

    assert low == AtSnr(12, 10, 0.2, None, pytest.approx(least[0] * 10 ** (9 / 20)))
    expected = (10 * least[0] + 20 * least[1] * 10 ** (9 / 20)) / 30
    assert high == AtSnr(21, 30, 28 / 30, 6.0 / 28, pytest.approx(expected))


def test_f1_of_a_type_counts_what_was_found_in_its_place():
    rows = (OfLevel(0, 0, 4, 3, 3, 1.5), OfLevel(0, 6, 2, 2, 2, 0.5))
    pairs = (Confused(0, 0, 5), Confused(0, 1, 1), Confused(None, 0, 3))

    found = by_type([result(by_level=rows, confusion=pairs)], 3)

    assert found == [
        OfType(0, 6, 5 / 6, 2 * 5 / (6 + 8), 2.0 / 5),
        OfType(1, 0, None, 0.0, None),
        OfType(2, 0, None, None, None),
    ]


def test_the_matrix_has_what_is_extra_below_and_what_is_missed_to_the_right():
    pairs = (Confused(0, 1, 2), Confused(1, None, 3), Confused(None, 0, 4))

    matrix = confusion([result(seed=s, confusion=pairs) for s in (0, 1)], 2)

    assert matrix.tolist() == [[0, 4, 0], [0, 0, 6], [8, 0, 0]]


@pytest.fixture
def material(write_events, event_config):
    return material_of(write_events(event_config(), skill=lambda run: 0.8 - run.seed / 10))


def test_figures_show_every_method_and_agree_with_the_metrics(material):
    table = FIGURES["snr"](material).table
    of_types, of_events = table[table.of == "type"], table[table.of == "event"]
    rows = {row.architecture: row for row in compared_rows(material)}

    assert set(table.architecture) == set(rows)
    for name, row in rows.items():
        own = of_events[of_events.architecture == name]
        recall = row.metrics["recall_at_5ms"].mean
        assert (own.recall * own.n).sum() / own.n.sum() == pytest.approx(recall)
        macro = row.metrics["macro_f1_at_5ms"]
        if macro.n == 1:
            assert of_types[of_types.architecture == name].f1.mean() == pytest.approx(macro.mean)
    assert len(set(of_events.snr_db)) > 1  # amplitudes of the world differ
    collisions = FIGURES["collisions"](material).table
    own = collisions[(collisions.architecture == "oracle") & (collisions.by == "lag_ms")]
    counts = rows["oracle"].results[0].metrics.events
    assert own.n.sum() == sum(row.n for row in counts.by_level)
    for drawn in (of_events, collisions):
        is_inside = (drawn.recall_low <= drawn.recall) & (drawn.recall <= drawn.recall_high)
        assert is_inside.all()
        assert (drawn.recall_low < drawn.recall_high).all()
    (n_right, *_, n_extra) = (
        int(n) for n in re.findall(r"\d+", FIGURES["type_confusion"](material).shown)[-4:]
    )
    of_selected = [one.metrics.events for one in material.board.selected.results]
    assert n_right == sum(row.n_found for one in of_selected for row in one.by_level)
    assert n_extra == sum(r.n for one in of_selected for r in one.confusion if r.type is None)


def test_figures_say_why_they_are_empty(material):
    unknown = replace(material, evidence=replace(material.evidence, shapes=None))

    for name, sentence in (("collisions", "matched_filter"), ("snr", "holds no noise")):
        figure = FIGURES[name](unknown).figure
        texts = [text for axes in figure.axes for text in axes.texts] + figure.texts
        assert any(sentence in text.get_text() for text in texts)


def test_ratios_are_shown_where_a_generator_or_a_baseline_knows_shapes(event_config):
    def figures(baselines, dataset):
        plan = Plan(Benchmark.load(event_config(baselines, datasets=[dataset])))
        return figures_of(plan, dataset)

    assert "snr" in figures(["metronome"], "strikes")
    assert "snr" in figures(["matched_filter"], "measured")
    assert "snr" not in figures(["metronome"], "measured")
