"""A baseline of data on disk predicts as one of data in memory, or is refused."""

import numpy as np
import pytest

from seqbench.baselines.fitting import fit_baseline
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.plan.job_settings import BaselineJobSettings
from seqbench.storage.models import read_model
from seqbench.storage.records import RunIdentity


@pytest.fixture
def fitted(make_windows, make_event_windows, tmp_path):
    """Fit a baseline under a limit on memory; return its arrays."""

    def fit(name, limit):
        events = name in ("metronome", "matched_filter")
        (make_event_windows if events else make_windows)(tmp_path / "windows.h5")
        settings = BaselineJobSettings(
            task="detection" if events else "classification", task_options={}, baseline=name,
            options={},
        )  # fmt: skip
        run = RunIdentity(dataset="d", architecture=name, arm="baseline", labels=1.0, seed=0)
        fit_baseline(tmp_path / "windows.h5", settings, run, tmp_path / "model", limit)
        return read_model(tmp_path / "model").arrays

    return fit


@pytest.mark.parametrize("name", ["majority", "metronome"])
def test_a_baseline_that_looks_at_no_signal_takes_data_on_disk(fitted, name):
    memory, disk = fitted(name, "1GB"), fitted(name, "0B")

    assert memory.keys() == disk.keys()
    assert all(np.array_equal(memory[key], disk[key]) for key in memory)


@pytest.mark.parametrize("name", ["logistic_regression", "matched_filter"])
def test_a_baseline_that_needs_all_at_once_names_what_to_change(fitted, name):
    assert fitted(name, "1GB")
    with pytest.raises(UserError, match=r"needs all of train in memory.*`memory_limit`; raise it"):
        fitted(name, "0B")


def test_val_chooses_no_threshold_for_a_baseline_whose_events_are_decisions(
    fitted, monkeypatch, tmp_path
):
    fitted("metronome", "1GB")
    chosen = read_model(tmp_path / "model").header.tuned["thresholds"]
    monkeypatch.setattr(BASELINES["metronome"], "decides", True)

    fitted("metronome", "1GB")

    kept = read_model(tmp_path / "model").header.tuned["thresholds"]
    assert all(any(values) for values in chosen.values())
    assert kept.keys() == chosen.keys()
    assert not any(any(values) for values in kept.values())
