"""The loop: which weights it keeps, when it ends, how fast it learns, and that it repeats."""

import copy
import csv
import logging
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqbench.config.registry import ARCHITECTURES
from seqbench.config.stages import FinetuneSettings, OptimizerSettings
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.training.batches import Batch, WindowTable, label_counts
from seqbench.training.loop import DivergedError, Outcome, Progress, evaluate, fit
from seqbench.training.model import Model
from seqbench.training.reproducibility import seed_everything
from seqbench.training.schedule import Schedule
from seqbench.training.supervised import Finetuning, class_weights
from seqbench.training.trainable import Trainable

CPU = torch.device("cpu")
NAN = math.nan


def fitted(
    trainable: Any,
    table: WindowTable,
    val: WindowTable,
    settings: OptimizerSettings,
    **how: Any,
) -> Outcome:
    """Fit to all windows of a table, or to those of an index."""
    defaults = {"index": torch.arange(len(table)), "generator": torch.Generator().manual_seed(0)}
    return fit(
        trainable,
        table,
        held_out=lambda: val.batches(256),
        settings=settings,
        loss_name="val_loss",
        label="test",
        **defaults | how,
    )


class Scripted(Trainable):
    """A linear model whose held-out losses are written down beforehand."""

    def __init__(self, watched: list[float], train_loss: Callable[[Tensor], Tensor]) -> None:
        self.module = nn.Linear(2, 1)
        self.watched = iter(watched)
        self.train_loss = train_loss
        self.weights_at: list[Tensor] = []

    def loss(self, batch: Batch) -> Tensor:
        return self.train_loss(self.module(batch.x)).mean()

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        self.weights_at.append(self.module.weight.detach().clone())
        return {"val_loss": torch.tensor(next(self.watched))}


@pytest.fixture
def train_scripted(make_windows):
    """Train on twelve windows with the held-out losses given."""
    windows = make_windows()
    table, val = WindowTable(windows["train"], CPU), WindowTable(windows["val"], CPU)

    def train(
        watched: list[float],
        train_loss: Callable[[Tensor], Tensor] = lambda x: x,
        recorded: list[float] | None = None,
        **settings,
    ) -> tuple[Scripted, Outcome]:
        trainable = Scripted(watched, train_loss)
        values = {"epochs": len(watched), "batch_size": 6, "min_steps_per_epoch": 1} | settings
        optimizer = OptimizerSettings(**values)
        return trainable, fitted(trainable, table, val, optimizer, recorded=recorded)

    return train


@pytest.mark.parametrize("watched", [[3.0, 1.0, 2.0, 4.0], [2.0, 1.0, 1.0]])
def test_the_weights_of_the_first_best_epoch_are_kept(train_scripted, watched):
    trainable, outcome = train_scripted(watched)

    assert outcome.best_epoch == 2
    assert torch.equal(trainable.module.weight, trainable.weights_at[1])
    assert not torch.equal(trainable.module.weight, trainable.weights_at[-1])
    assert not trainable.module.training


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_recorded_losses_decide_in_place_of_held_out_windows(train_scripted, schedule):
    watched = [3.0, 4.0, 5.0, 2.0, 6.0, 7.0]
    settings = {"schedule": schedule, "plateau_epochs": 1, "patience_epochs": 3}
    _, first = train_scripted(watched, **settings)
    assert first.best_epoch == 4

    trainable, again = train_scripted([], epochs=6, recorded=watched[:4], **settings)

    assert trainable.weights_at == []  # nothing was watched
    assert len(again.history) == again.best_epoch == 4
    rates = [[row["learning_rate"] for row in one.history[:4]] for one in (first, again)]
    assert rates[0] == rates[1]
    assert len(set(rates[0])) > 1


@pytest.mark.parametrize(("watched", "best"), [([1.0, 2.0, 3.0], 0), ([3.0, 4.0, 2.0], 2)])
def test_a_model_that_is_fitted_before_is_kept_unless_an_epoch_is_better(
    train_scripted, monkeypatch, watched, best
):
    monkeypatch.setattr(Scripted, "starts_fitted", True)

    trainable, outcome = train_scripted(watched, epochs=2)

    assert outcome.best_epoch == best
    assert torch.equal(trainable.module.weight, trainable.weights_at[best])
    assert len(outcome.history) == 2


