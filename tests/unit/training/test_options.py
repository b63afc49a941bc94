"""What options of a training change of it: changed windows, smoothed labels, averaged weights."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from fixtures.trainings import finetune_settings, network_header
from seqbench.config.stages import FinetuneSettings, OptimizerSettings
from seqbench.models.base import Encoder
from seqbench.storage.models import read_model
from seqbench.storage.records import RunIdentity
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.tasks.labelling.head import LabellingHead
from seqbench.training.batches import Batch
from seqbench.training.finetune import FinetuneJob, finetune
from seqbench.training.model import Model, build_model
from seqbench.training.schedule import Schedule
from seqbench.training.state import Course
from seqbench.training.supervised import Finetuning

CPU = torch.device("cpu")
RUN = RunIdentity(dataset="d", architecture="cnn1d", arm="scratch", labels=1.0, seed=0)


class Seen(Encoder):
    """Frames are samples; keeps the windows that it has seen."""

    n_features = 2

    def __init__(self) -> None:
        super().__init__("mean")
        self.windows: list[Tensor] = []

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        self.windows.append(x)
        return x


def test_windows_are_changed_anew_before_every_step_and_never_on_val():
    encoder = Seen()
    model = Model(encoder, ClassificationHead(encoder, 2, dropout=0.0))
    trained = Finetuning(model, frozen=False, weight=None, augment=("scaling",), seed=3)
    x = torch.ones(8, 5, 2)
    batch = Batch(x, None, torch.zeros(8, dtype=torch.int64))

    trained.loss(batch)
    trained.loss(batch)
    trained.watch(batch)

    first, second, watched = encoder.windows
    assert torch.equal(watched, x)
    assert len(first.unique()) == len(second.unique()) == 16  # a factor for each channel
    assert not torch.equal(first, second)
    assert torch.equal(x, torch.ones(8, 5, 2))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_smoothing_spreads_a_share_of_the_target_over_all_classes_in_training(n_classes):
    encoder = Seen()
    head = ClassificationHead(encoder, n_classes, dropout=0.0)
    logits, target = torch.randn(6, n_classes), torch.tensor([0, 1, 1, 0, 1, 0])
    plain = head.loss(logits, target)

    head.smoothing = 0.3
    smoothed = head.loss(logits, target)

    spread = 0.7 * nn.functional.one_hot(target, n_classes) + 0.3 / n_classes
    expected = -(spread * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(smoothed, expected)
    assert torch.equal(head.eval().loss(logits, target), plain)


def test_smoothing_of_samples_leaves_out_those_without_a_class():
    head = LabellingHead(Seen(), 3, dropout=0.0)
    head.smoothing = 0.3
    logits, target = torch.randn(1, 4, 3), torch.tensor([[2, -1, 0, -1]])
    known = ClassificationHead(Seen(), 3, dropout=0.0)
    known.smoothing = 0.3

    expected = known.loss(logits[0, [0, 2]], target[0, [0, 2]])
    torch.testing.assert_close(head.loss(logits, target), expected)


def test_the_average_follows_the_weights_and_is_there_for_as_long_as_it_is_needed():
    model = build_model(network_header())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trained = Finetuning(model, frozen=False, weight=None)
    schedule = Schedule(optimizer, OptimizerSettings(), 5)
    course = Course(trained, optimizer, schedule, torch.Generator(), None, CPU, 0.5)
    weights = model.head.output.linear.bias
    expected = weights.detach().clone()

    for number, value in enumerate([1.0, 3.0, -2.0, 4.0, 0.0, 7.0, 5.0, 1.0, 2.0], start=1):
        nn.init.constant_(weights, value)
        schedule.step()
        course.end_step(torch.tensor(0.0), torch.tensor(0.0))
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * value

    with course.averaged():
        torch.testing.assert_close(weights.detach(), expected)
        course.end_epoch({}, held_out_loss=1.0)
    assert (weights == 2.0).all()
    torch.testing.assert_close(course.best_weights["head.output.linear.bias"], expected)


@pytest.fixture
def stored(make_windows, tmp_path):
    """Train on windows, and return the weights that are stored."""
    make_windows(tmp_path / "windows", noise=0.5)
    job = FinetuneJob(
        windows=tmp_path / "windows",
        history=tmp_path / "history",
        settings=finetune_settings(FinetuneSettings()),
        device="cpu",
        run=RUN,
        model=tmp_path / "model",
        transfer=tmp_path / "transfer",
    )

    def train(**options):
        settings = FinetuneSettings(epochs=2, min_steps_per_epoch=3, **options)
        finetune(replace(job, settings=finetune_settings(settings)))
        return torch.from_numpy(read_model(job.model).arrays["head.output.linear.weight"])

    return train


def test_every_option_reaches_the_training_and_none_changes_it_by_default(stored):
    default = stored()

    assert torch.equal(stored(augment=[], label_smoothing=0.0, ema=None), default)
    for option in ({"augment": ["jitter"]}, {"label_smoothing": 0.2}, {"ema": 0.9}):
        assert not torch.equal(stored(**option), default), option
