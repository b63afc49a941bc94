"""Text of the page on leaks."""

import re
from dataclasses import replace
from pathlib import Path

from seqbench import layout
from seqbench.reporting.text.leaks import leak_fact, leak_warnings, order_note
from seqbench.storage.windows import SPLITS, LeakCheck, read_windows, write_windows

CLEAN = LeakCheck(
    by="group",
    n_shared_groups=0,
    n_windows={"val": 40, "test": 80},
    n_repeated={"val": 0, "test": 0},
    n_same_target={"val": 0, "test": 0},
    order_agreement=0.1,
)
REPEATED = replace(
    CLEAN, n_repeated={"val": 0, "test": 8}, n_same_target={"val": 0, "test": 6}, order_agreement=1
)


def test_a_fact_names_what_was_looked_for():
    assert leak_fact([CLEAN]) == (
        "no group in two splits · statistics of train alone ·"
        " 0 of 40 val windows repeat train · 0 of 80 test windows repeat train"
    )
    assert leak_fact([]) == "not run"


def test_folds_are_counted_together():
    assert "8 of 160 test windows" in leak_fact([CLEAN, REPEATED])
    assert len(leak_warnings([CLEAN, REPEATED])) == 1


def test_what_repeats_is_warned_of_with_its_share():
    none_alike = replace(REPEATED, n_same_target={"val": 0, "test": 0})

    assert leak_warnings([CLEAN]) == leak_warnings([]) == []
    assert leak_warnings([REPEATED]) == [
        "8 of 80 test windows (10 %) stand in train too, 6 of them with the same label, which"
        " memorising gets right."
    ]
    assert leak_warnings([none_alike]) == [
        "8 of 80 test windows (10 %) stand in train too, all with another label, which memorising"
        " gets wrong."
    ]
    alone = {"val": 0, "test": 1}
    (sentence,) = leak_warnings([replace(REPEATED, n_repeated=alone, n_same_target=alone)])
    assert (
        "1 of 80 test windows (1.25 %) stands in train too, 1 of them with the same label"
        in sentence
    )


def test_groups_that_may_be_cut_are_warned_of():
    (sentence,) = leak_warnings([replace(CLEAN, by="recording", n_shared_groups=3)])

    assert sentence.startswith("3 groups have windows in more than one split")


def test_the_order_of_the_list_is_named_where_it_predicts_the_label():
    assert order_note([CLEAN]) == order_note([replace(CLEAN, order_agreement=None)]) == []
    (sentence,) = order_note([REPEATED])
    assert sentence.startswith("Recordings are listed by label")


def test_the_page_shows_the_check_and_warns_at_the_top(write_results, config, page_without_figures):
    plan = write_results(config(), skill=lambda run: 0.5 if run.arm == "baseline" else 0.9)
    for name in plan.datasets:
        path = Path(layout.WINDOWS.format(dataset=name))
        write_windows(path, {split: read_windows(path, split) for split in SPLITS}, REPEATED)

    first, _, datasets = page_without_figures().partition('<section id="datasets">')
    assert "Test or val shares windows or groups with train" in first
    (lede,) = re.findall(r'<p class="lede">(.*?)</p>', first, re.DOTALL)
    assert "No dataset counts." in lede
    assert f"shares windows or groups with train: {', '.join(plan.base_datasets)}" in lede
    assert "0 of 0" in first
    assert "<dt>leak check</dt>" in datasets
    assert "8 of 80 test windows (10 %) stand in train too" in datasets
    assert "Recordings are listed by label" in datasets
