"""MiniRocket sees windows as they are, and its costs are those of a compiled transform."""

import os
import time
from dataclasses import replace
from importlib import import_module

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from seqbench.baselines.compilation import keep_numba_threads
from seqbench.baselines.minirocket import MiniRocketBaseline
from seqbench.config.registry import BASELINES
from seqbench.plan.job_settings import BaselineJobSettings
from seqbench.steps import evaluate, fit_baseline
from seqbench.storage.metrics import read_metrics
from seqbench.storage.models import read_model

RUN = {"dataset": "d", "architecture": "minirocket", "arm": "baseline", "labels": 1.0, "seed": 0}


def compiled():
    """Return the number of compiled signatures of each function of the transform."""
    module = import_module("aeon.transformations.collection.convolution_based._minirocket")
    return {
        name: len(one.signatures)
        for name, one in vars(module).items()
        if isinstance(one, Dispatcher)
    }


@pytest.mark.parametrize("n_channels", [1, 3])
def test_fit_and_predict_compile_nothing(make_windows, n_channels):
    windows = make_windows(n_channels=n_channels)
    baseline = MiniRocketBaseline(n_kernels=84)
    assert baseline.compile(n_channels) > 0
    before = compiled()

    baseline.predict(baseline.fit([windows["train"], windows["val"]], seed=0), windows["test"])

    assert sum(before.values()) > 0
    assert compiled() == before


def test_compilation_is_a_cost_of_its_own(make_windows, tmp_path, monkeypatch):
    def slow(*_):
        time.sleep(2)
        return 2.0

    MiniRocketBaseline(n_kernels=84).compile(2)
    monkeypatch.setattr(MiniRocketBaseline, "compile", slow)
    make_windows(tmp_path / "windows")
    settings = BaselineJobSettings(
        task="classification", task_options={}, baseline="minirocket", options={"n_kernels": 84}
    )

    def call(step, settings, *paths):
        options = RUN | {"settings": settings} | {name: tmp_path / name for name in paths}
        step.main([word for key, value in options.items() for word in (f"--{key}", str(value))])

    call(fit_baseline, settings.to_json(), "windows", "model")
    call(evaluate, '{"task": "classification"}', "windows", "model", "predictions", "metrics")

    fitted = read_model(tmp_path / "model").header.cost
    cost = read_metrics(tmp_path / "metrics").cost
    assert fitted.compile_s == 2.0
    assert cost.compile_s == 4.0
    assert cost.train_s < 2
    assert cost.predict_s < 2


def test_minirocket_sees_windows_as_they_are_normalised_one_by_one(make_windows):
    # Gain and offset of each window mean nothing where every window is standardised.
    splits = make_windows(n_classes=2, mode="per_window")
    minirocket = BASELINES["minirocket"](n_kernels=84)
    arrays = minirocket.fit([splits["train"], splits["val"]], seed=0)
    test = splits["test"]

    louder = replace(test, signal=test.signal * 4 + 32)  # exact in binary, up to rounding

    np.testing.assert_allclose(
        minirocket.predict(arrays, louder), minirocket.predict(arrays, test), atol=1e-3
    )


def test_the_environment_has_the_number_of_threads_numba_was_imported_with(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "77")

    keep_numba_threads()

    assert os.environ["NUMBA_NUM_THREADS"] == str(numba.config.NUMBA_NUM_THREADS)
