from collections import Counter
from pathlib import Path

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import STEPS, jobs_of

ROOT = Path(__file__).parents[3]


def test_the_jobs_of_the_shipped_config_are_those_that_snakemake_plans():
    jobs = jobs_of(Plan(Benchmark.read(ROOT / "config/config.yaml")))

    # As `test_the_shipped_config_plans_every_run_of_its_grids` has it of a dry run.
    assert Counter(job.step for job in jobs) == {
        "ingest": 8,
        "window": 8,
        "pretrain": 2 * 2 * 3,
        "finetune": 3 * 5 * 3 + 2 * 2 * 2 * 3 + (1 + 1 + 2 + 2 + 1) * 3 + 1,
        "fit_baseline": 3 * (1 + 3 + 1) + 3 + 1 + 1 + 3 + 2,
        "evaluate": 91 + 25,
        "best": 8,
        "report": 1,
    }
    rare = {"tune", "tune_baseline", "promote", "choose", "refit"}
    of_others = {"overlap", "cross_window", "cross_evaluate"}
    assert {job.step for job in jobs} == set(STEPS) - rare - of_others


def test_each_job_stands_behind_those_whose_outputs_it_reads():
    plan = Plan(Benchmark.read(ROOT / "tests" / "data" / "config.smoke.yaml"))
    made: set[str] = set()

    for job in jobs_of(plan):
        assert set(job.inputs) <= made, job.name
        assert made.isdisjoint(job.outputs), job.name
        made |= set(job.outputs)


def test_folds_are_windows_of_one_dataset():
    grid = {"datasets": ["halves"], "architectures": ["cnn1d"], "seeds": [0]}
    halves = {"source": "waves", "split": {"folds": 2}}
    plan = Plan(Benchmark.load({"runs": [grid], "baselines": [], "datasets": {"halves": halves}}))
    jobs = jobs_of(plan)

    assert Counter(job.step for job in jobs) == {
        "ingest": 1, "window": 2, "finetune": 2, "evaluate": 2, "best": 1, "report": 1,
    }  # fmt: skip
    assert {job.dataset for job in jobs if job.step != "report"} == {"halves"}


def test_encoders_of_another_dataset_wait_for_that_one_alone():
    grid = {
        "datasets": ["waves", "ecg200"],
        "architectures": ["cnn1d"],
        "arms": ["masked_finetune", "masked_from_ecg200_finetune"],
        "seeds": [0],
    }
    other = {"datasets": ["waves"], "arms": ["masked_from_gun_point_probe"]}
    plan = Plan(Benchmark.load({"runs": [
        grid | {"datasets": ["waves"]}, grid | {"datasets": ["ecg200"], "arms": ["scratch"]},
        grid | other,
    ], "baselines": []}))  # fmt: skip
    jobs = {(job.step, job.name): job for job in jobs_of(plan)}

    pretrained = [name for step, name in jobs if step == "pretrain"]
    assert pretrained == [f"{name}/cnn1d/masked/seed0" for name in ("waves", "ecg200", "gun_point")]
    assert jobs["pretrain", pretrained[1]].inputs == ("results/window/ecg200/windows.h5",)
    run = "waves/cnn1d/masked_from_ecg200_finetune/labels1/seed0"
    assert f"results/pretrain/{pretrained[1]}/encoder.safetensors" in jobs["finetune", run].inputs
    overlap = jobs["overlap", "waves/gun_point"]
    assert overlap.inputs == tuple(
        f"results/{stage}/{name}/{stage_file}.h5"
        for stage, stage_file in (("window", "windows"), ("ingest", "recordings"))
        for name in ("waves", "gun_point")
    )
    for reader in ("best", "waves"), ("report", "report"):
        assert set(overlap.outputs) <= set(jobs[reader].inputs)
    assert not set(overlap.outputs) & set(jobs["best", "ecg200"].inputs)


def refit(is_refit):
    """Return the plan of a benchmark that trains one of two models again, or none."""
    grid = {"datasets": ["waves"], "architectures": ["mlp", "cnn1d"], "seeds": [0, 1]}
    variant = {"mlp": {"finetune": {"refit": is_refit}}}
    return Plan(
        Benchmark.load({"runs": [grid], "baselines": ["majority"], "architectures": variant})
    )


def test_a_refit_follows_its_training_and_comes_before_its_score():
    plan = refit(True)
    jobs = jobs_of(plan)

    again = [job for job in jobs if job.step == "refit"]
    assert len(again) == 2
    for job in again:
        run = next(run for run in plan.trained if run.fill(layout.REFIT) in job.outputs)
        assert run.architecture == "mlp"
        assert run.fill(layout.MODEL) in job.inputs
        [scored] = [one for one in jobs if run.fill(layout.METRICS) in one.outputs]
        assert {run.fill(layout.MODEL), run.fill(layout.REFIT)} <= set(scored.inputs)
        [best] = [one for one in jobs if one.step == "best"]
        assert run.fill(layout.REFIT) in best.inputs
        assert plan.model_file(run) == run.fill(layout.REFIT)
    others = [run for run in plan.runs if run.architecture != "mlp"]
    assert all(plan.model_file(run) == run.fill(layout.MODEL) for run in others)


def test_a_refit_leaves_the_settings_of_the_training_before_it():
    settings = [
        plan.job_settings.finetune("waves", "mlp", "scratch", 1.0)
        for plan in (refit(True), refit(False))
    ]

    assert settings[0] == settings[1]
    again = refit(True).job_settings.refit("waves", "mlp", "scratch", 1.0)
    assert again.optimizer.refit
    assert again.optimizer.model_copy(update={"refit": False}) == settings[0].optimizer