@pytest.mark.parametrize(
    ("watched", "patience", "n_epochs", "best"),
    [
        ([3.0, 2.0, 5.0, 2.5, 2.0, 1.0, 1.0], 3, 5, 2),
        ([3.0, 4.0, 2.0, 4.0, 1.0, 4.0, 4.0, 0.0], 2, 7, 5),  # a better loss renews it
    ],
)
def test_training_stops_when_patience_is_spent(train_scripted, watched, patience, n_epochs, best):
    _, outcome = train_scripted(watched, patience_epochs=patience)

    assert [row["epoch"] for row in outcome.history] == list(range(1, n_epochs + 1))
    assert outcome.best_epoch == best


@pytest.mark.parametrize(
    ("watched", "train_loss", "message"),
    [
        ([1.0], lambda x: x * NAN, r"train_loss is nan in epoch 1.*learning_rate"),
        ([1.0], lambda x: x * 0 + math.inf, "train_loss is inf in epoch 1"),
        # Else untrained weights could leave as the best of a training that diverged.
        ([NAN], lambda x: x, "val_loss is nan in epoch 1"),
        ([1.0, math.inf], lambda x: x, "val_loss is inf in epoch 2"),
        # The loss of the step is finite, its gradient is not.
        ([1.0], lambda x: (x * 0).abs().sqrt(), "gradient norm nan"),
    ],
)
def test_a_loss_that_is_no_number_ends_with_a_sentence(
    train_scripted, watched, train_loss, message
):
    with pytest.raises(DivergedError, match=message):
        train_scripted(watched, train_loss=train_loss)


def test_the_step_and_the_windows_of_a_bad_loss_are_named(make_windows):
    # The ninth window alone has a loss that is no number, in whatever step it comes.
    windows = make_windows()
    windows["train"].window(8)[:] = NAN
    table = WindowTable(windows["train"], CPU)

    class Noting(Scripted):
        steps: ClassVar[list[Tensor]] = []

        def loss(self, batch: Batch) -> Tensor:
            self.steps.append(batch.x)
            return self.module(batch.x).square().mean()

    trainable = Noting([1.0], lambda x: x)

    with pytest.raises(DivergedError) as caught:
        fitted(
            trainable,
            table,
            table,
            OptimizerSettings(epochs=1, batch_size=3, min_steps_per_epoch=1),
        )

    [first, *_] = [i for i, x in enumerate(trainable.steps, 1) if x.isnan().any()]
    found = re.search(
        r"train_loss is nan in epoch 1, step (\d+), with gradient norm nan, on the windows"
        r" ([\d, ]+) of train",
        str(caught.value),
    )
    assert found is not None, caught.value
    assert int(found[1]) == first
    assert "8" in found[2].split(", ")
    assert len(found[2].split(", ")) == 3


def test_the_history_has_a_row_per_epoch_with_these_columns(train_scripted, tmp_path):
    _, outcome = train_scripted([3.0, 1.0])
    path = tmp_path / "history.csv"

    outcome.write_history(path)

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = "epoch steps learning_rate train_loss val_loss gradient_norm seconds"
    assert list(rows[0]) == names.split()
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["steps"] for row in rows] == ["2", "4"]
    assert [float(row["val_loss"]) for row in rows] == [3.0, 1.0]


def test_the_cost_is_named_after_its_stage(train_scripted):
    _, outcome = train_scripted([3.0, 1.0, 2.0])

    cost = outcome.cost("pretrain")

    assert cost.model_fields_set == {"pretrain_s", "pretrain_cpu_s", "epochs", "best_epoch"}
    assert (cost.epochs, cost.best_epoch) == (3, 2)


# The learning rate.


