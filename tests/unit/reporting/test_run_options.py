"""Options of runs under the keys of the configuration, beside their defaults."""

from pathlib import Path

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.reporting.read.settings import step_settings
from seqbench.reporting.text.run_options import option_groups

DEFAULT = Path(__file__).parents[3] / "config/config.yaml"


@pytest.fixture(scope="module")
def made_up_names():
    """The real names: what they offer is what this is about."""


def groups_of(plan, *, choices=None, **names):
    """Return the groups of the first run with these names, by section."""
    run = next(
        run for run in plan.runs if all(getattr(run, key) == name for key, name in names.items())
    )
    found = option_groups(plan, run, step_settings(plan, run, choices or {}))
    return {group.section: group for group in found}


def changed(group):
    """Return the options that have another value than their default: value and default."""
    return {key: tuple(rest) for key, *rest in group.options if len(rest) == 2}


def plan_of(**raw):
    grid = {"datasets": ["sines"], "architectures": ["lstm"], "arms": ["scratch"], "seeds": [0]}
    plain = {"runs": [grid], "baselines": ["mean"], "datasets": {"sines": {"source": "sin_to_cos"}}}
    return Plan(Benchmark.load(plain | raw))


def test_what_the_configuration_leaves_out_is_no_change():
    found = groups_of(plan_of(), architecture="lstm")

    assert list(found) == ["architectures", "finetune", "datasets"]
    assert all(changed(group) == {} for group in found.values())
    assert ("hidden_size", "64") in found["architectures"].options
    assert found["architectures"].name == "lstm"
    assert found["finetune"].name == ""


def test_changes_stand_beside_their_defaults_wherever_they_were_made():
    plan = plan_of(
        finetune={"epochs": 40},
        architectures={"lstm": {"hidden_size": 16, "finetune": {"learning_rate": 0.01}}},
        datasets={"sines": {"source": "sin_to_cos", "n_train": 200, "split": {"val": 0.3}}},
    )
    found = groups_of(plan, architecture="lstm")

    assert changed(found["architectures"]) == {"hidden_size": ("16", "64")}
    assert changed(found["finetune"]) == {
        "epochs": ("40", "60"),
        "learning_rate": ("0.01", "0.001"),
    }
    assert changed(found["datasets"]) == {"n_train": ("200", "1000"), "split.val": ("0.3", "0.2")}


def test_a_variant_has_the_defaults_of_what_it_is_a_variant_of():
    grid = {"datasets": ["sines"], "architectures": ["small"], "seeds": [0]}
    plan = plan_of(runs=[grid], architectures={"small": {"of": "lstm", "hidden_size": 8}})

    group = groups_of(plan, architecture="small")["architectures"]

    assert (group.name, changed(group)) == ("small", {"hidden_size": ("8", "64")})


def test_a_built_in_dataset_has_its_own_defaults_and_another_of_its_name_has_not():
    own = Plan(Benchmark.read(DEFAULT))
    assert changed(groups_of(own, dataset="airline")["datasets"]) == {}

    grid = {"datasets": ["airline"], "architectures": ["lstm"], "seeds": [0]}
    taken = plan_of(runs=[grid], datasets={"airline": {"source": "sin_to_cos", "n_test": 7}})
    assert changed(groups_of(taken, dataset="airline")["datasets"])["n_test"][0] == "7"


def test_pretraining_and_baselines_have_sections_of_their_own():
    plan = Plan(Benchmark.read(DEFAULT))
    pretrained = groups_of(plan, dataset="basic_motions", arm="autoencoder_probe")
    baseline = groups_of(plan, dataset="strikes", architecture="matched_filter")

    assert pretrained["objectives"].name == "autoencoder"
    assert changed(pretrained["pretrain"]) == {"epochs": ("15", "30")}
    assert "finetune" not in baseline
    assert baseline["baseline_options"].name == "matched_filter"


def test_what_has_no_default_has_an_empty_one(tmp_path):
    grid = {"datasets": ["own"], "architectures": ["lstm"], "seeds": [0]}
    plan = plan_of(
        runs=[grid],
        baselines=["majority"],
        datasets={"own": {"source": "folder", "path": str(tmp_path), "task": "classification"}},
    )

    assert changed(groups_of(plan, dataset="own")["datasets"])["path"] == (str(tmp_path), "")
