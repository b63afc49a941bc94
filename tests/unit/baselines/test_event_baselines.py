"""Floors, rivals and ceilings of events: what each is worth on recordings whose truth is known."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.config.registry import BASELINES, DATASETS, TASKS
from seqbench.storage.model_header import DataHeader, data_fields
from seqbench.tasks.scoring import score
from seqbench.windowing.windows import make_windows


def split(source, **options):
    return make_windows(DATASETS[source](Path(), **options), job({}))


def scored(name, splits, **options):
    """Fit on train, tune on val, score test."""
    task, baseline = TASKS["detection"](), BASELINES[name](**options)
    arrays = baseline.fit([splits["train"]], seed=0)
    tuned = task.tune(
        splits["val"],
        baseline.predict(arrays, splits["val"]),
        are_probabilities=False,
        data=DataHeader(**data_fields(splits["train"])),
    )
    found = task.join(
        splits["test"],
        baseline.predict(arrays, splits["test"]),
        are_probabilities=False,
        tuned=tuned,
    )
    return {k: v["value"] for k, v in score(task, found, resamples=0).items()}


@pytest.fixture(scope="module")
def ringing():
    return split(
        "strikes_continuous",
        schedule="change_ringing",
        n_types=5,
        n_channels=3,
        train_s=60.0,
        val_s=20.0,
        test_s=20.0,
        snr_db=12.0,
    )


@pytest.mark.parametrize(
    ("noise", "least", "most", "largest_mae_ms"),
    # F1 at 5 ms of plain matched filters on this generator: .996 and .713.
    [(0.4, 0.97, 1.0, 0.3), (0.8, 0.6, 0.85, 1.5)],
)
def test_the_oracle_is_as_good_as_the_noise_allows(noise, least, most, largest_mae_ms):
    strikes = split("strikes_windows", n_train=40, n_val=10, n_test=30, noise=noise)

    found = scored("oracle", strikes)

    assert least <= found["f1_at_5ms"] <= most
    assert found["onset_mae_ms"] < largest_mae_ms


def test_strikes_that_overlap_under_sway_and_coloured_noise_are_separated(ringing):
    found = scored("matched_filter", ringing)

    assert found["f1_at_5ms"] > 0.95
    assert found["onset_mae_ms"] < 0.1
    assert found["refractory_violations"] == 0


def test_the_metronome_knows_the_rate_and_nothing_else(ringing):
    baseline = BASELINES["metronome"]()

    found = baseline.predict(baseline.fit([ringing["train"]], seed=0), ringing["test"])

    for kind in range(len(ringing["test"].classes)):
        there = (ringing["test"].timeline.type == kind).sum()
        times = found.time[found.type == kind]
        assert abs(len(times) - there) <= 2
        assert np.ptp(np.diff(times)) < 1e-6
    assert scored("metronome", ringing)["f1_at_5ms"] < 0.2
