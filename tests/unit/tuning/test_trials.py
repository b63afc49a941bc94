"""A trial learns from train and is scored on val; of test it reads nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.trainings import finetune_settings
from fixtures.windows import job
from seqbench.config.stages import FinetuneSettings
from seqbench.plan.job_settings import BaselineJobSettings, BaselineTrialJobSettings
from seqbench.storage.recordings import Recordings
from seqbench.storage.records import RunIdentity
from seqbench.storage.trials import read_trial
from seqbench.storage.windows import write_windows
from seqbench.training.loop import DivergedError
from seqbench.tuning import network_trial
from seqbench.tuning.baseline_trial import run_baseline_trial
from seqbench.tuning.network_trial import TrialJob, run_trial
from seqbench.windowing.windows import make_windows as cut_windows

SHORT = {"epochs": 3, "min_steps_per_epoch": 4, "batch_size": 5}


@pytest.fixture
def network(tmp_path):
    """Return a function that runs a trial of a network on a file of windows."""

    def run(windows: Path, number: int = 1, **settings):
        optimizer = FinetuneSettings(**SHORT | settings)
        job = TrialJob(
            windows=windows,
            settings=finetune_settings(optimizer, architecture="mlp"),
            run=RunIdentity(dataset="d", architecture="mlp", arm="scratch", labels=1.0, seed=0),
            options=settings,
            number=number,
            trial=tmp_path / "trial.json",
            device="cpu",
        )
        run_trial(job)
        return read_trial(job.trial)

    return run


@pytest.fixture
def baseline(tmp_path):
    """Return a function that runs a trial of a baseline on a file of windows."""

    def run(windows: Path, name: str = "logistic_regression", number: int = 1, **options):
        task = "forecasting" if name == "log_ar" else "classification"
        fit = BaselineJobSettings(task=task, task_options={}, baseline=name, options=options)
        run_baseline_trial(
            windows=windows,
            settings=BaselineTrialJobSettings(options=options, fit=fit),
            dataset="d",
            architecture=name,
            number=number,
            trial=tmp_path / "trial.json",
        )
        return read_trial(tmp_path / "trial.json")

    return run


@pytest.mark.parametrize("kind", ["network", "baseline"])
def test_a_trial_is_the_same_without_test_and_with_a_poisoned_one(
    kind, request, make_windows, tmp_path
):
    run = request.getfixturevalue(kind)
    splits = make_windows(noise=0.8)
    whole, poisoned, without = (tmp_path / f"{name}.h5" for name in ("whole", "poisoned", "none"))
    write_windows(whole, splits)
    write_windows(without, {name: splits[name] for name in ("train", "val")})
    test = splits["test"]
    signal, label = np.full_like(test.signal, np.nan), np.full_like(test.label, 10**6)
    write_windows(poisoned, splits | {"test": replace(test, signal=signal, label=label)})

    found = [run(path).model_copy(update={"cpu_s": None}) for path in (whole, poisoned, without)]

    assert found[0].score is not None
    assert found[0] == found[1] == found[2]


def test_a_trial_holds_its_options_and_the_metric_that_ranks_models(
    network, make_windows, tmp_path
):
    make_windows(tmp_path / "windows.h5", noise=0.8)

    found = network(tmp_path / "windows.h5", number=7, learning_rate=0.003)

    assert (found.trial, found.options) == (7, {"learning_rate": 0.003})
    assert (found.headline, found.failure) == ("accuracy", None)
    assert 0 <= found.score <= 1
    assert found.loss > 0  # the log loss, which decides between equal scores
    assert found.cpu_s > 0


def test_a_baseline_learns_from_train_alone(baseline, make_windows, tmp_path):
    splits = make_windows(noise=0.1)
    write_windows(tmp_path / "windows.h5", splits)
    flipped = replace(splits["val"], label=1 - splits["val"].label)
    write_windows(tmp_path / "flipped.h5", splits | {"val": flipped})

    scores = [baseline(tmp_path / f"{name}.h5").score for name in ("windows", "flipped")]

    assert scores == [1, 0]  # as if no label of val were known


@pytest.fixture
def diverging(monkeypatch):
    def train(*arguments):
        raise DivergedError("train_loss is nan")

    monkeypatch.setattr(network_trial, "trained_network", train)


def test_a_trial_that_diverges_has_failed(diverging, network, make_windows, tmp_path):
    make_windows(tmp_path / "windows.h5")

    found = network(tmp_path / "windows.h5", number=1)

    assert (found.score, found.failure) == (None, "train_loss is nan")
    assert found.cpu_s is not None


def test_where_the_options_as_configured_diverge_there_is_nothing_to_search(
    diverging, network, make_windows, tmp_path
):
    make_windows(tmp_path / "windows.h5")

    with pytest.raises(DivergedError):
        network(tmp_path / "windows.h5", number=0)


def test_lags_that_do_not_fit_the_windows_are_a_trial_that_failed(baseline, tmp_path):
    gauge = Recordings.without_classes(
        [np.arange(1, 41, dtype=np.float32)[:, None]], task="forecasting", names=["gauge"],
        splits=[""], channels=["level"], units=["m"], sample="series",
    )  # fmt: skip
    by_time = job({"by": "time", "val": 0.3, "test": 0.3}, length_samples=6, horizon_samples=1)
    write_windows(tmp_path / "windows.h5", cut_windows(gauge, by_time))

    found = baseline(tmp_path / "windows.h5", "log_ar", lags=(1, 12))

    assert found.score is None
    assert found.cpu_s is not None
    assert "12 samples back do not fit into windows of 6" in found.failure
