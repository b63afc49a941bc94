"""The section of a detection dataset: its contents, and that its numbers are those of the files."""

import json
import re
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from fixtures.event_results import event_skill as skill
from fixtures.pages import Page
from fixtures.results import material_of
from seqbench import layout
from seqbench.reporting.evidence.excerpts import excerpts_of
from seqbench.reporting.scores import formats
from seqbench.storage.predictions import read_predictions
from seqbench.storage.windows import read_windows
from seqbench.tasks.detection.end_metrics import ends_per_type
from seqbench.tasks.detection.per_type import per_type


def metrics_of(run):
    content = json.loads(Path(run.fill(layout.METRICS)).read_text(encoding="utf-8"))
    return {name: score["value"] for name, score in content["scores"]["test"].items()}


def runs_of(plan, architecture):
    return [run for run in plan.runs if run.architecture == architecture]


def test_the_leaderboard_shows_the_values_of_the_files(
    write_events, event_config, page_without_figures
):
    plan = write_events(event_config(architectures=["cnn1d", "gru"]), skill=skill)
    tables = Page(page_without_figures()).tables
    first, rest = tables["Leaderboard of strikes"], tables["More metrics of strikes"]
    header, *rows = [one + other for one, other in zip(first, rest, strict=True)]

    assert first[0] == [
        "model", "on val", "F1 at 5 ms", "margin", "MAE (ms) ↓", "95 % error (ms) ↓",
        "bias (ms) → 0", "false alarms per hour ↓", "n", "notes",
    ]  # fmt: skip
    by_model = {row[0]: row for row in rows}
    for architecture, label in (("gru", "gru scratch"), ("oracle", "oracle baseline")):
        found = [metrics_of(run) for run in runs_of(plan, architecture)]
        for column, metric in (
            ("macro F1 at 5 ms", "macro_f1_at_5ms"),
            ("F1 at 150 ms", "f1_at_150ms"),
            ("MAE (ms) ↓", "onset_mae_ms"),
            ("bias (ms) → 0", "onset_bias_ms"),
            ("too close, thresholds alone ↓", "refractory_violations_before"),
            ("false alarms per hour ↓", "false_alarms_per_hour"),
        ):
            expected = formats.metric_value(fmean(values[metric] for values in found), metric)
            assert by_model[label][header.index(column)] == expected
    assert {"of the oracle", "gap closed"} <= set(header)
    assert by_model["oracle baseline"][header.index("notes")] == "ceiling"
    assert by_model["metronome baseline"][header.index("notes")] == "floor"


def test_types_are_those_of_the_model_and_seed_that_val_selects(
    write_events, event_config, page_without_figures
):
    plan = write_events(event_config(architectures=["cnn1d", "gru"]), skill=skill)
    header, together, *rows = Page(page_without_figures()).tables["Types of strikes"]

    chosen = material_of(plan).board.selected.chosen.run
    values = metrics_of(chosen)
    expected = per_type(read_predictions(Path(chosen.fill(layout.PREDICTIONS)), "test"))
    assert [row[0] for row in rows] == ["e00", "e01", "e02"]
    for row, own in zip(rows, expected, strict=True):
        assert row[1:5] == [
            f"{own['n_references']}", f"{own['n_detections']}", f"{own['f1']:.3f}",
            f"{own['precision']:.3f}",
        ]  # fmt: skip
    by_name = dict(zip(header, together, strict=True))
    assert int(by_name["labelled"]) == sum(int(row[1]) for row in rows)
    assert by_name["F1"] == f"{values['f1_at_5ms']:.3f}"
    assert by_name["recall"] == f"{values['recall_at_5ms']:.3f}"
    assert by_name["MAE (ms)"] == f"{values['onset_mae_ms']:.2f}"
    least_ms = material_of(plan).evidence.shapes.least_mean_error_ms
    column = header.index("least MAE (ms)")
    assert [row[column] for row in rows] == [formats.milliseconds(one) for one in least_ms]
    assert by_name["bias (ms)"] == f"{values['onset_bias_ms']:+.2f}".replace("-", "\N{MINUS SIGN}")


