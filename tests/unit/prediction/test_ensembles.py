"""Several models as one, and what a folder of models means."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import seqbench
from seqbench.errors import UserError
from seqbench.prediction.event_finder import EventFinder, predict_stream
from seqbench.prediction.predictor import model_files
from seqbench.storage.model_card import CardModel, Ensemble, ModelCard, sha256
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel, write_model

THRESHOLDS = {name: [0.9, 0.9] for name in ("threshold", "greedy", "optimal")}


@pytest.fixture
def signal(knocks):
    return knocks.recording(knocks.drawn(6007), 6007)


@pytest.fixture
def folder(knocks, tmp_path) -> Path:
    """A folder as `results/best/DATASET`: two detectors, one of which is less sure, a baseline."""
    header = knocks.header
    for seed, less in enumerate((0.0, 4.0)):
        arrays = dict(knocks.arrays)
        bias = arrays["head.output.bias"].copy()
        bias[:2] -= less
        arrays["head.output.bias"] = bias
        run = header.run.model_copy(update={"seed": seed})
        path = tmp_path / f"seed{seed}" / "model.safetensors"
        write_model(path, StoredModel(arrays, header.model_copy(update={"run": run})))
    shared = header.model_dump(include=set(BaselineHeader.model_fields) - {"kind"})
    baseline = BaselineHeader.of_json(json.loads(json.dumps(shared)) | {"baseline": "metronome"})
    write_model(tmp_path / "baseline" / "model.safetensors", StoredModel({}, baseline))
    return tmp_path


def write_card(folder: Path, knocks, **tuned) -> None:
    files = [f"seed{seed}/model.safetensors" for seed in (0, 1)]
    models = [
        CardModel(file=file, sha256=sha256(folder / file), run=knocks.header.run) for file in files
    ]
    card = ModelCard(
        dataset="knocks",
        task="detection",
        model="cnn1d · scratch",
        selection="by hand",
        models=tuple(models),
        ensemble=Ensemble(tuned=knocks.header.tuned | tuned, scores={}),
        baseline=None,
        inputs={},
        outputs={},
        headline="f1_at_5ms",
        scores=(),
        data={},
        settings={},
        provenance={},
        command="",
        python="",
        limits=(),
    )
    (folder / "model_card.json").write_text(card.model_dump_json())


def refusal(path) -> str:
    with pytest.raises(UserError) as caught:
        seqbench.load(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_scores_of_detectors_are_averaged_before_events_are_sought(knocks, folder, signal):
    write_card(folder, knocks)
    each = [
        seqbench.predict(folder / f"seed{seed}", signal).sort_values("onset_s") for seed in (0, 1)
    ]

    found = seqbench.predict(folder, signal).sort_values("onset_s")

    assert len(found) == len(each[0]) > len(each[1])  # the second alone is too unsure
    np.testing.assert_allclose(found.onset_s, each[0].onset_s, atol=2e-4)
    assert (found.score.to_numpy() < each[0].score.to_numpy()).all()
    assert (found.score.to_numpy() > each[0].score.to_numpy() / 2).all()


def test_the_thresholds_are_those_of_the_card(knocks, folder, signal):
    write_card(folder, knocks)
    lower = seqbench.predict(folder, signal)
    assert 0.5 <= lower.score.min() < 0.9
    write_card(folder, knocks, thresholds=THRESHOLDS)

    assert len(seqbench.predict(folder, signal)) == (lower.score >= 0.9).sum() < len(lower)


def test_a_stream_gives_the_events_of_the_file(knocks, folder, signal):
    write_card(folder, knocks)
    text = pd.DataFrame(signal, columns=knocks.header.channels).to_csv(index=False)

    streamed = pd.DataFrame(predict_stream(EventFinder(folder), io.BytesIO(text.encode())))

    of_file = seqbench.predict(folder, signal)
    for table in (streamed, of_file):
        table.sort_values(["label", "onset_s"], inplace=True, ignore_index=True)
    np.testing.assert_allclose(streamed.onset_s, of_file.onset_s, atol=1e-6)
    np.testing.assert_allclose(streamed.score, of_file.score, atol=1e-4)


def test_a_folder_of_seeds_leaves_the_baseline_beside_them_out(folder):
    seeds = [folder / f"seed{seed}" / "model.safetensors" for seed in (0, 1)]

    assert model_files(folder) == seeds
    assert model_files(folder / "baseline") == [folder / "baseline" / "model.safetensors"]
    (folder / "empty").mkdir()
    assert "no model.safetensors in it; name a model file" in refusal(folder / "empty")


def test_detectors_without_thresholds_of_their_mean_are_refused(folder):
    assert "its thresholds were chosen for its own scores" in refusal(folder)


def test_a_model_that_is_not_that_of_the_card_is_refused(knocks, folder):
    write_card(folder, knocks)
    knocks_again = (folder / "seed0/model.safetensors").read_bytes()
    (folder / "seed1/model.safetensors").write_bytes(knocks_again)

    assert f"is not the model of {folder / 'model_card.json'}" in refusal(folder)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"models": []}, "not the card of a model"),
        ({"models": [{"file": "../../model.safetensors"}]}, "not the card of a model"),
        ({"ensemble": {"tuned": {"decoder": "optimal"}, "scores": {}}}, "describes no ensemble"),
        ({"ensemble": None}, "its thresholds were chosen for its own scores"),
    ],
)
def test_a_hostile_card_is_refused(knocks, folder, changed, sentence):
    write_card(folder, knocks)
    path = folder / "model_card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    assert sentence in refusal(folder)


def test_a_baseline_is_not_averaged_with_a_network(folder):
    paths = [folder / "seed0", folder / "baseline"]

    assert "baselines and networks are not averaged" in refusal(paths)