def rates(settings: OptimizerSettings, steps_per_epoch: int, losses: list[float]) -> list[float]:
    """Return the rate of every step, one held-out loss being watched after each epoch."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=123.0)
    schedule = Schedule(optimizer, settings, steps_per_epoch)
    found = []
    for loss in losses:
        for _ in range(steps_per_epoch):
            schedule.step()
            assert optimizer.param_groups[0]["lr"] == schedule.rate
            found.append(schedule.rate)
        schedule.watch(loss)
    return found


ROOT = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("settings", "steps_per_epoch", "losses", "expected"),
    [
        # Two steps up to 2, then 1 + cos of a quarter, two, three and four quarters of pi.
        (
            {"epochs": 3, "learning_rate": 2.0, "warmup_epochs": 1, "schedule": "cosine"},
            *(2, [1.0] * 3, [1.0, 2.0, 1 + ROOT, 1.0, 1 - ROOT, 0.0]),
        ),
        ({"epochs": 1, "learning_rate": 1.0, "warmup_epochs": 0}, 2, [1.0], [0.5, 0.0]),
        (
            {"epochs": 3, "learning_rate": 1.0, "warmup_epochs": 1, "schedule": "constant"},
            *(4, [1.0] * 3, [0.25, 0.5, 0.75] + [1.0] * 9),
        ),
        # The second and the third 4 are no better than the first: half from the fifth epoch on.
        (
            {"epochs": 9, "learning_rate": 1.0, "warmup_epochs": 0, "schedule": "plateau"}
            | {"plateau_epochs": 2},
            *(1, [5.0, 4.0, 4.0, 4.5, 3.0, 3.0, 3.0, 3.0, 3.0]),
            [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25],
        ),
    ],
    ids=["cosine", "cosine without warm-up", "constant", "plateau"],
)
def test_the_rate_follows_its_schedule(settings, steps_per_epoch, losses, expected):
    found = rates(OptimizerSettings(**settings), steps_per_epoch, losses)

    assert found == pytest.approx(expected)


def test_held_out_means_are_taken_over_windows_not_batches():
    class Means(Scripted):
        def watch(self, batch: Batch) -> dict[str, Tensor]:
            return {"val_loss": batch.x.mean()}

    batches = [
        Batch(torch.full((3, 1, 2), 1.0), None, torch.zeros(3)),
        Batch(torch.full((1, 1, 2), 5.0), None, torch.zeros(1)),
    ]

    watched = evaluate(Means([], lambda x: x), iter(batches), OptimizerSettings())

    assert watched == {"val_loss": 2.0}


# Fine-tuning through the loop.


@pytest.fixture
def finetune(make_windows):
    """Train a small network with batch norm and dropout; return it, its start, and the outcome."""

    def train(
        *,
        frozen: bool = False,
        seed: int = 0,
        index: Tensor | None = None,
        windows=None,
        unfreeze: str = "at_once",
        **settings,
    ) -> tuple[Model, dict[str, Tensor], Outcome]:
        splits = windows or make_windows(lengths=(20, 26), noise=0.5)
        generator = seed_everything(seed)
        encoder = ARCHITECTURES["cnn1d"](
            2, widths=(4,), kernel_sizes=(3,), strides=(2,), dropout=0.2
        )
        model = Model(encoder, ClassificationHead(encoder, 2, dropout=0.2))
        start = copy.deepcopy(model.state_dict())
        table, val = WindowTable(splits["train"], CPU), WindowTable(splits["val"], CPU)

        outcome = fitted(
            Finetuning(model, frozen=frozen, weight=None, unfreeze=unfreeze, unfreeze_epochs=2),
            table,
            val,
            FinetuneSettings(**{"epochs": 3, "batch_size": 5, "min_steps_per_epoch": 1} | settings),
            generator=generator,
            n_full=len(table),
            **{} if index is None else {"index": index},
        )
        return model, start, outcome

    return train


def numbers(outcome: Outcome) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in outcome.history]


@pytest.mark.parametrize("frozen", [True, False])
def test_an_encoder_learns_weights_and_statistics_unless_it_is_frozen(finetune, frozen):
    model, start, _ = finetune(frozen=frozen, learning_rate=0.1)

    for name, tensor in model.state_dict().items():
        is_kept = frozen and name.startswith("encoder.")
        assert torch.equal(tensor, start[name]) == is_kept, name


@pytest.mark.parametrize("unfreeze", ["warm_up", "layer_wise"])
def test_an_encoder_that_is_woken_later_learns_when_its_time_has_come(finetune, unfreeze):
    asleep, start, _ = finetune(unfreeze=unfreeze, epochs=1, learning_rate=0.1)
    awake, _, _ = finetune(unfreeze=unfreeze, epochs=3, learning_rate=0.1, patience_epochs=9)

    for name, tensor in asleep.state_dict().items():
        assert torch.equal(tensor, start[name]) == name.startswith("encoder."), name
    assert all(parameter.requires_grad for parameter in awake.encoder.parameters())


def test_the_parts_of_an_encoder_wake_from_the_last_to_the_first():
    encoder = ARCHITECTURES["event_rnn"](2, widths=(4, 4), hidden_size=4)
    model = Model(encoder, ClassificationHead(encoder, 2, dropout=0.0))
    tuned = Finetuning(model, frozen=False, weight=None, unfreeze="layer_wise", unfreeze_epochs=4)
    parts = [p for p in encoder.children() if any(True for _ in p.parameters())]
    assert len(parts) == 2

    awake = []
    for epoch in range(1, 7):
        tuned.begin_epoch(epoch)
        tuned.set_training(True)
        awake.append([p.training and next(p.parameters()).requires_grad for p in parts])

    assert awake == 2 * [[False, False]] + 2 * [[False, True]] + 2 * [[True, True]]


def test_a_frozen_encoder_has_no_dropout_either(finetune):
    model, _, _ = finetune(frozen=True)

    Finetuning(model, frozen=True, weight=None).set_training(True)

    assert model.head.training
    assert not any(module.training for module in model.encoder.modules())


def test_the_same_seed_gives_the_same_history_and_weights_bit_for_bit(finetune):
    first, second, other = (finetune(seed=seed) for seed in (3, 3, 4))

    assert numbers(first[2]) == numbers(second[2]) != numbers(other[2])
    for name, tensor in first[0].state_dict().items():
        assert torch.equal(tensor, second[0].state_dict()[name]), name


def test_windows_that_are_not_chosen_leave_no_trace(finetune, make_windows):
    splits = make_windows(noise=0.5)
    chosen = torch.tensor([0, 1, 2, 3, 8, 9])
    clean = finetune(index=chosen, windows=splits)
    spoilt = make_windows(noise=0.5)
    for i in (4, 5, 6, 7, 10, 11):
        spoilt["train"].window(i)[:] = 1e6

    trained = finetune(index=chosen, windows=spoilt)

    assert numbers(trained[2]) == numbers(clean[2])


def test_few_labels_take_as_many_steps_as_all(finetune):
    _, _, few = finetune(index=torch.tensor([0, 1]))
    _, _, every = finetune()

    assert [row["steps"] for row in few.history] == [row["steps"] for row in every.history]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([6, 2], [2 / 3, 2.0]),  # 8 windows, 2 classes: 8 / (2 * 6) and 8 / (2 * 2)
        ([6, 2, 0], [2 / 3, 2.0, 2.0]),  # what train does not have weighs as the rarest
        ([0, 0], [1.0, 1.0]),
    ],
)
def test_balanced_weights_are_inverse_to_frequency(counts, expected):
    weights = class_weights(np.array(counts), 1.0)

    assert weights.tolist() == pytest.approx(expected)
    assert weights.dtype == torch.float32


def test_the_root_of_the_frequency_tempers_the_weights():
    counts = np.array([10_000, 100, 1])

    weights = class_weights(counts, 0.5).numpy()

    np.testing.assert_allclose(weights / weights[0], [1, 10, 100], rtol=1e-6)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1)


def test_the_labels_of_the_windows_drawn_are_counted(make_windows):
    windows = make_windows(n_classes=3)["train"]

    assert label_counts(windows, np.array([0, 1, 3, 6])).tolist() == [3, 1, 0]


def test_the_events_in_the_windows_drawn_are_counted(make_event_windows):
    windows = make_event_windows()["train"]
    first, last = int(windows.timeline.onset[0]), int(windows.timeline.onset[3])
    by_hand = replace(
        windows,
        start=np.array([first, first + 1, last - 9, 0]),
        length=np.array([1, 60, 10, len(windows.signal)]),
        label=np.array([0, 2, 1, 0]),
        recording=np.zeros(4, dtype=np.int64),
    )

    # Types take turns: 0 1 0 1 in the first recording, 0 1 0 in the second.
    for drawn, counts in (
        ([0], [1, 0]),  # begins with its onset
        ([1], [0, 0]),  # begins behind it
        ([2], [0, 1]),  # ends with its onset
        ([3], [4, 3]),
        ([0, 2, 3], [5, 4]),
    ):
        assert label_counts(by_hand, np.array(drawn)).tolist() == counts


@pytest.mark.parametrize(("level", "is_shown"), [(logging.NOTSET, True), (logging.ERROR, False)])
def test_a_terminal_shows_a_bar_unless_another_process_does(monkeypatch, capsys, level, is_shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(logging.getLogger("seqbench"), "level", level)
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)

    Progress("a model", 2).epoch({"epoch": 1, "val_loss": 0.5})

    assert ("a model" in capsys.readouterr().err) == is_shown
