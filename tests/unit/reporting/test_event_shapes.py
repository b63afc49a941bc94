"""Shapes of events: whose they are, and what follows from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixtures.event_results import NOISE_SD
from fixtures.results import material_of
from seqbench import layout
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.config.registry import FIGURES
from seqbench.errors import FormatError
from seqbench.reporting.read.event_shapes import read_event_shapes
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import read_windows

MODEL = Path("model.safetensors")


@pytest.fixture
def windows(write_events, event_config):
    plan = write_events(event_config(), skill=lambda run: 0.9, seconds=60.0)
    path = Path(layout.WINDOWS.format(dataset=plan.datasets[0]))
    return {split: read_windows(path, split) for split in ("train", "test")}


@pytest.fixture
def fitted(windows):
    arrays = MatchedFilterBaseline(length_ms=100, before_ms=10).fit([windows["train"]], 0)
    store(arrays)
    return MODEL


def store(arrays):
    run = RunIdentity(
        dataset="strikes", architecture="matched_filter", arm="baseline", labels=1, seed=0
    )
    header = BaselineHeader(
        run=run, task="detection", baseline="matched_filter", channels=("a", "b"),
        classes=("x", "y", "z"), window_samples=1024,
        normalization=Normalization.neutral(2).record(),
    )  # fmt: skip
    write_model(MODEL, StoredModel(arrays, header))


def without(windows, *names):
    return replace(windows, truth={n: v for n, v in windows.truth.items() if n not in names})


def test_templates_and_noise_of_a_generator_are_believed_first(windows):
    test = windows["test"]
    shapes = read_event_shapes(test, None)

    energy = (test.truth["templates"] ** 2).sum(axis=(1, 2)) / NOISE_SD**2
    assert shapes.origin == "true templates and noise of the generator"
    assert shapes.snr_db == pytest.approx(10 * np.log10(energy))


def test_where_a_generator_has_second_templates_the_first_ones_are_named(windows):
    test = windows["test"]
    truth = test.truth | {"second_templates": 2 * test.truth["templates"]}

    shapes = read_event_shapes(replace(test, truth=truth), None)

    assert shapes.origin == "first true templates of each type and noise of the generator"
    assert shapes.snr_db == pytest.approx(read_event_shapes(test, None).snr_db)


def test_coloured_noise_is_whitened_by_its_own_autoregression(windows):
    truth = windows["test"].truth | {"noise_lag_one": np.array(0.8)}
    shapes = read_event_shapes(replace(windows["test"], truth=truth), None)
    # By hand: the energy is that of the template under the inverse covariance of the noise.
    template = np.pad(truth["templates"][0, 0], (60, 60))
    lags = np.abs(np.subtract.outer(range(len(template)), range(len(template))))
    inverse = np.linalg.inv(NOISE_SD**2 * 0.8**lags)

    assert template @ inverse @ template == pytest.approx((shapes.whitened[0, 0] ** 2).sum())


def test_what_is_learned_comes_near_the_truth(windows, fitted):
    test = windows["test"]
    true, learned = (
        read_event_shapes(test, None),
        read_event_shapes(without(test, *test.truth), fitted),
    )

    assert learned.origin == "templates and noise as matched_filter learned them from train"
    assert learned.snr_db == pytest.approx(true.snr_db, abs=1.0)
    assert learned.bound_ms == pytest.approx(true.bound_ms, rel=0.15)
    assert learned.similarity(5.0) == pytest.approx(true.similarity(5.0), abs=0.1)


def test_of_a_type_of_several_shapes_that_of_most_events_is_shown(windows, fitted):
    test = without(windows["test"], *windows["test"].truth)
    one = read_event_shapes(test, fitted)
    arrays = read_model(fitted).arrays
    arrays |= {name: np.tile(arrays[name], 2) for name in ("parent", "amplitude")}
    arrays["templates"] = np.concatenate([arrays["templates"], 10 * arrays["templates"]])
    arrays["rate"] = np.concatenate([arrays["rate"], [1.0, 0.0, 1.0]])
    store(arrays)

    several = read_event_shapes(test, MODEL)

    assert several.snr_db - one.snr_db == pytest.approx([20, 0, 20])


def test_true_templates_in_unknown_noise_are_whitened_as_the_baseline_learned(windows, fitted):
    test = windows["test"]
    shapes = read_event_shapes(without(test, "noise_sd"), fitted)

    assert shapes.origin == "true templates, noise as matched_filter learned it from train"
    assert shapes.snr_db == pytest.approx(read_event_shapes(test, None).snr_db, abs=0.5)


def test_nothing_is_known_without_a_generator_or_a_fit_or_noise(windows):
    test = windows["test"]

    assert read_event_shapes(without(test, *test.truth), None) is None
    assert read_event_shapes(without(test, "noise_sd"), None) is None
    silent = replace(test, truth=test.truth | {"noise_sd": np.zeros(2)})
    assert read_event_shapes(silent, None) is None


def test_a_fit_without_templates_is_named(windows):
    store({"filters": np.ones((2, 1)), "mixing": np.eye(2)})

    with pytest.raises(FormatError, match=r"model\.safetensors: holds no 'templates'"):
        read_event_shapes(without(windows["test"], "templates"), MODEL)


def test_the_bound_stands_under_every_histogram_and_in_the_table(write_events, event_config):
    made = material_of(write_events(event_config(), skill=lambda run: 0.9))
    plot = FIGURES["timing_errors"](made)
    bounds = made.evidence.shapes.bound_ms

    assert len(plot.figure.axes) == 2
    for axes in plot.figure.axes:
        bars = [line.get_xdata() for line in axes.lines if line.get_color() == "#b3202c"]
        assert [bar[1] for bar in bars] == pytest.approx(bounds.tolist())
    by_type = plot.table.groupby("type").bound_ms.first()
    assert by_type.tolist() == pytest.approx(bounds.tolist())
    least = [row["least_mae_ms"] for row in made.evidence.types]
    assert least[0] is None
    assert least[1:] == pytest.approx((np.sqrt(2 / np.pi) * bounds).tolist())
