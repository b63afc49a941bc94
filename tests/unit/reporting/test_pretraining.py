"""What the report says of pretraining."""

from pathlib import Path

import pytest

from seqbench.reporting.read.results import collect
from seqbench.reporting.scores import pretraining
from seqbench.statistics.student import mean_interval


@pytest.fixture
def effects_of(write_results, config):
    """Write results of arms at single scores by seed, and return the effects."""

    def make(scores: dict[str, list[float]], **changes):
        seeds = list(range(len(scores["scratch"])))
        raw = config(arms=list(scores), seeds=seeds, **changes)
        plan = write_results(
            raw, skill=lambda run: scores[run.arm][run.seed] if run.arm in scores else 0.5
        )
        return pretraining.effects(collect(plan, Path()))

    return make


def test_effects_pair_seeds(write_results, config):
    accuracy = {
        ("scratch", 0): 0.80,
        ("scratch", 1): 0.90,
        ("contrastive_finetune", 0): 0.86,  # +0.06
        ("contrastive_finetune", 1): 0.88,  # -0.02
        ("baseline", 0): 0.5,
    }
    raw = config(arms=["scratch", "contrastive_finetune"], seeds=[0, 1])
    plan = write_results(raw, skill=lambda run: accuracy[run.arm, run.seed])

    (effect,) = pretraining.effects(collect(plan, Path()))

    assert (effect.arm, effect.reference) == ("contrastive_finetune", "scratch")
    assert effect.difference.mean == pytest.approx(0.02)
    assert effect.difference.sd == pytest.approx(0.08 / 2**0.5)
    assert (effect.n_better, effect.difference.n) == (1, 2)


def test_effects_also_stand_against_random_features_and_only_where_there_is_a_pair(
    write_results, config
):
    raw = config(arms=["random_frozen", "contrastive_probe"])
    plan = write_results(raw, skill=lambda run: 0.5)

    effects = pretraining.effects(collect(plan, Path()))

    assert [effect.reference for effect in effects] == ["random_frozen"]


def test_the_interval_of_a_mean_difference_is_that_of_student():
    low, high = mean_interval([0.06, -0.02])

    # Mean 0.02, standard error 0.04, and 12.706 of them to either side at one degree of freedom.
    assert (low, high) == pytest.approx((0.02 - 12.706 * 0.04, 0.02 + 12.706 * 0.04), abs=1e-4)
    assert mean_interval([0.1]) is None
    assert mean_interval([0.1, 0.1, 0.1]) == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("pretrained", "sentence"),
    [
        ([0.70, 0.71, 0.72], "pretraining helps"),
        ([0.50, 0.51, 0.52], "pretraining hurts"),
        ([0.66, 0.58, 0.62], "no gain that chance rules out"),
    ],
)
def test_a_verdict_says_whether_pretraining_helped(effects_of, pretrained, sentence):
    found = effects_of({"scratch": [0.60, 0.61, 0.62], "contrastive_finetune": pretrained})

    (verdict,) = pretraining.verdicts(found)

    assert sentence in verdict
    assert "contrastive_finetune: " in verdict
    assert "3 seeds" in verdict
    assert "95 % interval" in verdict


def test_one_seed_gives_no_verdict(effects_of):
    found = effects_of({"scratch": [0.6], "contrastive_finetune": [0.9]})

    (verdict,) = pretraining.verdicts(found)

    assert "a single seed" in verdict


def test_the_best_of_several_arms_is_told_to_be_that(effects_of):
    found = effects_of(
        {
            "scratch": [0.60, 0.61],
            "contrastive_finetune": [0.65, 0.66],
            "contrastive_probe": [0.50, 0.51],
        }
    )

    (verdict,) = pretraining.verdicts(found)

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
