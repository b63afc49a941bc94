"""Trainers: learning, checkpoints, logs and errors."""

import os

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from seqbench.errors import UserError
from seqbench.library.data import EventDataset, collate_fn_supervised
from seqbench.library.models import EventSpecificClassifier, LSTMEventClassifier
from seqbench.library.training import EventSpecificLoss, EventTimingLoss, SupervisedTrainer
from seqbench.training.loop import DivergedError

T, C, K = 60, 2, 2


@pytest.fixture
def loader():
    """Windows of noise in which a type is a jump of its own channel, at one of a few times."""

    def make(n_windows: int = 12, *, lengths: tuple[int, ...] = (T,), seed: int = 0) -> DataLoader:
        generator = np.random.default_rng(seed)
        windows = []
        labels = generator.integers(0, 2, (n_windows, K))
        times = generator.integers(5, 40, (n_windows, K))
        for row in range(n_windows):
            window = generator.normal(scale=0.1, size=(lengths[row % len(lengths)], C))
            for kind in np.flatnonzero(labels[row]):
                window[times[row, kind] : times[row, kind] + 8, kind] += 2
            windows.append(window)
        data = EventDataset(windows, labels, times)
        return DataLoader(data, batch_size=4, shuffle=True, collate_fn=collate_fn_supervised)

    return make


def trainer(
    seed: int = 0, *, dropout: float = 0.2, rate: float = 0.01, **options: object
) -> SupervisedTrainer:
    torch.manual_seed(seed)
    model = LSTMEventClassifier(C, 6, 1, K, dropout, stride=5)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return SupervisedTrainer(model, EventTimingLoss(stride=5), optimizer, **options)


def test_training_finds_the_events_and_their_times(loader):
    held_out = loader(40, seed=1)
    learner = trainer(dropout=0.0, rate=0.03)

    history = learner.fit(loader(80), num_epochs=10, val_loader=held_out)

    assert [row["epoch"] for row in history] == list(range(1, 11))
    assert set(history[0]) == {"epoch"} | {
        f"{split}_{part}"
        for split in ("train", "val")
        for part in ("total", "event", "timing", "refractory")
    }
    assert history[-1]["val_total"] < history[0]["val_total"] / 3
    batch = collate_fn_supervised([held_out.dataset[i] for i in range(40)])
    found = learner.model.predict_events(batch["input"])
    present = batch["event_labels"] == 1
    assert (found["detected_events"] == batch["event_labels"]).float().mean() > 0.9
    error = (found["event_timings"] - batch["event_timings"])[present].abs()
    assert error.median() < 2.5, "samples, half a step of the timing logits"


def test_windows_of_unequal_lengths_and_templates_are_trained_on(loader):
    torch.manual_seed(0)
    model = EventSpecificClassifier(C, 4, 1, K, 0.0, template_length=8, stride=5)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    history = SupervisedTrainer(model, EventSpecificLoss(stride=5), optimizer).fit(
        loader(8, lengths=(T, 50)), num_epochs=2
    )

    assert np.isfinite(history[-1]["train_template"])


def test_the_mean_of_an_epoch_is_one_over_windows(loader):
    class Constant(nn.Module):
        """Loss of the number of windows of a batch."""

        def forward(self, event_logits, timing_logits, labels, times):
            return {"total": 0 * event_logits.sum() + len(labels)}

    torch.manual_seed(0)
    model = LSTMEventClassifier(C, 4, 1, K, stride=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    (row,) = SupervisedTrainer(model, Constant(), optimizer).fit(loader(6), num_epochs=1)

    assert row["train_total"] == pytest.approx((4 * 4 + 2 * 2) / 6)


def test_a_resumed_training_equals_one_that_was_never_interrupted(loader, tmp_path):
    straight = trainer()
    expected = straight.fit(loader(), num_epochs=5)

    stopped = trainer()
    stopped.fit(loader(), num_epochs=2, save_dir=tmp_path)
    resumed = trainer(seed=99)
    resumed.load_checkpoint(tmp_path / "checkpoint_epoch_2.pth")
    history = resumed.fit(loader(), num_epochs=5)

    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]
    assert history == expected
    for name, tensor in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], tensor), name


def test_checkpoints_are_as_frequent_as_requested_and_hold_the_best_weights(loader, tmp_path):
    learner = trainer()

    history = learner.fit(
        loader(), num_epochs=5, val_loader=loader(4, seed=1), save_dir=tmp_path, save_freq=2
    )

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"best_model.pth"} | {f"checkpoint_epoch_{n}.pth" for n in (2, 4, 5)}
    best = torch.load(tmp_path / "best_model.pth", weights_only=True)
    totals = [row["val_total"] for row in history]
    assert best["epoch"] == 1 + totals.index(min(totals))
    learner.model.load_state_dict(best["model_state_dict"])


def test_a_best_model_is_not_replaced_by_a_worse_one_after_a_pause(loader, tmp_path):
    first = trainer()
    first.fit(loader(), num_epochs=3, save_dir=tmp_path)
    second = trainer()
    second.load_checkpoint(tmp_path / "checkpoint_epoch_3.pth")
    for group in second.optimizer.param_groups:
        group["lr"] = 3.0  # ruins the weights

    second.fit(loader(), num_epochs=4, save_dir=tmp_path)

    assert torch.load(tmp_path / "best_model.pth", weights_only=True)["epoch"] <= 3


def test_curves_are_logged_in_the_given_folder(loader, tmp_path):
    trainer(log_dir=tmp_path / "logs").fit(loader(), num_epochs=1)

    assert len(list((tmp_path / "logs").glob("events.out.tfevents.*"))) == 1


def test_finished_epochs_are_not_repeated(loader):
    learner = trainer()
    learner.fit(loader(), num_epochs=1)

    with pytest.raises(UserError, match="1 epochs are finished already; set num_epochs"):
        learner.fit(loader(), num_epochs=1)


def test_a_loss_that_is_not_finite_ends_training(loader):
    learner = trainer()
    with torch.no_grad():
        next(learner.model.parameters()).fill_(torch.nan)

    with pytest.raises(DivergedError, match="train_loss is nan in epoch 1, step 1"):
        learner.fit(loader(), num_epochs=1)


def test_a_loader_without_batches_is_refused(loader):
    with pytest.raises(UserError, match="a loader gives no batch"):
        trainer().fit([], num_epochs=1)
    with pytest.raises(UserError, match="a loader gives no batch"):
        trainer().fit(loader(), num_epochs=1, val_loader=[])


def test_files_that_are_no_checkpoint_of_the_model_are_refused(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pth")
    trainer().save_checkpoint(tmp_path / "half.pth")
    content = (tmp_path / "half.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    larger = LSTMEventClassifier(C, 8, 1, K, stride=5)
    another = SupervisedTrainer(larger, EventTimingLoss(), torch.optim.Adam(larger.parameters()))
    another.save_checkpoint(tmp_path / "larger.pth")

    for name, message in {
        "other": "is no checkpoint of this trainer",
        "half": "is no checkpoint of this trainer, is damaged",
        "larger": "holds the weights of another model",
    }.items():
        with pytest.raises(UserError, match=rf"{name}\.pth {message}"):
            trainer().load_checkpoint(tmp_path / f"{name}.pth")


class Harm:
    """What unpickling would run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(tmp_path):
    torch.save({"epoch": Harm(tmp_path / "harm")}, tmp_path / "hostile.pth")

    with pytest.raises(UserError, match=r"hostile\.pth is no checkpoint .* more than tensors"):
        trainer().load_checkpoint(tmp_path / "hostile.pth")

    assert not (tmp_path / "harm").exists()
