"""What is kept of a training under way, how it is restored, and what is left unused."""

import logging
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fixtures.trainings import network_header
from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.config.stages import FinetuneSettings, OptimizerSettings
from seqbench.storage.model_header import EncoderHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import PretrainingOutcome
from seqbench.storage.windows import WindowSet
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.training.batches import WindowTable
from seqbench.training.curves import Curves
from seqbench.training.job import keeping_state
from seqbench.training.loop import DivergedError, fit
from seqbench.training.model import Model, predict
from seqbench.training.schedule import Schedule
from seqbench.training.state import INTERRUPTED, Course, StateKeeper
from seqbench.training.supervised import Finetuning

ENCODER = EncoderHeader(architecture="cnn1d", pretraining=PretrainingOutcome(objective="masked"))


def finetuning(**options):
    encoder = ARCHITECTURES["cnn1d"](2, widths=(4, 4), kernel_sizes=(3, 3), strides=(2, 1))
    return Finetuning(
        Model(encoder, ClassificationHead(encoder, 2, dropout=0.2)),
        frozen=options.pop("frozen", False),
        weight=None,
        **options,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "plateau", "plateau_epochs": 1, "learning_rate": 0.5, "epochs": 6},
        {"schedule": "constant", "patience_epochs": 1, "learning_rate": 0.5, "epochs": 6},
        {"warmup_epochs": 2, "gradient_clip": None, "weight_decay": 0.1},
        {"precision": "bfloat16"},
        {"ema": 0.9},
    ],
    ids=["plateau", "early_stopping", "warm_up", "bfloat16", "average"],
)
def test_a_training_goes_on_under_every_schedule(settings, assert_an_interruption_leaves_no_trace):
    assert_an_interruption_leaves_no_trace(
        finetuning, loss_name="val_loss", stops=(1, 4, 5, 11), **settings
    )


@pytest.mark.parametrize(
    "options",
    [
        {"frozen": True},
        {"unfreeze": "warm_up", "unfreeze_epochs": 2},
        {"unfreeze": "layer_wise", "unfreeze_epochs": 3},
        {"augment": ("jitter", "shift"), "seed": 5},
    ],
    ids=["frozen", "warm_up", "layer_wise", "augmented"],
)
def test_a_training_goes_on_while_layers_are_frozen_or_windows_changed(
    options, assert_an_interruption_leaves_no_trace
):
    assert_an_interruption_leaves_no_trace(
        lambda: finetuning(**options), loss_name="val_loss", stops=(3, 4, 5, 9), epochs=4
    )


@pytest.mark.parametrize("durations", [False, True])
def test_a_training_goes_on_where_windows_move(
    make_event_windows, assert_an_interruption_leaves_no_trace, durations
):
    windows = {split: with_ends(one) for split, one in make_event_windows().items()}
    header = network_header(
        task="detection", head_dropout=0.1, refractory_s=0.25, duration_samples=(10.0, None)
    )

    def detecting():
        encoder = ARCHITECTURES["cnn1d"](2, widths=(4,), kernel_sizes=(3,), strides=(2,))
        task = TASKS["detection"](durations=durations)
        model = Model(encoder, task.head(encoder, header))
        return Finetuning(model, frozen=False, weight=None)

    assert_an_interruption_leaves_no_trace(
        detecting, loss_name="val_loss", windows=windows, stops=(3, 7)
    )


def with_ends(windows: WindowSet) -> WindowSet:
    """Return windows whose events of the first type last 20 samples, and others have no end."""
    timeline = windows.events
    offset = timeline.onset + np.where(timeline.type == 0, 20, 1)
    return replace(windows, timeline=replace(timeline, offset=offset))


def test_ends_are_learned_from_windows(make_event_windows):
    drawn = make_event_windows(n_samples=(3000, 2500))
    windows = {split: with_ends(one) for split, one in drawn.items()}
    header = network_header(task="detection", duration_samples=(10.0, None))
    torch.manual_seed(0)
    encoder = ARCHITECTURES["cnn1d"](2, widths=(8,), kernel_sizes=(5,), strides=(2,))
    head = TASKS["detection"](durations=True).head(encoder, header)
    network = Model(encoder, head)
    table = WindowTable(windows["train"], torch.device("cpu"))
    settings = FinetuneSettings(epochs=8, batch_size=16, min_steps_per_epoch=20, learning_rate=0.01)

    fit(
        Finetuning(network, frozen=False, weight=None),
        table,
        torch.arange(len(table)),
        lambda: table.batches(64),
        settings,
        loss_name="val_loss",
        generator=torch.Generator().manual_seed(0),
        label="",
        n_full=len(table),
    )

    found = predict(network, windows["test"], torch.device("cpu"), 60)
    sure = found.score > 0.3
    lasting = found.duration[sure & (found.type == 0)]
    assert len(lasting) > 20
    assert np.median(lasting) == pytest.approx(20, rel=0.05)  # that of the header was 10
    np.testing.assert_allclose(lasting, 20, rtol=0.4)
    assert np.isnan(found.duration[found.type == 1]).all()


