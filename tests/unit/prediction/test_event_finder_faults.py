"""What an event finder refuses, in one sentence."""

import numpy as np
import pandas as pd
import pytest
import torch

from fixtures.knocking import N_SAMPLES, Dribble, agree, as_csv, refusal
from seqbench.errors import UserError
from seqbench.prediction.event_finder import EventFinder, predict_stream
from seqbench.storage.model_header import BaselineHeader, EncoderHeader, PredictorHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import PretrainingOutcome


def test_models_that_read_no_streams_are_refused(knocks, tmp_path):
    path = tmp_path / "other.safetensors"
    fields = {name: getattr(knocks.header, name) for name in PredictorHeader.model_fields}
    baseline = BaselineHeader(**fields, baseline="matched_filter")
    encoder = EncoderHeader(architecture="cnn1d", pretraining=PretrainingOutcome(objective="vae"))
    classifier = knocks.header.model_copy(update={"task": "classification"})
    for header, what in (
        (baseline, "matched_filter, which reads no streams"),
        (encoder, "an encoder without a head"),
        (classifier, "classification, which reads no streams"),
    ):
        write_model(path, StoredModel(knocks.arrays, header))

        with pytest.raises(UserError, match=f"{path}: holds {what}; name the model"):
            EventFinder(path)


def test_another_number_of_channels_is_refused(knocks, signal, tmp_path):
    np.save(tmp_path / "two.npy", signal[:, :2])
    expected = "has 2 channels, but the model was trained on 3 (x, y, z)"

    assert expected in refusal(knocks.model, tmp_path / "two.npy")
    assert expected in refusal(knocks.model, signal[:, :2])


def test_another_rate_is_refused(knocks, signal, tmp_path):
    slow = as_csv(tmp_path / "slow.csv", signal, time_s=np.arange(N_SAMPLES) / 1000)

    assert "slow.csv: has 1000 Hz, but the model was trained at 2000 Hz; bring it" in refusal(
        knocks.model, slow
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(knocks, signal, tmp_path, value):
    broken = signal.copy()
    broken[4321, 1] = value
    np.save(tmp_path / "broken.npy", broken)

    assert "finite" in refusal(knocks.model, broken)
    sentence = refusal(knocks.model, tmp_path / "broken.npy")
    assert "broken.npy" in sentence
    assert "4322" in sentence  # samples are counted from 1


@pytest.mark.parametrize(
    "recording",
    [
        np.zeros(100),
        np.zeros((2, 100, 3)),
        np.zeros((0, 3)),
        [[1.0, 2.0, 3.0], [1.0, 2.0]],
        [["a", "b", "c"]],
        None,
    ],
)
def test_what_is_no_array_of_samples_is_refused(knocks, recording):
    assert "must be an array (n_samples, C) of finite numbers" in refusal(knocks.model, recording)


def test_a_fault_in_a_stream_comes_behind_the_events_before_it(knocks, signal, events, tmp_path):
    lines = as_csv(tmp_path / "a.csv", signal).read_text().splitlines()
    lines[5001] = "1,2,oops"
    dribble = Dribble("\n".join(lines).encode(), seed=0, most=5000)
    found = []

    with pytest.raises(UserError, match="oops"):
        found.extend(predict_stream(EventFinder(knocks.model), dribble))

    certain_s = 5000 / 2000 - EventFinder(knocks.model).latency_s - 0.3  # and a short wait
    early = [event for event in found if event.onset_s < certain_s]
    agree(pd.DataFrame(early), events[events.onset_s < certain_s])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(knocks, signal):
    assert "no GPU is visible here" in refusal(knocks.model, signal, device="cuda")
