"""Training once more on train and val: what it learns from, how long, and what stays as it was."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from fixtures.trainings import finetune_settings
from seqbench.config.stages import FinetuneSettings
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_settings import EvaluateJobSettings
from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.metrics import read_metrics
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel, read_as, write_model
from seqbench.storage.predictions import read_predictions
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import write_windows
from seqbench.tasks.scoring import evaluate
from seqbench.training import refit as refit_module
from seqbench.training.finetune import FinetuneJob, finetune
from seqbench.training.model import load_model, predict
from seqbench.training.refit import RefitJob, refit, together
from seqbench.training.supervised import Finetuning

RUN = RunIdentity(dataset="d", architecture="mlp", arm="scratch", labels=1.0, seed=0)
# Two steps an epoch of train, three of train and val.
SHORT = {"epochs": 6, "min_steps_per_epoch": 1, "batch_size": 6, "learning_rate": 0.01}


class Stopped(Exception):
    """A training was cut off."""


@pytest.fixture
def trained(make_windows, tmp_path):
    """Return a function that trains a model and returns the job of its refit."""

    def train(splits=None, labels=1.0, **settings):
        splits = splits or make_windows(noise=0.8)
        write_windows(tmp_path / "windows.h5", splits)
        optimizer = FinetuneSettings(**SHORT | settings)
        of_run = {
            "windows": tmp_path / "windows.h5",
            "settings": finetune_settings(optimizer, architecture="mlp", labels=labels),
            "run": RUN.model_copy(update={"labels": labels}),
            "device": "cpu",
        }
        names = {"model": "first", "history": "history", "transfer": "transfer"}
        finetune(FinetuneJob(**of_run, **{key: tmp_path / name for key, name in names.items()}))
        files = {"first": tmp_path / "first", "history": tmp_path / "history"}
        return RefitJob(**of_run, **files, model=tmp_path / "refit")

    return train


@pytest.fixture
def steps(monkeypatch):
    """Count the steps of trainings; `steps.stop` is the one at which they are cut off."""

    class Steps:
        n, stop = 0, None

    loss = Finetuning.loss

    def counted(self, batch):
        Steps.n += 1
        if Steps.n == Steps.stop:
            raise Stopped
        return loss(self, batch)

    monkeypatch.setattr(Finetuning, "loss", counted)
    return Steps


def arrays(path):
    return read_as(path, ModelHeader).arrays


def history(job):
    with job.history.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_refit_takes_the_epochs_that_val_chose_over_train_and_val(trained, steps):
    job = trained()
    steps.n = 0

    refit(job)

    first, again = (read_as(path, ModelHeader) for path in (job.first, job.model))
    assert steps.n == 4 * first.header.cost.best_epoch  # of 24 windows, 6 a step
    assert first.header.cost.best_epoch > 1
    assert again.header.refit
    assert not first.header.refit
    kept = {"cost", "provenance", "refit"}
    assert again.header.model_dump(exclude=kept) == first.header.model_dump(exclude=kept)
    assert any((again.arrays[name] != first.arrays[name]).any() for name in first.arrays)


def test_costs_are_those_of_both_trainings(trained):
    job = trained()

    refit(job)

    before, cost = (read_as(path, ModelHeader).header.cost for path in (job.first, job.model))
    assert cost.train_s > before.train_s
    assert cost.train_cpu_s > before.train_cpu_s
    assert (cost.epochs, cost.best_epoch) == (before.epochs, before.best_epoch)


def test_labels_of_val_are_learned(trained, make_windows):
    splits = make_windows(noise=0.2)
    # All that is known of the second class stands in val.
    first = splits["train"]
    lone = replace(first, label=np.where(first.label == 1, -1, 0))
    job = trained(splits | {"train": lone}, min_steps_per_epoch=60, warmup_epochs=0)

    refit(job)

    models = [load_model(read_as(path, ModelHeader), path) for path in (job.first, job.model)]
    before, after = (predict(one, splits["val"], torch.device("cpu"), 20) for one in models)
    is_second = splits["val"].label == 1
    assert before[is_second, 1].mean() < 0.2
    assert after[is_second, 1].mean() > 0.5


def test_without_labels_of_val_it_is_the_first_training(trained, monkeypatch):
    job = trained(min_steps_per_epoch=5)  # as many over both splits
    drawn = refit_module.labelled_subset

    def of_train(windows, fraction, seed):
        found = drawn(windows, fraction, seed)
        return found if windows.split == "train" else found[:0]

    monkeypatch.setattr(refit_module, "labelled_subset", of_train)
    refit(job)

    first, again = arrays(job.first), arrays(job.model)
    assert all((again[name] == first[name]).all() for name in first)


@pytest.mark.parametrize("settings", [{}, {"schedule": "plateau", "plateau_epochs": 1, "ema": 0.9}])
def test_an_interrupted_refit_ends_with_the_same_bits(trained, steps, tmp_path, settings):
    job = trained(**settings)
    refit(job)
    whole = arrays(job.model)
    kept = replace(job, state=tmp_path / "state", state_every_s=0, code="1")
    steps.n, steps.stop = 0, 6

    with pytest.raises(Stopped):
        refit(kept)
    steps.n, steps.stop = 0, None
    refit(kept)

    assert steps.n == 4 * read_as(job.first, ModelHeader).header.cost.best_epoch - 5
    assert all((arrays(job.model)[name] == whole[name]).all() for name in whole)


def test_of_few_labels_those_and_all_of_val_are_used(trained, monkeypatch):
    job = trained(labels=0.5)
    drawn = []
    train = refit_module.trained_network

    def looked_at(*arguments):
        drawn.extend(arguments[-1].drawn.tolist())
        return train(*arguments)

    monkeypatch.setattr(refit_module, "trained_network", looked_at)
    refit(job)

    n_train = read_as(job.first, ModelHeader).header.n_windows["train"]
    assert n_train == 6
    assert len(drawn) == n_train + 12
    assert sorted(drawn)[n_train:] == list(range(12, 24))


def test_val_is_scored_as_before_and_test_by_the_model_after(trained, tmp_path):
    job = trained()
    refit(job)

    def scored(name, model, after=None):
        files = {key: tmp_path / f"{name}_{key}" for key in ("predictions", "metrics")}
        evaluate(
            windows=job.windows, model=model, settings=EvaluateJobSettings(task="classification"),
            run=RUN, device="cpu", threads=1, refit=after, **files,
        )  # fmt: skip
        found = {s: read_predictions(files["predictions"], s).scores for s in ("val", "test")}
        return found, read_metrics(files["metrics"])

    before, after = scored("before", job.first)[0], scored("after", job.model)[0]
    both, metrics = scored("both", job.first, job.model)

    np.testing.assert_array_equal(both["val"], before["val"])
    np.testing.assert_array_equal(both["test"], after["test"])
    assert (before["val"] != after["val"]).any()
    assert (before["test"] != after["test"]).any()
    assert metrics.cost.train_cpu_s == read_as(job.model, ModelHeader).header.cost.train_cpu_s


def test_a_model_that_kept_its_first_weights_is_refused(trained):
    job = trained()
    stored = read_as(job.first, ModelHeader)
    cost = stored.header.cost.model_copy(update={"best_epoch": 0})
    header = stored.header.model_copy(update={"cost": cost})
    write_model(job.first, StoredModel(stored.arrays, header))

    with pytest.raises(UserError, match=r"no number of epochs .* set `finetune.refit: false`"):
        refit(job)


def test_a_model_or_history_of_another_training_is_refused(trained):
    job = trained()

    with pytest.raises(UserError, match=r"not dataset='d' .*seed=1; train it again"):
        refit(replace(job, run=RUN.model_copy(update={"seed": 1})))
    best = read_as(job.first, ModelHeader).header.cost.best_epoch
    rows = history(job)
    rows[best - 1]["val_loss"] = "99"
    with job.history.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(FormatError, match="is not the history of the model beside it"):
        refit(job)


def lazy(values):
    return LazyArray(values.shape, lambda start, stop: values[start:stop])


@pytest.mark.parametrize("make", [np.asarray, lazy])
def test_windows_of_val_stand_behind_those_of_train(make_windows, make):
    splits = make_windows(lengths=(20, 26))
    train, val = (
        replace(splits[name], signal=make(splits[name].signal)) for name in ("train", "val")
    )

    both = together(train, val)

    assert len(both) == len(train) + len(val)
    for i in range(len(both)):
        own, at = (train, i) if i < len(train) else (val, i - len(train))
        np.testing.assert_array_equal(both.window(i), own.window(at))
        assert both.label[i] == own.label[at]
        assert both.names[both.recording[i]] == own.names[own.recording[at]]


def test_events_of_val_stand_in_their_recordings(make_event_windows):
    splits = make_event_windows()
    train, val = splits["train"], splits["val"]

    both = together(train, val).events

    n, k = len(train.signal), len(train.events)
    np.testing.assert_array_equal(both.onset[len(train.events.onset) :], val.events.onset + n)
    np.testing.assert_array_equal(both.place[len(train.events.onset) :], val.events.place + k)
    np.testing.assert_array_equal(both.stop[k:], val.events.stop + n)
    np.testing.assert_array_equal(both.type, np.concatenate([train.events.type, val.events.type]))
    np.testing.assert_array_equal(both.recording[k:], val.events.recording)


def test_two_refits_are_alike_whatever_was_drawn_before(trained):
    job = trained()
    refit(job)
    first = arrays(job.model)
    torch.rand(7)

    refit(job)

    assert all((arrays(job.model)[name] == first[name]).all() for name in first)
