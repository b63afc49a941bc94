"""Encoders from pretraining, from other datasets and from files, and what is refused of them."""

import numpy as np
import pytest

from fixtures.trainings import finetune_settings
from seqbench.config.stages import FinetuneSettings, PretrainSettings
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_settings import PretrainJobSettings
from seqbench.storage.model_header import BaselineHeader, EncoderHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.records import RunIdentity
from seqbench.training.finetune import FinetuneJob, finetune
from seqbench.training.initial_encoder import read_encoder
from seqbench.training.pretrain import PretrainJob, pretrain

OPTIONS = {"widths": [4, 4], "kernel_sizes": [5, 3], "strides": [2, 1]}
SHORT = {"epochs": 1, "min_steps_per_epoch": 1}


@pytest.fixture
def settings():
    return finetune_settings(FinetuneSettings(**SHORT), architecture_options=OPTIONS)


@pytest.fixture
def trained(tmp_path, make_windows, settings):
    """Return a function that trains on windows of two channels, from the file that it is given."""
    make_windows(tmp_path / "windows.h5")

    def train(name, encoder=None, arm="scratch", dataset="mine", settings=settings):
        run = RunIdentity(dataset=dataset, architecture="cnn1d", arm=arm, labels=1.0, seed=0)
        finetune(
            FinetuneJob(
                windows=tmp_path / "windows.h5",
                settings=settings,
                run=run,
                encoder=encoder,
                device="cpu",
                model=tmp_path / name,
                history=tmp_path / "history.csv",
                transfer=tmp_path / "transfer.json",
            )
        )
        return tmp_path / name

    return train


@pytest.fixture
def pretrained(tmp_path, make_windows):
    """Return the file of an encoder that was pretrained on another dataset."""
    make_windows(tmp_path / "other.h5", n_classes=3)
    job = PretrainJobSettings(
        architecture="cnn1d",
        architecture_options=OPTIONS,
        objective="masked",
        objective_options={},
        optimizer=PretrainSettings(**SHORT),
    )
    path = tmp_path / "encoder"
    pretrain(
        PretrainJob(
            windows=tmp_path / "other.h5",
            settings=job,
            dataset="theirs",
            seed=0,
            device="cpu",
            encoder=path,
            history=tmp_path / "pretraining.csv",
        )
    )
    return path


def test_an_encoder_of_another_dataset_is_taken_whole(pretrained, trained, settings, make_windows):
    train = make_windows()["train"]
    frozen = settings.model_copy(update={"frozen": True})

    initial = read_encoder(pretrained, settings, train, "mine")
    model = read_model(trained("model", pretrained, "masked_from_theirs_probe", settings=frozen))

    assert initial.source == "masked"
    assert initial.pretraining.dataset == model.header.pretraining.dataset == "theirs"
    assert model.header.cost.pretrain_s == initial.cost.pretrain_s > 0
    for name, array in initial.arrays.items():
        np.testing.assert_array_equal(model.arrays[f"encoder.{name}"], array)


def test_of_a_model_the_encoder_is_taken_and_no_head(trained, settings, make_windows):
    file = trained("file", dataset="theirs")
    stored = read_model(file)

    initial = read_encoder(file, settings, make_windows()["train"], "mine")
    frozen = settings.model_copy(update={"frozen": True})
    model = read_model(trained("model", file, "from_file_probe", settings=frozen))

    assert initial.source == "model of theirs"
    assert initial.cost.pretrain_s is None
    assert model.header.pretraining is None
    assert not any(name.startswith("head") for name in initial.arrays)
    taken = {name for name in stored.arrays if name.startswith("encoder.")}
    assert {f"encoder.{name}" for name in initial.arrays} == taken
    for name in taken:
        np.testing.assert_array_equal(model.arrays[name], stored.arrays[name])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"architecture": "lstm"}, "is of the architecture cnn1d, not lstm"),
        (
            {"architecture_options": OPTIONS | {"dropout": 0.3}},
            "was trained with `dropout: 0.0`, but the model has `dropout: 0.3`",
        ),
    ],
)
def test_another_architecture_is_refused(pretrained, settings, make_windows, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        read_encoder(
            pretrained, settings.model_copy(update=changes), make_windows()["train"], "mine"
        )


def test_vectors_of_tokens_of_another_size_are_refused(trained, settings, make_windows):
    file = trained("file", dataset="theirs")
    wide = settings.model_copy(update={"embedding_size": 8})
    train = make_windows()["train"]

    with pytest.raises(UserError, match=r"`embedding_size: None`, but the model has .*: 8`"):
        read_encoder(file, wide, train, "mine")


@pytest.mark.parametrize("kind", ["encoder", "model"])
def test_other_channels_are_refused_before_training(
    kind, pretrained, trained, settings, make_windows
):
    file = {"encoder": pretrained, "model": trained("file", dataset="theirs")}[kind]
    wide = make_windows(n_channels=3)["train"]

    with pytest.raises(UserError, match=r"'mine' has 3 channels .*, but 'theirs', .* 2 channels"):
        read_encoder(file, settings, wide, "mine")


def test_files_of_something_else_are_refused(tmp_path, pretrained, settings, make_windows):
    train, path = make_windows()["train"], tmp_path / "baseline"
    header = BaselineHeader(
        channels=("x",),
        classes=("a", "b"),
        window_samples=3,
        normalization=train.normalization.record().model_copy(
            update={"centre": (0.0,), "scale": (1.0,)}
        ),
        run=RunIdentity(dataset="d", architecture="m", arm="baseline", labels=1.0, seed=0),
        task="classification",
        baseline="majority",
    )
    write_model(path, StoredModel({}, header))

    with pytest.raises(FormatError, match="holds a baseline, not an encoder or a model with one"):
        read_encoder(path, settings, train, "mine")
    with pytest.raises(FormatError, match="nothing"):
        read_encoder(tmp_path / "nothing", settings, train, "mine")
    path.write_bytes(pretrained.read_bytes()[:-8])
    with pytest.raises(FormatError, match="damaged"):
        read_encoder(path, settings, train, "mine")


def test_an_encoder_that_states_no_channels_is_taken(tmp_path, pretrained, settings, make_windows):
    stored = read_model(pretrained)
    older = EncoderHeader(**dict(stored.header) | {"channels": ()})
    write_model(tmp_path / "older", StoredModel(stored.arrays, older))

    assert read_encoder(tmp_path / "older", settings, make_windows()["train"], "mine").arrays