def test_ends_have_columns_where_they_are_predicted(
    write_events, event_config, page_without_figures
):
    plan = write_events(event_config(architectures=["gru"]), skill=skill, durations=True)
    page = Page(page_without_figures())
    header, together, *rows = page.tables["Types of strikes"]
    board = page.tables["More metrics of strikes"]

    chosen = material_of(plan).board.selected.chosen.run
    values = metrics_of(chosen)
    expected = ends_per_type(read_predictions(Path(chosen.fill(layout.PREDICTIONS)), "test"))
    assert header[-3:] == ["F1 with ends", "bias of ends (ms)", "MAE of ends (ms)"]
    for row, own in zip(rows, expected, strict=True):
        assert row[-3:] == [
            formats.score(own["event_f1"]),
            formats.milliseconds(own["end_bias_ms"], signed=True),
            formats.milliseconds(own["end_mae_ms"]),
        ]
    assert together[-3:] == [
        formats.score(values["event_f1_at_5ms"]),
        formats.milliseconds(values["end_bias_ms"], signed=True),
        formats.milliseconds(values["end_mae_ms"]),
    ]
    assert {"F1 with ends at 5 ms", "MAE of ends (ms) ↓"} <= set(board[0])
    write_events(event_config(architectures=["gru"]), skill=skill)
    page = Page(page_without_figures())
    assert not any("ends" in cell for cell in page.tables["Types of strikes"][0])
    assert not any("ends" in cell for cell in page.tables["More metrics of strikes"][0])


def test_one_figure_stands_open_and_the_others_are_folded_by_topic(
    write_events, event_config, page_without_figures
):
    write_events(event_config(), skill=skill)
    page = page_without_figures()

    section = page[page.index('id="dataset-strikes"') : page.index('id="cost"')]
    opened = re.sub(r"<details.*?</details>", "", section, flags=re.S)
    assert re.findall(r"<figcaption><b>(.*?)\.</b>", opened) == ["F1 against tolerance"]
    topics = re.findall(r"<summary>(\w+[\w ]*): (.*?)</summary>\s*<figure>", section)
    folded = {heading: titles.split(", ") for heading, titles in topics}
    assert list(folded) == ["Scores and errors", "Predictions one by one", "Training and cost"]
    assert {"leaderboard", "onset errors by type"} <= set(folded["Scores and errors"])
    assert "detections in test recordings" in folded["Predictions one by one"]


def test_decoders_are_compared_and_the_one_in_use_has_the_values_of_the_files(
    write_events, event_config, page_without_figures
):
    plan = write_events(event_config(architectures=["gru"]), skill=skill)
    rows = Page(page_without_figures()).tables["Ways of decoding on strikes"][1:]

    found = [metrics_of(run) for run in runs_of(plan, "gru")]
    known = [name for name, value in found[0].items() if value is not None]  # no stream
    mean = {name: fmean(values[name] for values in found) for name in known}
    assert [row[0] for row in rows] == ["threshold", "greedy", "optimal in use", "bounded"]
    threshold, _, optimal, _ = rows
    assert optimal[1].startswith(f"{mean['f1_at_5ms']:.3f} ±")
    assert optimal[2:] == [
        f"{mean['precision_at_5ms']:.3f}",
        f"{mean['recall_at_5ms']:.3f}",
        formats.count(mean["refractory_violations"]),
        formats.rate(mean["false_alarms_per_hour"]),
        formats.milliseconds(mean["latency_p95_ms"]),
    ]
    assert threshold[4] == formats.count(mean["refractory_violations_before"]) != "0"


