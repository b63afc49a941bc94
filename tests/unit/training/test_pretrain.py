"""What pretraining learns from, and what it is watched on."""

from dataclasses import replace

import numpy as np
import pytest

from seqbench.config.stages import PretrainSettings
from seqbench.errors import UserError
from seqbench.plan.job_settings import PretrainJobSettings
from seqbench.training.pretrain import build_objective, hold_out


def test_whole_groups_are_held_out_by_the_seed(make_windows):
    windows = make_windows()["train"]
    group = np.array([windows.groups[i] for i in windows.recording])
    assert len(set(group)) > 2

    learned, watched = hold_out(windows, 0.2, seed=0)

    assert set(group[learned]) | set(group[watched]) == set(group)
    assert not set(group[learned]) & set(group[watched])
    assert len(watched)
    draws = {tuple(hold_out(windows, 0.2, seed)[1].tolist()) for seed in range(8)}
    assert len(draws) > 1


def test_of_a_single_group_the_end_is_held_out_and_nothing_of_it_learned(make_event_windows):
    windows = make_event_windows(n_samples=(600,))["train"]
    windows = replace(windows, groups=["same"] * len(windows.groups))
    hop = windows.start[1] - windows.start[0]
    assert hop <= windows.length[0]

    learned, watched = hold_out(windows, 0.3, seed=0)

    assert len(watched) == round(0.3 * len(windows))
    ends = windows.start[learned] + windows.length[learned]
    assert ends.max() <= windows.start[watched].min()
    assert set(learned.tolist()).isdisjoint(watched.tolist())


def test_a_single_window_is_refused(make_event_windows):
    windows = make_event_windows(n_samples=(60,))["train"]
    assert len(windows) == 1

    with pytest.raises(UserError, match="nothing is left to learn from"):
        hold_out(windows, 0.2, seed=0)


@pytest.mark.parametrize("objective", ["autoencoder", "contrastive", "masked"])
def test_causal_encoders_are_built_for_the_rate_of_the_recordings(objective):
    job = PretrainJobSettings(
        architecture="event_rnn",
        architecture_options={"bidirectional": False, "look_ahead_ms": 20},
        objective=objective,
        objective_options={},
        optimizer=PretrainSettings(),
    )

    made = build_objective(job, 2, 1000.0)

    assert made.encoder.look_ahead_samples == 20
    with pytest.raises(UserError, match="needs the sampling rate"):
        build_objective(job, 2, None)
