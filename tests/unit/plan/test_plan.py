import re
from pathlib import Path

import pytest
import yaml

from seqbench.config.benchmark import Benchmark
from seqbench.config.messages import ConfigError
from seqbench.config.registry import ARCHITECTURES
from seqbench.config.stages import Fold
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.plan import Plan, Run


def plan(*grids, **changes):
    return Plan(Benchmark.load({"runs": list(grids)} | changes))


def test_a_grid_is_crossed():
    runs = plan(
        {
            "datasets": ["waves", "gun_point"],
            "architectures": ["lstm", "gru"],
            "arms": ["scratch", "random_frozen"],
            "labels": [0.1, 1],
            "seeds": [0, 1, 2],
        }
    ).trained

    assert len(runs) == 2 * 2 * 2 * 2 * 3
    assert Run("gun_point", "gru", "random_frozen", "0.1", 2) in runs


def test_a_run_named_twice_is_run_once():
    grid = {"datasets": ["waves"], "architectures": ["lstm"], "seeds": [0]}

    assert len(plan(grid, grid).trained) == 1


def test_baselines_run_once_per_dataset_or_with_every_seed_where_chance_plays_a_role():
    baselines = plan(
        {"datasets": ["waves"], "architectures": ["lstm"], "seeds": [3, 4]},
        baselines=["majority", "minirocket"],
    ).baselines

    assert baselines == [
        Run("waves", "majority", "baseline", "1", 0),
        Run("waves", "minirocket", "baseline", "1", 3),
        Run("waves", "minirocket", "baseline", "1", 4),
    ]


EVENTS = ["mitdb", "mitdb_qrs", "ludb", "strikes_windows", "change_ringing", "own"]
MIXED = {"datasets": ["waves", "names", *EVENTS], "architectures": ["lstm"], "seeds": [3]}
OWN = {"own": {"source": "folder", "path": "x", "task": "detection"}}


@pytest.mark.parametrize(
    ("baseline", "where"),
    [
        ("majority", {"waves", "names"}),
        ("minirocket", {"waves"}),
        ("char_ngrams", {"names"}),
        ("metronome", set(EVENTS)),
        ("matched_filter", set(EVENTS)),
        ("oracle", {"strikes_windows", "change_ringing"}),
        ("xqrs", {"mitdb", "mitdb_qrs", "ludb"}),
        ("neurokit", {"mitdb", "mitdb_qrs", "ludb"}),
        ("neurokit_waves", {"ludb"}),
        ("beat_types", {"mitdb", "mitdb_qrs", "ludb"}),
    ],
)
def test_a_baseline_runs_where_its_task_is_and_what_it_needs_is_offered(baseline, where):
    runs = plan(MIXED, datasets=OWN, baselines=[baseline]).baselines

    assert {run.dataset for run in runs} == where
    assert {run.architecture for run in runs} == {baseline}
    assert len(runs) == len(where)


BEATS = {"source": "folder", "path": "beats", "task": "detection"}


def test_heart_beat_baselines_run_on_own_recordings_that_state_an_ecg():
    grid = {"datasets": ["one", "two"], "architectures": ["lstm"]}
    own = {"one": BEATS | {"ecg": "ch0"}, "two": BEATS}

    made = plan(grid, datasets=own, baselines=["xqrs"])

    assert [(run.dataset, run.architecture) for run in made.baselines] == [("one", "xqrs")]
    assert unused_baselines(made.benchmark) == [
        "baseline 'xqrs' does not run on dataset 'two': it needs 'ecg'; set `datasets.two.ecg`"
    ]


def test_a_forest_of_physiology_runs_where_the_source_says_what_channels_measure():
    entry = {"source": "folder", "path": "wrist"}
    own = {"one": entry | {"physiology": {}}, "two": entry}
    grid = {"datasets": ["stress_predict", "waves", "one", "two"], "architectures": ["lstm"]}

    made = plan(grid, datasets=own, baselines=["physiology_forest"])

    assert {run.dataset for run in made.baselines} == {"stress_predict", "one"}
    assert unused_baselines(made.benchmark) == [
        "baseline 'physiology_forest' does not run on dataset 'two': it needs 'physiology'; set"
        " `datasets.two.physiology`"
    ]


def test_the_default_benchmark_lists_no_baseline_in_vain():
    default = yaml.safe_load((Path(__file__).parents[3] / "config/config.yaml").read_text())

    assert unused_baselines(Benchmark.load(default)) == []


def test_listed_baselines_that_run_on_no_dataset_are_named_with_the_reason():
    grid = {"datasets": ["own"], "architectures": ["lstm"]}
    listed = plan(
        grid, datasets={"own": BEATS}, baselines=["metronome", "majority", "oracle", "xqrs", "mean"]
    ).benchmark

    assert unused_baselines(listed) == [
        "baseline 'oracle' runs on no dataset: it needs 'truth', which the source does not offer",
        "baseline 'xqrs' does not run on dataset 'own': it needs 'ecg'; set `datasets.own.ecg`",
        "no dataset is of the kind of these baselines: majority, mean",
    ]
    # Floors of every task stand in the default; nobody listed them.
    assert unused_baselines(plan(grid, datasets={"own": BEATS}).benchmark) == []