def test_without_a_refractory_period_there_is_nothing_to_compare(
    write_events, event_config, page_without_figures
):
    write_events(event_config(), skill=skill, refractory_s=None)
    text = page_without_figures()

    assert "Ways of decoding on strikes" not in Page(text).tables
    assert "all ways of decoding agree" in text
    assert "none known" in text


def test_facts_are_about_recordings_and_events_not_about_classes_of_windows(
    write_events, event_config, page_without_figures
):
    note = "Sensor <b> stops early."
    write_events(event_config(), skill=skill, notes=(note,), refractory_s=0.8)
    text = re.sub(r"<[^>]+>", " ", page_without_figures())
    words = " ".join(text.split())

    assert "recordings 1 train · 1 val · 2 test" in words
    assert "refractory period 0.8 s" in words
    assert "tolerance 5 ms" in words
    assert "Sensor &lt;b&gt; stops early." in words
    assert "Train windows of each class" not in words
    assert "train 1 1 20 10 000 20 19.8 " in words  # of 20 s the last 0.2 s are not labelled


def test_what_a_small_test_split_cannot_show_is_named(
    write_events, event_config, page_without_figures
):
    write_events(event_config(), skill=skill, n_test=1, seconds=6.0)
    text = page_without_figures()

    assert "labelled events in test: one is" in text
    assert "Test is a single recording or subject" in text


def test_no_signal_is_kept_but_the_excerpts_that_are_shown(write_events, event_config):
    material = material_of(write_events(event_config(), skill=skill))

    assert material.windows.signal.shape == (10_000, 2)
    assert material.windows.signal.base.nbytes <= 4
    assert all(excerpt.signal.base is None for excerpt in material.evidence.excerpts)


# Excerpts.


def found_by(plan, architecture, split="test"):
    (run,) = [run for run in runs_of(plan, architecture) if run.seed == 0]
    windows = read_windows(Path(layout.WINDOWS.format(dataset="strikes")), split)
    return windows, read_predictions(Path(run.fill(layout.PREDICTIONS)), split)


def test_excerpts_hold_the_signal_and_the_events_of_their_time(write_events, event_config):
    windows, detections = found_by(write_events(event_config(), skill=skill), "cnn1d")

    shown = excerpts_of(windows, detections)

    assert 2 <= len(shown) <= 4
    for excerpt in shown:
        place = detections.recording.index(excerpt.recording)
        start = round(excerpt.start_s * 500)
        stop = start + len(excerpt.signal)
        row = windows.timeline.start[place] + start
        assert np.array_equal(excerpt.signal, windows.signal[row : row + len(excerpt.signal)])
        assert detections.known[place, 0] <= start < stop <= detections.known[place, 1]
        onset = detections.reference_onset[detections.reference_place == place]
        expected = onset[(onset >= start) & (onset < stop)]
        assert [round(mark.time_s * 500) for mark in excerpt.labelled] == expected.tolist()
    assert shown[-1].n_missed
    assert shown[-1].n_false


@pytest.mark.parametrize(
    ("settings", "n_missed", "n_false"),
    [({"skill": lambda run: 1.0}, 0, 0), ({"skill": skill, "finds_nothing": True}, 1, 0)],
)
def test_an_error_is_shown_only_if_there_is_one(
    settings, n_missed, n_false, write_events, event_config
):
    plan = write_events(event_config(), bias_ms=0.0, refractory_s=3.0, **settings)

    shown = excerpts_of(*found_by(plan, "cnn1d"))

    assert min(shown[-1].n_missed, 1) == n_missed
    assert sum(excerpt.n_false for excerpt in shown) == n_false
    assert len(shown) == 3


def test_a_recording_shorter_than_an_excerpt_is_shown_whole(write_events, event_config):
    plan = write_events(event_config(), skill=skill, n_test=8, seconds=2.5, n_types=1)
    windows, detections = found_by(plan, "cnn1d")

    for excerpt in excerpts_of(windows, detections):
        assert len(excerpt.signal) == 2.5 * 500 - 100  # the end is not labelled
