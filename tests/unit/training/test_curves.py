"""What TensorBoard shows of a training beside its curves."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from fixtures.trainings import finetune_settings
from seqbench.config.stages import FinetuneSettings
from seqbench.storage.records import RunIdentity
from seqbench.training.curves import Curves, drawing, flat
from seqbench.training.finetune import FinetuneJob, finetune

HISTORY = [
    {"epoch": epoch, "steps": 4 * epoch, "seconds": 1.0, "train_loss": 1.0 / epoch} | on_val
    for epoch, on_val in enumerate(
        (
            {"val_loss": 0.8, "val_accuracy": 0.5},
            {"val_loss": 0.6, "val_accuracy": 0.75},
            {"val_loss": 0.9, "val_accuracy": 0.7},
        ),
        start=1,
    )
]
RUN = RunIdentity(dataset="waves", architecture="cnn1d", arm="scratch", labels=1.0, seed=3)


def hyperparameters(events):
    """Return those of a log by name, as their protocol has them."""
    [data] = [
        content
        for name, content in events.PluginTagToContent(metadata.PLUGIN_NAME).items()
        if name == metadata.SESSION_START_INFO_TAG
    ]
    found = metadata.parse_session_start_info_plugin_data(data).hparams
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in found.items()}


def metrics(events):
    """Return the names of the values that stand beside hyper-parameters."""
    data = events.PluginTagToContent(metadata.PLUGIN_NAME)[metadata.EXPERIMENT_TAG]
    return {one.name.tag for one in metadata.parse_experiment_plugin_data(data).metric_infos}


def test_settings_stand_beside_the_values_of_the_epoch_that_was_kept(tmp_path):
    settings = {"architecture": "lstm", "optimizer": {"learning_rate": 0.01, "ema": None}}
    with drawing(Curves(tmp_path, settings), HISTORY[:2]) as draw:
        draw.epoch(HISTORY[2])
        draw.end(HISTORY, best_epoch=2)

    events = EventAccumulator(str(tmp_path)).Reload()
    assert hyperparameters(events) == {"architecture": "lstm", "optimizer.learning_rate": 0.01}
    assert metrics(events) == {"kept/train_loss", "kept/val_loss", "kept/val_accuracy"}
    [kept] = events.Scalars("kept/val_accuracy")
    assert (kept.step, kept.value) == (2, 0.75)
    assert [one.step for one in events.Scalars("val_accuracy")] == [1, 2, 3]


def test_first_weights_that_were_kept_have_settings_alone(tmp_path):
    with drawing(Curves(tmp_path, {"seed": 1}), HISTORY) as draw:
        draw.end(HISTORY, best_epoch=0)

    events = EventAccumulator(str(tmp_path)).Reload()
    assert hyperparameters(events) == {"seed": 1}
    assert metrics(events) == set()


def test_nested_settings_become_names_and_values_that_tensorboard_takes():
    settings = {"widths": [64, 128], "of": {"a": {"b": True}, "none": None, "no": {}}, "name": "x"}

    assert dict(flat(settings)) == {"widths": "64, 128", "of.a.b": True, "name": "x"}


@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_run_shows_its_identity_and_its_options(is_drawn, make_windows, tmp_path):
    make_windows(tmp_path / "windows")
    folder = tmp_path / "curves"
    finetune(
        FinetuneJob(
            windows=tmp_path / "windows",
            settings=finetune_settings(FinetuneSettings(epochs=1, min_steps_per_epoch=1)),
            device="cpu",
            run=RUN,
            tensorboard=folder if is_drawn else None,
            **{name: tmp_path / name for name in ("model", "history", "transfer")},
        )
    )

    assert folder.exists() == is_drawn
    if is_drawn:
        shown = hyperparameters(EventAccumulator(str(folder)).Reload())
        assert (shown["dataset"], shown["seed"], shown["optimizer.epochs"]) == ("waves", 3, 1)
        assert shown["task"] == "classification"
