"""Cards of the data: what is known before anything is trained."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.results import material_of
from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.stages import SplitSettings
from seqbench.plan.plan import Plan
from seqbench.reporting.read.split_sizes import split_size
from seqbench.reporting.text import cards
from seqbench.storage.normalization import Normalization
from seqbench.storage.targets import Targets
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import SPLITS, WindowSet, read_windows, write_windows

EVIL = "<script>alert(1)</script>"


def skill(run):
    return 0.5 if run.arm == "baseline" else 0.9


def change_windows(plan, **changes):
    """Write the windows of every dataset anew with some of what is known of them changed."""
    for dataset in plan.datasets:
        path = Path(layout.WINDOWS.format(dataset=dataset))
        write_windows(path, {s: replace(read_windows(path, s), **changes) for s in SPLITS})


def card_of(plan):
    return cards.card(plan, material_of(plan))


def facts(card):
    return {fact.name: fact for of_chapter in card.chapters.values() for fact in of_chapter}


@pytest.fixture
def windows():
    """Four windows of 5 samples from three recordings of two people; one has no label."""
    return WindowSet(
        task="classification",
        sample="series",
        split="val",
        signal=np.zeros((30, 2), np.float32),
        start=np.array([0, 5, 10, 20]),
        length=np.full(4, 5),
        label=np.array([1, 1, 0, -1]),
        recording=np.array([2, 2, 3, 5]),
        names=[f"r{i}" for i in range(6)],
        groups=["ann", "ann", "bob", "bob", "cid", "dee"],
        channels=["x", "y"],
        classes=["rest", "walk", "run"],
        normalization=Normalization.neutral(2),
        sampling_rate_hz=10.0,
    )


# Splits.


def test_a_split_counts_recordings_groups_windows_and_labels(windows):
    split = split_size(windows)

    assert (split.n_recordings, split.n_groups, split.n_windows) == (3, 2, 4)
    assert (split.n_samples, split.seconds) == (30, 3.0)
    assert split.counts.tolist() == [1, 2, 0]
    assert split.n_labelled == 3
    assert split_size(replace(windows, sampling_rate_hz=None)).seconds is None


def test_samples_are_counted_where_each_has_a_class(windows):
    target = np.full((30, 1), np.nan, np.float32)
    target[:4, 0], target[4:10, 0] = 2, 0
    targets = Targets(
        values=target, names=["class"], units=[""], normalization=windows.normalization
    )

    split = split_size(replace(windows, task="labelling", targets=targets))

    assert split.counts.tolist() == [6, 0, 4]


def test_events_are_counted_by_type(windows):
    timeline = Timeline(
        recording=np.array([2, 3]),
        start=np.array([0, 10]),
        stop=np.array([10, 30]),
        known_start=np.array([2, 10]),
        known_stop=np.array([8, 10]),  # nothing is labelled of the second
        onset=np.array([3, 7]),
        offset=np.array([4, 8]),
        type=np.array([0, 2]),
        refractory_s=None,
        tolerance_ms=5.0,
    )

    split = split_size(replace(windows, task="detection", timeline=timeline))

    assert split.counts.tolist() == [1, 0, 1]
    assert (split.seconds, split.known_s) == (3.0, 0.6)


def test_shares_are_of_their_own_split(windows):
    empty = replace(windows, label=np.full(4, -1), split="test")

    found = cards.class_counts(windows.classes, [split_size(windows), split_size(empty)])

    assert [one.name for one in found] == ["rest", "walk", "run"]
    assert [one.counts for one in found] == [[1, 0], [2, 0], [0, 0]]
    assert [one.shares for one in found] == [[1 / 3, None], [2 / 3, None], [0.0, None]]


# Words.


@pytest.mark.parametrize(
    ("settings", "official", "words"),
    [
        ({}, [], "whole groups: val 20 %, test 20 %; drawn by class with seed 0"),
        (
            {"val": ["r1"], "test": ["r2", "r3"], "by": "recording"},
            [],
            "whole recordings: val r1, test r2, r3",
        ),
        (
            {"val": ["r1"], "test": 0.1, "seed": 4},
            [],
            "whole groups: val r1, test 10 %; drawn by class with seed 4",
        ),
        (
            {"val": 0.1},
            ["train", "test"],
            "the source's own train and test; val is 10 % of the groups of train,"
            " drawn by class with seed 0",
        ),
        ({}, ["train", "val", "test"], "the source's own train, val and test"),
        (
            {"by": "time", "val": 0.1},
            [],
            "cut in time: of every recording the first 70 % are train, the next 10 % val,"
            " the last 20 % test",
        ),
        (
            {"folds": 5, "repeats": 2, "seed": 7},
            [],
            "5 folds of whole groups, 2 times anew, drawn by class with seed 7; each is test in"
            " turn, and val is 20 % of the rest",
        ),
    ],
)
def test_a_split_is_put_in_words(settings, official, words):
    assert cards.split_words(SplitSettings(**settings), official) == words


def test_of_many_names_the_first_stand_there():
    names = [f"r{i}" for i in range(40)]

    words = cards.split_words(SplitSettings(val=names, test=["s"]), [])

    assert words.endswith("r10, r11 and 28 more, test s")


def test_checksums_are_summed_up_as_the_usual_tool_does():
    listed = f"{'1' * 64}  a.csv\n{'2' * 64}  b.csv\n"

    found = cards.sums_digest({"b.csv": "2" * 64, "a.csv": "1" * 64})

    assert found == hashlib.sha256(listed.encode()).hexdigest()
    assert cards.sums_digest({}) == ""


# The card of a dataset.


def test_what_nobody_states_is_not_stated(write_results, config):
    card = card_of(write_results(config(), skill=skill))

    for name in ("origin", "citation", "licence", "unit"):
        assert facts(card)[name].text == "not stated"
    assert facts(card)["leak check"].text == "not run"


def test_the_source_states_its_facts_and_the_config_has_the_last_word(write_results, config):
    source = {
        "origin": "https://example.org/data",
        "licence": "ODC-By 1.0",
        "citation": "Doe (2020).",
        "version": "library 1.2",
        "files": {"b.dat": "2" * 64, "a.dat": "1" * 64},
    }
    raw = config()
    plan = write_results(raw, skill=skill)
    change_windows(plan, source=source, units=["mV", "mV", "mV"])
    card = card_of(plan)

    assert facts(card)["licence"].text == "ODC-By 1.0"
    assert facts(card)["citation"].text == "Doe (2020)."
    assert facts(card)["version"].text == "library 1.2"
    assert facts(card)["origin"].url == "https://example.org/data"
    assert facts(card)["unit"].text == "mV"
    assert (card.files[0], card.n_files) == (("a.dat", "1" * 64), 2)

    own = {"source": "waves", "licence": "CC0", "citation": "Me (2026)."}
    card = card_of(Plan(Benchmark.load(raw | {"datasets": {"waves": own}})))

    assert facts(card)["licence"].text == "CC0"
    assert facts(card)["citation"].text == "Me (2026)."


@pytest.mark.parametrize("origin", ["javascript:alert(1)", "see https://example.org"])
def test_only_an_address_of_the_web_is_a_link(origin, write_results, config, page_without_figures):
    change_windows(write_results(config(), skill=skill), source={"origin": origin})

    targets = re.findall(r'href="([^"]*)"', page_without_figures())
    assert not any(":" in target for target in targets)  # links to files have no scheme


def test_facts_of_others_are_text_on_the_page(write_results, config, page_without_figures):
    raw = config()
    own = {"source": "waves", "licence": EVIL, "citation": f"{EVIL} \u202e"}
    raw["datasets"] = {"waves": own}
    plan = write_results(raw, skill=skill)
    change_windows(
        plan,
        source={"origin": f"https://example.org/?q={EVIL}", "files": {EVIL: "0" * 64}},
        units=[EVIL, "", ""],
        channels=[EVIL, "y", "z"],
    )
    text = page_without_figures()

    assert EVIL not in text
    assert "https://example.org/?q=&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_window_of_one_sample_is_one_sample(write_results, config):
    plan = write_results(config(), skill=skill, n_test=1)
    none = np.zeros(1, dtype=np.int64)
    change_windows(plan, length=none + 1, start=none, label=none, recording=none)

    assert facts(card_of(plan))["length of a window"].text == "1 sample, 20 ms"


def test_sizes_and_balance_of_every_split_are_on_the_page(
    write_results, config, page_without_figures
):
    write_results(config(), skill=skill, n_test=40)
    words = " ".join(re.sub(r"<[^>]+>", " ", page_without_figures()).split())

    # 16, 8 and 40 windows of 100 samples at 50 Hz, each a recording and group of its own.
    assert "train 16 16 16 1 600 32 16 val 8 8 8 800 16 8 test 40 40 40 4 000 80 40" in words
    assert "class train val test a 8 50 % 4 50 % 20 50 % b 8 50 % 4 50 % 20 50 %" in words


def test_examples_stand_in_the_card_and_nowhere_else(write_results, config, page_without_figures):
    write_results(config(), skill=skill)
    card, _, rest = (
        page_without_figures().partition('<details class="card">')[2].partition("</details>")
    )

    assert "<b>Examples.</b>" in card
    assert "<b>Examples.</b>" not in rest


def test_licence_and_citation_rerun_no_job(config):
    plain, stated = (
        Plan(Benchmark.load(config(datasets=["mine"]) | {"datasets": {"mine": entry}})).job_settings
        for entry in ({"source": "waves"}, {"source": "waves", "licence": "MIT", "citation": "Me"})
    )

    for job in ("ingest", "window"):
        assert getattr(plain, job)("mine") == getattr(stated, job)("mine")
    given = ("mine", "cnn1d", "scratch", 1.0)
    assert plain.finetune(*given) == stated.finetune(*given)
