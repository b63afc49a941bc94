"""The ensemble over seeds, scored as a run is."""

import numpy as np
import pytest
import torch

from fixtures.trainings import network_header
from seqbench.errors import FormatError
from seqbench.storage.detections import DetectionTuning
from seqbench.storage.model_header import ModelHeader, windowing_fields
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.records import RunIdentity
from seqbench.tasks.ensembles import evaluate_ensemble
from seqbench.training.model import build_model, load_model, predict
from seqbench.training.state import state_arrays


@pytest.fixture
def networks(tmp_path):
    """Return a function that writes untrained networks of several seeds for windows."""

    def write(windows, seeds=(0, 1), **changes):
        samples = {"window_samples": int(windows["train"].length.max())}
        shared = network_header(**changes | samples).model_dump()
        shared |= windowing_fields(windows["train"])
        paths = []
        for seed in seeds:
            run = RunIdentity(dataset="d", architecture="cnn1d", arm="scratch", labels=1, seed=seed)
            header = ModelHeader(**shared, run=run)
            torch.manual_seed(seed)
            paths.append(tmp_path / f"seed{seed}" / "model.safetensors")
            write_model(paths[-1], StoredModel(state_arrays(build_model(header)), header))
        return paths

    return write


def evaluated(models, windows):
    return evaluate_ensemble(models, windows, device="cpu", threads=1)


def test_the_ensemble_is_scored_by_the_mean_of_the_probabilities(networks, make_windows, tmp_path):
    path = tmp_path / "windows.h5"
    windows = make_windows(path, n_windows=40, noise=0.5)
    models = networks(windows)
    each = [
        predict(load_model(read_model(one), one), windows["test"], torch.device("cpu"), 20)
        for one in models
    ]

    found = evaluated(models, path)

    target = windows["test"].label
    probability = np.mean(each, axis=0)[np.arange(40), target]
    assert found.scores["test"]["log_loss"].value == pytest.approx(-np.log(probability).mean())
    assert found.scores["test"]["accuracy"].low is not None
    assert found.scores["test"]["accuracy"].resampled is not None
    assert set(found.scores) == {"val", "test"}
    assert found.tuned == {}


def test_models_after_a_refit_predict_test_alone(networks, make_windows, tmp_path):
    path = tmp_path / "windows.h5"
    windows = make_windows(path, n_windows=40, noise=0.5)
    before, after = networks(windows), networks(windows, seeds=(2, 3))

    found = evaluate_ensemble(before, path, after, device="cpu", threads=1)

    assert found.scores["val"] == evaluated(before, path).scores["val"]
    assert found.scores["test"] == evaluated(after, path).scores["test"]
    assert found.scores["test"] != evaluated(before, path).scores["test"]


def test_detection_is_tuned_on_val_for_the_mean(networks, make_event_windows, tmp_path):
    path = tmp_path / "windows.h5"
    windows = make_event_windows(path)
    models = networks(windows, task="detection", refractory_s=0.25)

    found = evaluated(models, path)

    tuned = DetectionTuning.of_json(found.tuned)
    tuned.check(2)
    assert "f1_at_20ms" in found.scores["test"]


def test_runs_that_differ_in_more_than_their_seed_are_refused(networks, make_windows, tmp_path):
    path = tmp_path / "windows.h5"
    first, second = networks(make_windows(path))
    stored = read_model(second)
    run = stored.header.run.model_copy(update={"arm": "random_frozen"})
    write_model(second, StoredModel(stored.arrays, stored.header.model_copy(update={"run": run})))

    with pytest.raises(FormatError, match=f"{second}: is of another run than {first}"):
        evaluated([first, second], path)
