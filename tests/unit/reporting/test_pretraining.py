"""What the report says of pretraining."""

import re
from pathlib import Path

import pytest

from seqbench.reporting.read.results import collect
from seqbench.reporting.scores import pretraining
from seqbench.statistics.student import mean_interval


@pytest.fixture
def effects_of(write_results, config):
    """Write results of arms at single scores by seed, and return the effects."""

    def make(scores: dict[str, list[float]]):
        n_seeds = len(next(iter(scores.values())))
        raw = config(arms=list(scores), seeds=list(range(n_seeds)))
        plan = write_results(
            raw, skill=lambda run: scores[run.arm][run.seed] if run.arm in scores else 0.5
        )
        return pretraining.effects(collect(plan, Path()))

    return make


def test_effects_pair_seeds(effects_of):
    # Differences +0.06 and -0.02.
    (effect,) = effects_of({"scratch": [0.80, 0.90], "contrastive_finetune": [0.86, 0.88]})

    assert (effect.arm, effect.reference) == ("contrastive_finetune", "scratch")
    assert effect.difference.mean == pytest.approx(0.02)
    assert effect.difference.sd == pytest.approx(0.08 / 2**0.5)
    assert (effect.n_better, effect.difference.n) == (1, 2)


def test_effects_also_stand_against_random_features_and_only_where_there_is_a_pair(effects_of):
    (effect,) = effects_of({"random_frozen": [0.5], "contrastive_probe": [0.5]})

    assert effect.reference == "random_frozen"


def test_the_interval_of_a_mean_difference_is_that_of_student():
    low, high = mean_interval([0.06, -0.02])

    # Mean 0.02, standard error 0.04, and 12.706 of them to either side at one degree of freedom.
    assert (low, high) == pytest.approx((0.02 - 12.706 * 0.04, 0.02 + 12.706 * 0.04), abs=1e-4)
    assert mean_interval([0.1]) is None
    assert mean_interval([0.1, 0.1, 0.1]) == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("pretrained", "sentence"),
    [
        ([0.70, 0.71, 0.72], "pretraining helps. contrastive_finetune: "),
        ([0.50, 0.51, 0.52], "pretraining hurts. contrastive_finetune: "),
        ([0.66, 0.58, 0.62], "no gain that chance rules out. contrastive_finetune: "),
        ([0.9], "a single seed. contrastive_finetune: "),
    ],
)
def test_a_verdict_says_whether_pretraining_helped(effects_of, pretrained, sentence):
    scratch = [0.60, 0.61, 0.62][: len(pretrained)]

    (verdict,) = pretraining.verdicts(
        effects_of({"scratch": scratch, "contrastive_finetune": pretrained})
    )

    assert sentence in verdict
    assert ("95 % interval" in verdict) == ("3 seeds)" in verdict) == (len(scratch) == 3)


def test_the_best_of_several_arms_is_named(effects_of):
    arms = {"contrastive_finetune": [0.65, 0.66], "contrastive_probe": [0.50, 0.51]}

    (verdict,) = pretraining.verdicts(effects_of({"scratch": [0.60, 0.61]} | arms))

    assert "contrastive_finetune, the best of 2 arms" in verdict


def test_an_encoder_that_collapsed_is_named_once(write_results, config):
    raw = config(arms=["scratch", "contrastive_finetune", "contrastive_probe"], seeds=[0])

    def edit(run, content):
        if run.arm.startswith("contrastive"):
            why = "its frames differ in 1.1 directions"
            content["pretraining"] = {"objective": "contrastive", "collapse": why}

    plan = write_results(raw, skill=lambda run: 0.5, edit=edit)

    (sentence,) = pretraining.collapsed(collect(plan, Path()))

    assert "contrastive, seed 0: the encoder collapsed: its frames differ" in sentence


def test_signs_of_collapse_are_means_over_encoders_not_over_runs(write_results, config):
    arms = ["scratch", "contrastive_finetune", "contrastive_probe"]

    def edit(run, content):
        if run.arm.startswith("contrastive"):
            watched = {"monitor_loss": 1.0, "effective_rank": 3.0 + 2 * run.seed}
            content["pretraining"] = {"objective": "contrastive", "watched": watched}

    plan = write_results(config(arms=arms, seeds=[0, 1]), skill=lambda run: 0.5, edit=edit)

    (found,) = pretraining.signs(collect(plan, Path()))

    assert (found.objective, found.n) == ("contrastive", 2)
    assert found.values["effective_rank"].mean == 4.0
    assert found.values["kl_per_unit"].mean is None


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize(
    ("pretrained", "colour"),
    [([0.70, 0.71, 0.73], "positive"), ([0.50, 0.51, 0.53], "negative"), ([0.66, 0.58, 0.64], "")],
)
def test_a_difference_has_a_colour_where_its_interval_leaves_zero_out(
    pretrained, colour, write_results, config, page_without_figures
):
    scores = {"scratch": [0.60, 0.61, 0.62], "contrastive_finetune": pretrained}
    raw = config(datasets=["waves", "gun_point"], arms=list(scores), seeds=[0, 1, 2])
    shift = {"waves": 0.0, "gun_point": 0.01}  # of the arm alone, so that two pairs differ a little
    write_results(
        raw,
        skill=lambda run: (
            scores[run.arm][run.seed] + shift[run.dataset] * (run.arm != "scratch")
            if run.arm in scores
            else 0.3
        ),
    )

    _, section = page_without_figures().split('<section id="pretraining">')
    cells = re.findall(r'<td class="number([^"]*)">[+\N{MINUS SIGN}]0\.\d{3} <small>', section)

    assert [cell.strip() for cell in cells] == 3 * [colour]  # over all, and of each dataset