def searched(**changes):
    """Return the plan of a benchmark whose models are searched, on two folds."""
    grid = {"datasets": ["halves"], "architectures": ["mlp", "cnn1d"], "seeds": [0, 1]}
    raw = {
        "runs": [grid],
        "baselines": ["majority", "minirocket"],
        "datasets": {"halves": {"source": "waves", "split": {"folds": 2}}},
        "tune": {"trials": 3},
        "architectures": {"cnn1d": {"tune": {"trials": 0}}},
    }
    return Plan(Benchmark.load(raw | changes))


def test_a_search_is_of_each_fold_by_itself():
    jobs = jobs_of(searched())

    assert Counter(
        (job.step, job.name.split("/")[:2][-1]) for job in jobs if job.step in STEPS[3:7]
    ) == {
        ("tune", "mlp"): 2 * 3,
        ("tune_baseline", "minirocket"): 2 * 3,
        ("choose", "mlp"): 2,
        ("choose", "minirocket"): 2,
    }
    assert {job.inputs for job in jobs if job.step == "tune"} == {
        (f"results/window/{name}/windows.h5",) for name in searched().datasets
    }


HALVING = {"tune": {"trials": 5, "method": "halving", "factor": 2}}


def test_by_halving_all_trials_are_short_and_as_many_longer_ones_follow_as_there_may_be():
    plan = searched(**HALVING)
    of_fold = [job for job in jobs_of(plan) if job.name.startswith(f"{plan.datasets[0]}/")]
    trials = [job for job in of_fold if job.step == "tune"]
    assert [(job.name.split("/", 2)[2], job.epochs) for job in trials] == [
        *((f"rung0/trial{number}", 15) for number in range(5)),
        *(("rung1/trial0", 30), ("rung1/trial-of-place1", None), ("rung1/trial-of-place2", None)),
        *(("rung2/trial0", 60), ("rung2/trial-of-place1", None)),
    ]
    assert len({job.likeness for job in trials}) == 3
    assert [job.name.split("/", 2)[2] for job in of_fold if job.step == "promote"] == [
        "rung0", "rung1",
    ]  # fmt: skip
    # A baseline has no epochs to shorten.
    assert sum(job.step == "tune_baseline" for job in of_fold) == len(plan.trials("minirocket"))
    [choose] = [job for job in of_fold if job.step == "choose" and "/mlp" in job.name]
    assert [path for path in choose.inputs if path not in choose.ancient] == [
        path for job in trials if "rung2" in job.name for path in job.outputs
    ]


def test_trials_that_have_gone_on_are_jobs_by_their_number():
    plan = searched(**HALVING)
    place = plan.datasets[0]
    promotions = {(place, "mlp", 0): (0, 3), (place, "mlp", 1): (0,)}
    jobs = jobs_of(plan, promotions)

    names = [job.name for job in jobs if job.step == "tune" and job.name.startswith(f"{place}/")]
    assert names[5:] == [f"{place}/mlp/rung{name}" for name in ("1/trial0", "1/trial3", "2/trial0")]
    read = set(jobs[-1].inputs)
    assert f"results/tune/{place}/mlp/rung1/trial3.json" in read
    assert f"results/tune/{place}/mlp/rung1/promotion.json" in read
    assert not any("of-place" in path for path in read)


def test_models_wait_for_their_own_choice_and_for_no_other():
    for job in jobs_of(searched()):
        if job.step in ("finetune", "fit_baseline"):
            dataset, architecture = job.name.split("/")[:2]
            is_searched = architecture in ("mlp", "minirocket")
            choice = f"results/tune/{dataset}/{architecture}/choice.json"
            assert job.ancient == ((choice,) if is_searched else ())
            assert set(job.ancient) <= set(job.inputs)


def trial_settings(plan):
    return {
        (name, number): plan.job_settings.tune(dataset, name, point).to_json()
        for dataset, name in plan.tuned
        if name == "mlp"
        for number, point in enumerate(plan.trials(name))
    }


def test_one_more_trial_and_the_options_of_another_model_change_no_trial():
    before = trial_settings(searched())
    more = trial_settings(searched(tune={"trials": 4}))
    other = trial_settings(searched(architectures={"cnn1d": {"dropout": 0.3}}))

    assert set(more) - set(before) == {("mlp", 3)}
    assert before == other == {key: more[key] for key in before}


def test_one_more_trial_leaves_the_rungs_of_the_others_as_they_are():
    def of_rungs(n_trials):
        plan = searched(tune=HALVING["tune"] | {"trials": n_trials})
        return {
            (number, rung.divisor): plan.job_settings.tune(*pair, point, rung.divisor).to_json()
            for pair in plan.tuned
            if pair[1] == "mlp"
            for rung in plan.rungs("mlp")
            for number, point in enumerate(plan.trials("mlp"))
        }

    before, more = of_rungs(5), of_rungs(6)

    assert set(more) - set(before) == {(5, 4), (5, 2), (5, 1)}
    assert before == {key: more[key] for key in before}


def test_a_space_changes_the_trials_of_its_model():
    space = {"mlp": {"tune": {"space": {"dropout": {"low": 0, "high": 0.5}}}}}
    before, after = trial_settings(searched()), trial_settings(searched(architectures=space))

    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