def test_curves_have_every_epoch_once(assert_an_interruption_leaves_no_trace, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = Curves(tmp_path / "curves", {})
    assert_an_interruption_leaves_no_trace(
        finetuning, loss_name="val_loss", stops=(7,), curves=curves
    )

    events = EventAccumulator(str(curves.folder)).Reload()
    assert [event.step for event in events.Scalars("val_loss")] == [1, 2, 3]


def course(seed: int = 0) -> Course:
    """Return a training that has taken one step."""
    torch.manual_seed(seed)
    trainable = finetuning()
    optimizer = torch.optim.AdamW(trainable.module.parameters(), fused=True)
    schedule = Schedule(optimizer, OptimizerSettings(schedule="plateau"), 2)
    made = Course(
        trainable, optimizer, schedule, torch.Generator().manual_seed(seed), None,
        torch.device("cpu"),
    )  # fmt: skip
    trainable.module(torch.randn(4, 20, 2)).square().mean().backward()
    schedule.step()
    optimizer.step()
    made.end_step(torch.tensor(0.5), torch.tensor(1.5))
    return made


def keeper(folder, identity="this", every_s=0.0) -> StateKeeper:
    return StateKeeper(folder, lambda: {"settings": identity}, every_s)


def is_the_same(first: Course, second: Course) -> bool:
    return all(
        torch.equal(tensor, second.trainable.module.state_dict()[name])
        for name, tensor in first.trainable.module.state_dict().items()
    )


@pytest.fixture
def kept(tmp_path):
    """A training whose state was written, and the file of it."""
    made = course()
    writer = keeper(tmp_path)
    writer.keep(made)
    return made, writer.path


def test_a_state_is_taken_over_whole(kept, tmp_path, caplog):
    other = course(seed=1)
    caplog.set_level(logging.INFO)

    keeper(tmp_path).restore(other)

    assert is_the_same(kept[0], other)
    first, second = kept[0].to_stored({}), other.to_stored({})
    assert first.arrays.keys() == second.arrays.keys()
    for name in first.arrays.keys() - {"chance/cpu"}:
        assert (first.arrays[name] == second.arrays[name]).all(), name
    assert "goes on after step 1 of epoch 1" in caplog.text


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def damage_other_model(path):
    write_model(path, StoredModel({}, ENCODER))


@pytest.mark.parametrize("damage", [damage_cut, damage_other_model])
def test_a_damaged_or_foreign_state_is_logged_and_left_unused(kept, tmp_path, caplog, damage):
    damage(kept[1])
    other, untouched = course(seed=1), course(seed=1)

    keeper(tmp_path).restore(other)

    assert is_the_same(other, untouched)
    assert other.epoch == 1
    assert str(kept[1]) in caplog.text
    assert "training starts anew" in caplog.text


def test_a_state_of_another_training_is_logged_and_left_unused(kept, tmp_path, caplog):
    other, untouched = course(seed=1), course(seed=1)

    keeper(tmp_path, identity="that").restore(other)

    assert is_the_same(other, untouched)
    assert "of a training with other settings; training starts anew" in caplog.text


def test_a_state_is_due_after_its_time(tmp_path):
    assert keeper(tmp_path, every_s=0).is_due()
    assert not keeper(tmp_path, every_s=1000).is_due()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_writes_a_state_and_leaves_with_the_code_to_try_again(tmp_path, caplog, number):
    listener = keeper(tmp_path, every_s=1000)
    before = signal.getsignal(number)

    with listener.listening():
        os.kill(os.getpid(), number)
        assert listener.is_due()
        with pytest.raises(SystemExit) as left:
            listener.keep(course())

    assert left.value.code == INTERRUPTED
    assert listener.path.exists()
    assert signal.Signals(number).name in caplog.text
    assert signal.getsignal(number) == before


def test_a_signal_in_the_last_epoch_is_not_forgotten(tmp_path, make_windows):
    splits = make_windows()
    table, val = (WindowTable(splits[name], torch.device("cpu")) for name in ("train", "val"))

    def held_out():
        os.kill(os.getpid(), signal.SIGTERM)
        return val.batches(256)

    listener = keeper(tmp_path, every_s=1000)
    with pytest.raises(SystemExit) as left:
        fit(
            finetuning(),
            table,
            torch.arange(len(table)),
            held_out,
            FinetuneSettings(epochs=1),
            loss_name="val_loss",
            generator=torch.Generator(),
            label="test",
            keeper=listener,
        )

    assert left.value.code == INTERRUPTED
    assert listener.path.exists()


def test_a_state_that_cannot_be_written_does_not_end_a_training(tmp_path, caplog):
    (tmp_path / "file").write_text("")

    keeper(tmp_path / "file").keep(course())

    assert "the state before stays" in caplog.text


def keeping(folder, *outputs):
    return keeping_state(
        SimpleNamespace(
            state=folder,
            code="c",
            identity=dict,
            state_every_s=0,
            outputs=list(outputs),
            ranks=None,
            writes=True,
        )
    )


def test_a_finished_training_leaves_nothing(tmp_path):
    folder = tmp_path / "results" / ".state" / "finetune" / "a" / "seed0"
    output = tmp_path / "results" / "model.safetensors"
    output.parent.mkdir()
    leftover = output.with_name(".model.safetensors.0123.tmp")
    leftover.write_text("half")

    with keeping(folder, output) as kept_by:
        kept_by.keep(course())
        (folder / ".state.safetensors.4567.tmp").write_text("half")
        assert not leftover.exists()
    with keeping(folder, output):
        pass

    assert list((tmp_path / "results").iterdir()) == []


def keep_and_fail(folder, error):
    with keeping(folder) as kept_by:
        kept_by.keep(course())
        raise error


def test_a_training_that_fails_keeps_its_state_and_frees_its_lock(tmp_path):
    folder = tmp_path / ".state" / "a"

    with pytest.raises(RuntimeError):
        keep_and_fail(folder, RuntimeError)

    assert [path.name for path in folder.iterdir()] == ["state.safetensors"]


def test_a_training_that_diverged_leaves_no_state(tmp_path):
    folder = tmp_path / ".state" / "a"

    with pytest.raises(DivergedError):
        keep_and_fail(folder, DivergedError)

    assert not folder.exists()