def test_an_entry_that_names_a_baseline_has_the_key_it_needs():
    grid = {"datasets": ["own"], "architectures": ["lstm"], "baselines": ["xqrs"]}

    with pytest.raises(ConfigError, match=r"needs 'ecg'; set `datasets\.own\.ecg`"):
        plan(grid, datasets={"own": BEATS})


def test_an_entry_of_runs_may_have_baselines_of_its_own():
    runs = plan(
        {"datasets": ["waves"], "architectures": ["lstm"], "baselines": ["majority"]},
        {"datasets": ["gun_point"], "architectures": ["lstm"]},
        {"datasets": ["ecg200"], "architectures": ["lstm"], "baselines": []},
        baselines=["majority", "logistic_regression"],
    ).baselines

    assert [(run.dataset, run.architecture) for run in runs] == [
        ("waves", "majority"),
        ("gun_point", "majority"),
        ("gun_point", "logistic_regression"),
    ]


def test_a_baseline_that_an_entry_names_must_fit_its_datasets():
    with pytest.raises(ConfigError, match=r"runs\.0\.baselines: 'persistence' is not made for"):
        plan({"datasets": ["waves"], "architectures": ["lstm"], "baselines": ["persistence"]})


def test_an_illegal_combination_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES.entry("lstm").tags, "accepts", ("video",))

    with pytest.raises(ConfigError, match="architecture 'lstm' takes video, but dataset 'waves'"):
        plan({"datasets": ["waves"], "architectures": ["lstm"]})


def test_a_causal_model_is_refused_where_windows_are_normalized_one_by_one():
    def made(normalization: str, **options) -> Plan:
        return plan(
            {"datasets": ["ringing"], "architectures": ["quick"], "seeds": [0]},
            datasets={"ringing": {"source": "strikes_windows", "normalization": normalization}},
            architectures={"quick": {"of": "event_rnn", **options}},
        )

    assert made("zscore", bidirectional=False).benchmark.is_causal("quick")
    assert not made("per_window").benchmark.is_causal("quick")
    with pytest.raises(ConfigError, match=r"'quick' is causal .* 'ringing' are normalized one by"):
        made("per_window", bidirectional=False)


def test_what_starts_as_a_baseline_is_refused_where_that_does_not_fit_and_with_other_arms():
    def made(source: str, *arms: str, normalization: str = "zscore") -> Plan:
        return plan(
            {"datasets": ["one"], "architectures": ["event_pursuit"], "arms": list(arms)},
            datasets={"one": {"source": source, "normalization": normalization}},
        )

    assert made("strikes_windows", "scratch")
    with pytest.raises(ConfigError, match=r"'matched_filter', not as the arm 'random_frozen' has"):
        made("strikes_windows", "scratch", "random_frozen")
    with pytest.raises(ConfigError, match=r"does not fit dataset 'one', as it is made for detect"):
        made("waves", "scratch")
    with pytest.raises(ConfigError, match="which is fitted on whole recordings, but windows of da"):
        made("strikes_windows", "scratch", normalization="per_window")


def test_an_architecture_of_one_task_is_refused_for_another():
    assert plan({"datasets": ["airline"], "architectures": ["nlinear"]}).trained
    with pytest.raises(ConfigError, match="'nlinear' is made for forecasting, but the task of dat"):
        plan({"datasets": ["waves"], "architectures": ["nlinear"]})


@pytest.mark.parametrize(
    ("dataset", "option", "sentence"),
    [
        ("sines", {"label_smoothing": 0.1}, "label_smoothing` is of classes, but the task of data"),
        ("sines", {"augment": ["jitter"]}, "changes windows and not what is predicted, but the"),
        ("hello", {"augment": ["jitter", "shift"]}, "shift moves samples away from labels, but"),
        ("names", {"augment": ["jitter"]}, "changes series, but dataset 'names' holds tokens;"),
    ],
)
def test_options_of_training_are_refused_where_they_make_no_sense(dataset, option, sentence):
    def made(name: str) -> Plan:
        return plan({"datasets": [dataset, "waves"], "architectures": [name]}, **variant)

    variant = {"architectures": {"changed": {"of": "lstm", "finetune": option}}}
    variant["datasets"] = {"sines": {"source": "sin_to_cos"}}

    assert made("lstm").trained
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        made("changed")


