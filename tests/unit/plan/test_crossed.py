"""Models are scored on test of other datasets where that means something."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.plan.plan import Pair, Plan
from seqbench.plan.workflow_jobs import jobs_of


def plan(datasets, test_on, baselines=("majority",), **changes):
    grid = {
        "datasets": datasets,
        "architectures": ["cnn1d"],
        "arms": ["scratch"],
        "seeds": [0, 1],
        "test_on": test_on,
    }
    others = {"halves": {"source": "waves", "split": {"folds": 2}}}
    raw = {"runs": [grid], "datasets": others, "baselines": list(baselines)}
    return Plan(Benchmark.load(raw | changes))


def test_every_run_is_scored_on_every_dataset_but_its_own():
    found = plan(["waves", "ecg200"], ["waves", "gun_point"])

    crossed = [
        (one.run.dataset, one.tested_on) for one in found.crossings if not one.run.is_baseline
    ]
    pairs = {("ecg200", "gun_point"), ("ecg200", "waves"), ("waves", "gun_point")}
    assert set(crossed) == pairs
    assert len(crossed) == 3 * 2
    assert sum(one.run.is_baseline for one in found.crossings) == 3
    assert found.overlaps == [
        Pair("waves", "ecg200"), Pair("gun_point", "waves"), Pair("gun_point", "ecg200"),
    ]  # fmt: skip
    assert found.ingested == ["waves", "ecg200", "gun_point"]
    assert found.base_datasets == ["waves", "ecg200"]


def test_a_test_is_looked_for_in_what_a_model_was_pretrained_on_too():
    arms = ["contrastive_from_ecg200_finetune", "contrastive_from_gun_point_finetune"]
    grid = {"datasets": ["waves"], "architectures": ["cnn1d"], "arms": arms, "seeds": [0]}
    found = Plan(Benchmark.load({"runs": [grid | {"test_on": ["gun_point"]}], "baselines": []}))

    assert Pair("gun_point", "ecg200") in found.overlaps
    assert found.pairs_of(found.crossings[0])[0] == Pair("gun_point", "waves")
    assert Pair("gun_point", "gun_point") not in found.overlaps  # its train is no test


def test_a_baseline_that_is_told_the_truth_is_scored_on_none():
    events = {name: {"source": "strikes_windows", "seed": seed} for seed, name in enumerate("ab")}
    found = Plan(
        Benchmark.load(
            {
                "runs": [
                    {
                        "datasets": ["a"],
                        "architectures": ["event_rnn"],
                        "seeds": [0],
                        "test_on": ["b"],
                    }
                ],
                "datasets": events,
                "baselines": ["oracle", "metronome"],
            }
        )
    )

    assert {run.architecture for run in found.baselines} == {"oracle", "metronome"}
    assert {one.run.architecture for one in found.crossings} == {"event_rnn", "metronome"}


def test_test_of_the_other_dataset_is_cut_once_for_all_models_of_one():
    jobs = {(job.step, job.name): job for job in jobs_of(plan(["waves"], ["ecg200"]))}

    (cut,) = [job for (step, _), job in jobs.items() if step == "cross_window"]
    assert cut.inputs == ("results/window/waves/windows.h5", "results/ingest/ecg200/recordings.h5")
    scored = [job for (step, _), job in jobs.items() if step == "cross_evaluate"]
    assert len(scored) == 3
    for job in scored:
        model = f"results/finetune/{job.name.removesuffix('/on/ecg200')}/model.safetensors"
        assert job.inputs == (*cut.outputs, model)
        assert job.outputs[1] in jobs["report", "report"].inputs
    assert "results/window/ecg200/overlap/waves.json" in jobs["report", "report"].inputs
    assert not [name for step, name in jobs if step == "finetune" and "ecg200" in name]


@pytest.mark.parametrize(
    ("datasets", "test_on", "sentence"),
    [
        (["waves"], ["waves"], "test_on names 'waves' alone, which has its own test anyway"),
        (["waves"], ["halves"], "datasets with one test each, but 'halves' has folds"),
        (["halves"], ["waves"], "datasets with one test each, but 'halves' has folds"),
        (["waves"], ["names"], "the kind of sample of dataset 'names' is tokens, but that of 'wav"),
        (
            ["waves"],
            ["airline"],
            "the task of dataset 'airline' is forecasting, but that of 'waves",
        ),
        (["waves"], ["ecg20"], r"runs\.0\.test_on: unknown dataset 'ecg20'; did you mean 'ecg200'"),
    ],
)
def test_what_does_not_compare_is_refused(datasets, test_on, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plan(datasets, test_on)
