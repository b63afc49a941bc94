"""Encoders that runs cannot start from are refused before anything is run."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.plan.plan import Pair, Plan, Pretraining


def plan(*arms, datasets=("waves",), **changes):
    grid = {
        "datasets": list(datasets),
        "architectures": ["cnn1d"],
        "arms": list(arms),
        "seeds": [0, 1],
    }
    others = {"halves": {"source": "waves", "split": {"folds": 2}}}
    return Plan(Benchmark.load({"runs": [grid], "datasets": others} | changes))


def test_an_encoder_is_pretrained_once_for_all_that_start_from_it():
    found = plan(
        "masked_from_ecg200_finetune", "masked_from_ecg200_probe", datasets=("waves", "halves")
    )

    pretrained = {found.pretraining(run) for run in found.trained}
    assert pretrained == {Pretraining("ecg200", "cnn1d", "masked", seed) for seed in (0, 1)}
    folds = ("halves-repeat1-fold1", "halves-repeat1-fold2")
    assert found.overlaps == [Pair(name, "ecg200") for name in ("waves", *folds)]
    assert found.windowed == ["waves", *folds, "ecg200"]
    assert found.ingested == ["waves", "halves", "ecg200"]
    assert found.base_datasets == ["waves", "halves"]  # nothing is reported of ecg200


def test_a_fold_may_be_pretrained_on():
    found = plan("masked_from_halves-repeat1-fold2_finetune")

    assert found.overlaps == [Pair("waves", "halves-repeat1-fold2")]
    assert found.ingested == ["waves", "halves"]


@pytest.mark.parametrize(
    ("arm", "sentence"),
    [
        ("masked_from_waves_finetune", "of dataset 'waves' is called 'masked_finetune'; write"),
        ("masked_from_halves_probe", "'halves' has folds, .* name one of them, as 'halves-repeat1"),
        ("masked_from_names_probe", "'names' holds tokens, but dataset 'waves' holds series"),
        ("from_file_probe", "starts from a file; name it as `init` under `architectures.cnn1d`"),
    ],
)
def test_what_does_not_fit_is_refused(arm, sentence):
    with pytest.raises(ConfigError, match=rf"runs\.0: arm '{arm}'.* {sentence}|{sentence}"):
        plan(arm)


def test_a_file_that_no_run_starts_from_is_refused():
    architectures = {"cnn1d": {"init": "a"}}

    assert (
        plan("from_file_finetune", architectures=architectures).init(
            plan("from_file_finetune", architectures=architectures).trained[0]
        )
        == "a"
    )
    with pytest.raises(ConfigError, match=r"architectures.cnn1d.init: no run starts from it; give"):
        plan("scratch", architectures=architectures)


def test_an_encoder_from_elsewhere_has_no_options_to_search():
    arm, of_training = "masked_from_ecg200_finetune", {"space": {"learning_rate": [0.1, 0.01]}}
    search = {"tune": {"trials": 2}}

    assert plan(arm, **search, architectures={"cnn1d": {"tune": of_training}}).trained
    assert plan("masked_finetune", **search).trained
    with pytest.raises(ConfigError, match=r"fixed, but `\w+` of architecture 'cnn1d' is searched"):
        plan(arm, **search)