def test_a_refit_is_refused_where_val_decides_between_a_network_and_what_it_starts_as():
    grid = {"datasets": ["strikes_windows"], "architectures": ["event_pursuit", "event_unet"]}

    def made(**settings: bool) -> Plan:
        return plan(
            grid,
            architectures={name: {"finetune": {"refit": one}} for name, one in settings.items()},
        )

    assert made(event_unet=True).trained
    with pytest.raises(
        ConfigError, match="'event_pursuit' starts as the baseline 'matched_filter' and is"
    ):
        made(event_pursuit=True)


def test_options_of_a_trial_are_refused_where_they_make_no_sense():
    search = {"trials": 3, "space": {"label_smoothing": [0.0, 0.1]}}
    variant = {"architectures": {"lstm": {"tune": search}}}

    assert plan({"datasets": ["waves"], "architectures": ["lstm"]}, **variant).trained
    with pytest.raises(ConfigError, match="label_smoothing` is of classes, but the task of data"):
        plan({"datasets": ["airline"], "architectures": ["lstm"]}, **variant)


def test_objectives_of_series_are_refused_for_tokens_with_the_reason():
    with pytest.raises(
        ConfigError,
        match="arm 'masked_probe' pretrains on series, but dataset 'names' holds tokens",
    ):
        plan({"datasets": ["names"], "architectures": ["gru"], "arms": ["scratch", "masked_probe"]})


def test_only_jobs_of_tokens_depend_on_the_size_of_their_vectors():
    grid = {"datasets": ["names", "waves"], "architectures": ["gru"]}
    few, many = (
        plan(grid, architectures={"gru": {"embedding_size": size}}).job_settings for size in (8, 16)
    )

    sizes = [jobs.finetune("names", "gru", "scratch", 1.0).embedding_size for jobs in (few, many)]

    assert sizes == [8, 16]
    assert few.finetune("waves", "gru", "scratch", 1.0) == many.finetune(
        "waves", "gru", "scratch", 1.0
    )
    assert few.pretrain("gru", "masked") == many.pretrain("gru", "masked")


def test_jobs_share_the_text_of_their_settings_where_they_agree_and_only_there():
    settings = plan({"datasets": ["waves", "gun_point"], "architectures": ["gru"]}).job_settings

    def text(dataset="waves", arm="scratch", labels=1.0, point=None):
        return settings.text("finetune", dataset, "gru", arm, labels, point)

    assert text() is text()
    assert text() == settings.finetune("waves", "gru", "scratch", 1.0).to_json()
    point = {"hidden_size": 7}
    assert text(point=point) == settings.finetune("waves", "gru", "scratch", 1.0, point).to_json()
    assert len({text(), text(point=point), text(labels=0.1), text(arm="random_frozen")}) == 4


FOLDS = {"mine": {"source": "waves", "split": {"folds": 10, "repeats": 2}}}
GRID_OF_FOLDS = {"datasets": ["mine"], "architectures": ["lstm"], "seeds": [0, 1]}


def test_every_fold_is_a_dataset_with_runs_and_baselines_of_its_own():
    made = plan(GRID_OF_FOLDS, datasets=FOLDS, baselines=["majority"])

    assert made.base_datasets == ["mine"]
    assert len(made.datasets) == 20
    assert made.datasets[0] == "mine-repeat1-fold01"
    assert made.datasets[-1] == "mine-repeat2-fold10"
    assert len(made.trained) == 40
    assert len(made.baselines) == 20
    assert made.runs_on("mine") == made.runs


def test_a_fold_alone_can_be_requested():
    made = plan(GRID_OF_FOLDS | {"datasets": ["mine-repeat1-fold03"]}, datasets=FOLDS)

    assert made.datasets == ["mine-repeat1-fold03"]
    assert made.base_datasets == ["mine"]


def test_folds_are_read_alike_and_differ_in_their_place_alone():
    jobs = plan(GRID_OF_FOLDS, datasets=FOLDS).job_settings
    first, last = "mine-repeat1-fold01", "mine-repeat2-fold10"

    assert jobs.ingest(first) == jobs.ingest(last) == jobs.ingest("mine")
    assert jobs.window(first).fold == Fold(n_folds=10, repeat=0, index=0)
    assert jobs.window(last).fold == Fold(n_folds=10, repeat=1, index=9)
    assert jobs.window(first).split == jobs.window(last).split


def test_more_repeats_run_no_finished_fold_again():
    more = {"mine": {"source": "waves", "split": {"folds": 10, "repeats": 3}}}
    few, many = (plan(GRID_OF_FOLDS, datasets=datasets) for datasets in (FOLDS, more))

    assert set(few.trained) < set(many.trained)
    for name in few.datasets:
        assert few.job_settings.window(name).to_json() == many.job_settings.window(name).to_json()


@pytest.mark.parametrize("split", [{"folds": 10**9}, {"folds": 10, "repeats": 10**9}])
def test_more_folds_than_a_plan_can_hold_are_refused_before_any_is_made(split):
    with pytest.raises(ConfigError, match="folds times repeats exceed 1000"):
        plan(GRID_OF_FOLDS, datasets={"mine": {"source": "waves", "split": split}})
