"""New recordings are predicted as the pipeline predicts: number for number, by every model."""

import numpy as np
import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan
from seqbench.prediction.inputs import from_arrays, from_texts
from seqbench.prediction.predictor import Predictor
from seqbench.storage.predictions import read_predictions
from seqbench.storage.recordings import read_recordings
from seqbench.tasks.detection.refractory import period_samples, select
from seqbench.windowing.transform import n_samples_lost

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("smoke")]


def raw(header, stored, ingested):
    """Return the signals of test as a user has them, by name."""
    recordings = read_recordings(ingested)
    signal_of = dict(zip(recordings.names, recordings.signals, strict=True))
    names = list(dict.fromkeys(stored.recording))
    if all(name in signal_of for name in names):
        return {name: signal_of[name] for name in names}
    # Split in time: of the one recording, what the windows of test and their past reach over.
    (name,) = names
    lost = n_samples_lost(header.targets.transform)
    look_back = max(header.cutting.length_samples, lost)
    n_samples = len(stored) + lost + header.targets.horizon_samples + look_back - 1
    return {name: signal_of[name.removesuffix(" (test)")][-n_samples:]}


def taken(header, signals):
    if header.sample == "tokens":
        texts = {n: "".join(map(chr, s[:, 0].astype(int))) for n, s in signals.items()}
        return from_texts(header, texts)
    return from_arrays(header, signals)


def numbers(header, results, stored):
    """Return what is predicted and what is stored, as arrays of the same meaning."""
    if header.task == "detection":
        decoding = stored.decoding
        kept = select(
            stored.candidates,
            decoding.thresholds[decoding.decoder],
            period_samples(stored.refractory_s, stored.sampling_rate_hz),
            decoding.decoder,
        )
        return [
            [getattr(one, column)[rows] for column in ("place", "time", "type", "score")]
            for one, rows in ((results.candidates, slice(None)), (stored.candidates, kept))
        ]
    if header.task == "classification":
        return results.scores, stored.scores
    if header.task == "labelling":
        return np.concatenate(results.scores), stored.prediction
    if header.task == "regression":
        return np.concatenate(results.values), stored.prediction
    return results.values.reshape(stored.prediction.shape), stored.prediction


def test_new_recordings_have_the_predictions_of_the_pipeline(smoke, smoke_config, monkeypatch):
    monkeypatch.chdir(smoke)
    plan = Plan(Benchmark.read(smoke_config))
    tasks = set()

    for run in plan.runs:
        stored = read_predictions(smoke / run.fill(layout.PREDICTIONS), "test")
        model = Predictor([smoke / run.fill(layout.MODEL)], "cpu", threads=1)
        source = plan.benchmark.base_dataset(run.dataset)
        ingested = smoke / layout.RECORDINGS.format(dataset=source)
        new = taken(model.header, raw(model.header, stored, ingested))

        at = "all" if model.header.task == "forecasting" else "end"
        given, expected = numbers(model.header, model.results(new, at), stored)

        if model.header.sample == "video":  # is stored normalised, in single precision
            np.testing.assert_allclose(given, expected, rtol=3e-7, atol=1e-7, err_msg=str(run))
        else:
            np.testing.assert_array_equal(given, expected, err_msg=str(run))
        tasks.add(model.header.task)
    assert tasks == {"classification", "detection", "labelling", "regression", "forecasting"}
