"""Templates as real models store them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqbench import layout
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.errors import FormatError
from seqbench.models.event_specific import EventSpecificEncoder
from seqbench.plan.plan import Run
from seqbench.reporting.read.banks import read_bank
from seqbench.reporting.read.results import Result
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import read_windows
from seqbench.training.state import state_arrays


def file_of(result):
    return Path(result.run.fill(layout.MODEL))


@pytest.fixture
def windows(write_events, event_config):
    plan = write_events(event_config(), skill=lambda run: 0.9, seconds=60.0)
    path = Path(layout.WINDOWS.format(dataset=plan.datasets[0]))
    return {split: read_windows(path, split) for split in ("train", "test")}


def stored(architecture, arm, arrays, classes):
    run = Run("strikes", architecture, arm, "1", 0)
    header = BaselineHeader(
        run=RunIdentity(dataset="strikes", architecture=architecture, arm=arm, labels=1, seed=0),
        task="detection",
        baseline=architecture,
        channels=("a", "b"),
        classes=tuple(classes),
        window_samples=1024,
        normalization=Normalization.neutral(2).record(),
    )
    write_model(Path(run.fill(layout.MODEL)), StoredModel(arrays, header))
    return Result(run, {})


def test_templates_and_delays_are_those_of_the_architecture(windows):
    torch.manual_seed(0)
    encoder = EventSpecificEncoder(2, n_templates=5, template_samples=30)
    torch.nn.init.normal_(encoder.template_bank.onset_delays, std=8)
    arrays = state_arrays(torch.nn.ModuleDict({"encoder": encoder}))
    result = stored("event_specific", "scratch", arrays, windows["test"].classes)

    bank = read_bank(result, windows["test"], file_of(result))

    learned = encoder.template_bank.templates[:3].detach().numpy()
    np.testing.assert_array_equal(bank.learned.values, learned)  # two templates are of no type
    wanted = encoder.template_bank.delays()[:3].detach().numpy()
    np.testing.assert_allclose(bank.delays_samples, wanted, rtol=1e-5)
    np.testing.assert_array_equal(bank.truth.values, windows["test"].truth["templates"])


def test_templates_of_a_matched_filter_lie_over_the_truth(windows):
    baseline = MatchedFilterBaseline(length_ms=100, before_ms=10)
    arrays = baseline.fit([windows["train"]], 0)
    result = stored("matched_filter", "baseline", arrays, windows["test"].classes)

    bank = read_bank(result, windows["test"], file_of(result))

    assert bank.delays_samples is None
    shift = round(bank.learned.onset - bank.truth.onset)
    n = min(bank.truth.values.shape[2], bank.learned.values.shape[2] - shift)
    for learned, true in zip(bank.learned.values, bank.truth.values, strict=True):
        both = [learned[:, shift : shift + n].ravel(), true[:, :n].ravel()]
        assert np.corrcoef(both)[0, 1] > 0.9


def test_of_two_true_templates_of_a_type_the_one_that_was_learned_is_shown(windows):
    arrays = MatchedFilterBaseline(length_ms=100, before_ms=10).fit([windows["train"]], 0)
    result = stored("matched_filter", "baseline", arrays, windows["test"].classes)
    test = windows["test"]
    own, other = test.truth["templates"], test.truth["templates"][[1, 2, 0]]
    mixed = {
        "templates": np.stack([own[0], other[1], own[2]]),
        "second_templates": np.stack([other[0], own[1], other[2]]),
    }

    found = read_bank(result, replace(test, truth=test.truth | mixed), file_of(result))

    expected = read_bank(result, test, file_of(result)).truth.values
    np.testing.assert_array_equal(found.truth.values, expected)


def test_a_file_without_templates_is_named(windows):
    result = stored("event_specific", "scratch", {"weight": np.zeros(1)}, ["a"])

    with pytest.raises(FormatError, match=r"model\.safetensors: holds no templates"):
        read_bank(result, windows["test"], file_of(result))
