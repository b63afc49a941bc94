"""Which options are searched, and at which points."""

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES, BASELINES
from seqbench.config.search_space import points_of, rungs_of, search_of
from seqbench.config.stages import FinetuneSettings
from seqbench.config.tuning import SPACE_OF_TRAINING, Dimension, points
from seqbench.plan.job_settings import JobSettings

GRID = {"datasets": ["waves"], "architectures": ["lstm"], "seeds": [0]}
RATE = {"low": 1e-4, "high": 1e-2, "log": True}


def load(**changes):
    return Benchmark.load({"runs": [GRID], "baselines": ["minirocket"]} | changes)


def searched(trials, **space):
    return load(architectures={"lstm": {"tune": {"trials": trials, "space": space}}})


def test_nothing_is_searched_unless_requested():
    assert points_of(load(), "lstm") == points_of(load(), "minirocket") == []


def test_the_first_trial_has_the_options_as_configured():
    entry = {"hidden_size": 48, "finetune": {"learning_rate": 0.005}, "tune": {"trials": 3}}
    first = points_of(load(architectures={"lstm": entry}), "lstm")[0]

    assert (first["hidden_size"], first["learning_rate"]) == (48, 0.005)
    assert first["weight_decay"] == FinetuneSettings().weight_decay


def test_more_trials_leave_those_before_as_they_are():
    few, many = (searched(n, learning_rate=RATE, hidden_size=[8, 16]) for n in (5, 40))

    assert points_of(many, "lstm")[:5] == points_of(few, "lstm")
    assert len(points_of(many, "lstm")) == 40


def test_the_order_of_options_and_the_search_of_others_change_no_point():
    one = searched(6, learning_rate=RATE, hidden_size=[8, 16])
    other = searched(6, hidden_size=[8, 16], learning_rate=RATE)
    beside = load(tune={"trials": 9}, architectures=one.model_dump()["architectures"])

    assert points_of(one, "lstm") == points_of(other, "lstm") == points_of(beside, "lstm")


def test_a_small_space_is_exhausted_and_no_trial_comes_twice():
    found = points_of(searched(50, hidden_size=[8, 16, 64], n_layers=[1, 2]), "lstm")

    assert len(found) == 6
    assert {(one["hidden_size"], one["n_layers"]) for one in found} == {
        (size, n) for size in (8, 16, 64) for n in (1, 2)
    }


def test_points_fill_a_range_evenly_by_orders_of_magnitude_or_by_differences():
    space = {
        "a": Dimension(low=1e-4, high=1.0, log=True),
        "b": Dimension(low=0.0, high=0.4),
        "n": Dimension(low=1, high=4),
    }
    _, *found = points(space, {"a": 1.0, "b": 0.0, "n": 1}, {"n"}, 201)

    for quarter in range(4):
        in_a = [one for one in found if 1e-4 * 10**quarter <= one["a"] < 1e-4 * 10 ** (quarter + 1)]
        in_b = [one for one in found if 0.1 * quarter <= one["b"] < 0.1 * (quarter + 1)]
        assert len(in_a) == pytest.approx(50, abs=4)
        assert len(in_b) == pytest.approx(50, abs=4)
    assert {one["n"] for one in found} == {1, 2, 3, 4}
    assert all(isinstance(one["n"], int) for one in found)
    assert len({f"{one['b']:.3g}" for one in found if f"{one['b']:.3g}" == str(one["b"])}) > 100


def test_options_of_the_model_and_settings_of_its_training_go_where_they_belong():
    benchmark = searched(4, learning_rate=RATE, hidden_size=[8], embedding_size=[5], batch_size=[7])
    point = {"learning_rate": 0.002, "hidden_size": 8, "embedding_size": 5, "batch_size": 7}
    jobs = JobSettings(benchmark)

    trained = jobs.finetune("names", "lstm", "scratch", 1.0, point)

    assert trained.architecture_options["hidden_size"] == 8
    assert trained.embedding_size == 5
    assert (trained.optimizer.learning_rate, trained.optimizer.batch_size) == (0.002, 7)
    assert jobs.tune("names", "lstm", point).training == trained
    pretrained = jobs.pretrain("lstm", "masked", point)
    assert pretrained.architecture_options == trained.architecture_options
    assert pretrained.optimizer == benchmark.pretraining("lstm")


def test_a_trial_of_a_baseline_has_its_options():
    options = {
        "minirocket": {"n_kernels": 168, "tune": {"trials": 3, "space": {"n_kernels": [84]}}}
    }
    benchmark = load(baseline_options=options)
    first, second = points_of(benchmark, "minirocket")

    assert (first, second) == ({"n_kernels": 168}, {"n_kernels": 84})
    assert JobSettings(benchmark).tune_baseline("waves", "minirocket", second).fit.options == second
    assert JobSettings(benchmark).fit_baseline("waves", "minirocket").options == first


def test_all_models_are_searched_alike_but_for_what_is_theirs():
    entries = {"gru": {"tune": {"trials": 0}}, "rnn": {"tune": {"trials": 5}}}
    benchmark = load(tune={"trials": 3}, architectures=entries)

    found = {name: len(points_of(benchmark, name)) for name in ("lstm", "gru", "rnn", "majority")}
    assert found == {"lstm": 3, "gru": 0, "rnn": 5, "majority": 0}


def test_by_halving_networks_are_searched_and_baselines_as_before():
    benchmark = load(
        tune={"trials": 9, "method": "halving"},
        baseline_options={"minirocket": {"tune": {"trials": 2}}},
    )

    assert rungs_of(benchmark, "lstm") == [(9, 9), (3, 3), (1, 1)]
    assert rungs_of(benchmark, "minirocket") == [(2, 1)]


def test_a_trial_of_a_rung_has_its_part_of_the_epochs():
    benchmark = searched(9, learning_rate=RATE)
    point = points_of(benchmark, "lstm")[4]
    jobs = JobSettings(benchmark)

    whole, part = (jobs.tune("waves", "lstm", point, divisor) for divisor in (1, 9))

    assert whole.training == jobs.finetune("waves", "lstm", "scratch", 1.0, point)
    assert part.training.optimizer.epochs == 7  # of 60
    assert (
        part.training.model_copy(update={"optimizer": whole.training.optimizer}) == whole.training
    )


@pytest.mark.parametrize("name", [*ARCHITECTURES, *BASELINES])
def test_every_registered_space_fits_its_model(name):
    kind = "baseline_options" if name in BASELINES else "architectures"
    benchmark = load(**{kind: {name: {"tune": {"trials": 30}}}}) if _has_space(name) else load()

    own = search_of(benchmark, name).space
    registry = BASELINES if name in BASELINES else ARCHITECTURES
    of_training = set() if name in BASELINES else set(SPACE_OF_TRAINING)
    assert set(own) - of_training <= set(registry.entry(name).options.model_fields)


def _has_space(name):
    return name in ARCHITECTURES or "space" in BASELINES.entry(name).tags


def test_no_option_of_an_architecture_is_called_as_a_setting_of_its_training():
    """A space names both, so a name must stand for one of them."""
    for name in ARCHITECTURES:
        options = set(ARCHITECTURES.entry(name).options.model_fields)
        assert not options & {*FinetuneSettings.model_fields, "embedding_size"}, name
