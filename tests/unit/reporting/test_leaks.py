"""Text of the page on leaks."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.results import overlap_of
from seqbench import layout
from seqbench.reporting.text.leaks import leak_fact, leak_warnings, order_note, overlap_warnings
from seqbench.storage.overlaps import write_overlap
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
    assert 'title="test or val shares windows or groups with train">leak<' in first
    assert "<dt>leak check</dt>" in datasets
    assert "8 of 80 test windows (10 %) stand in train too" in datasets
    assert "Recordings are listed by label" in datasets


def test_what_pretraining_on_another_dataset_has_seen_is_warned_of():
    shared = overlap_of("mine", "theirs").model_copy(
        update={"n_shared_groups": {"val": 0, "test": 2}}
    )

    assert overlap_warnings([overlap_of("mine", "theirs")]) == []
    assert overlap_warnings([overlap_of("mine", "theirs", 8), shared]) == [
        "Pretraining on theirs has seen 8 of 80 test windows of mine: arms that start from it are"
        " no estimate for what is new, and do not count.",
        "Pretraining on theirs has seen 2 test groups of mine: arms that start from it"
        " are no estimate for what is new, and do not count.",
    ]


ARM = "contrastive_from_gun_point_finetune"


@pytest.mark.parametrize(
    ("n_repeated", "best", "is_counted"), [(0, ARM, True), (8, ARM, False), (8, "scratch", True)]
)
def test_a_model_that_has_seen_test_in_pretraining_does_not_count(
    n_repeated, best, is_counted, write_results, config, page_without_figures
):
    skills = {"baseline": 0.5, best: 0.9}
    arms = ["scratch", "contrastive_finetune", ARM, "from_file_probe"]
    raw = config(("majority", "minirocket"), arms=arms)
    raw |= {"architectures": {"lstm": {"init": "encoder"}}}
    raw["runs"] = [
        grid | {"architectures": ["lstm"], "datasets": ["waves"]} for grid in raw["runs"]
    ]
    write_results(raw, skill=lambda run: skills.get(run.arm, 0.6))
    path = Path(layout.OVERLAP.format(dataset="waves", source="gun_point"))
    write_overlap(path, overlap_of("waves", "gun_point", n_repeated))

    page = page_without_figures()

    assert ("has seen 8 of 80 test windows of waves" in page) == (n_repeated > 0)
    (lede,) = re.findall(r'<p class="lede">(.*?)</p>', page, re.DOTALL)
    assert ("beats the best baseline" in lede) == is_counted
    assert ("No dataset counts. Not counted, as test or val shares" in lede) != is_counted
    assert "from_file_probe start from a file. Whether what trained it holds" in page
    _, _, pretraining = page.partition('<section id="pretraining">')
    pretraining, _, _ = pretraining.partition("</section>")
    assert (ARM in pretraining) == (n_repeated == 0)
    assert "contrastive_finetune" in pretraining
    assert "from_file_probe" in pretraining
