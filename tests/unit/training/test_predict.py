"""What a model predicts of a split: of windows in their order, or of whole recordings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from fixtures.trainings import network_header
from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.models.base import Encoder
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.tasks.detection.head import HALF
from seqbench.training.model import Model, predict

CPU = torch.device("cpu")
COLUMNS = ("place", "time", "type", "score")


class Loudness(Encoder):
    """Frames of 10 samples that hold the mean of each channel."""

    n_features = 2
    stride = 10

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        del lengths
        missing = -x.shape[1] % self.stride
        padded = torch.nn.functional.pad(x, (0, 0, 0, missing))
        return padded.unflatten(1, (-1, self.stride)).mean(dim=2)


def detector() -> Model:
    """Return a detector that finds type k where channel k is loud."""
    encoder = Loudness()
    head = TASKS["detection"]().head(encoder, network_header(task="detection", head_dropout=0.5))
    with torch.no_grad():
        head.output.weight.zero_()
        head.output.bias.zero_()
        head.output.bias[:2] = -5
        head.output.weight[:2, :, 0] = 20 * torch.eye(2)
        head.output.bias.view(-1, 2)[1 + HALF] = 5  # an event is in the middle of its frame
    return Model(encoder, head)


@pytest.fixture
def loud(make_event_windows):
    """Windows of two recordings with one loud stretch of each channel."""
    test = make_event_windows(n_samples=(300, 250))["test"]
    signal = np.zeros_like(test.signal)
    signal[130:140, 0] = 1  # of the first recording
    signal[300 + 60 : 300 + 70, 1] = 1  # of the second
    return replace(test, signal=signal)


@pytest.mark.parametrize("lengths", [(4,), (4, 6, 3)])
def test_every_window_gets_its_scores_in_order_whatever_the_batches(make_windows, lengths):
    torch.manual_seed(0)
    windows = make_windows(n_windows=300, lengths=lengths, n_classes=3)["test"]
    encoder = ARCHITECTURES["cnn1d"](2, widths=(3,), kernel_sizes=(3,), strides=(1,), dropout=0.5)
    model = Model(encoder, ClassificationHead(encoder, 3, dropout=0.5)).train()

    scores = predict(model, windows, CPU, 6)

    assert scores.shape == (300, 3)
    assert not model.training
    for i in (0, 1, 2, 255, 256, 299):
        alone = model.head.scores(model(torch.from_numpy(windows.window(i))[None]))
        np.testing.assert_allclose(scores[i], alone[0].detach().numpy(), rtol=1e-5)


def test_events_are_found_in_whole_recordings(loud):
    found = predict(detector(), loud, CPU, 60)

    assert found.place.tolist() == [0, 1]
    assert found.type.tolist() == [0, 1]
    np.testing.assert_allclose(found.time, [130, 60], atol=0.1)  # where the frames of 10 begin
    np.testing.assert_allclose(found.score, 1 / (1 + np.exp(-15.0)), rtol=1e-3)


def test_what_is_found_depends_neither_on_the_windows_nor_on_the_events(loud):
    few = replace(
        loud,
        start=loud.start[:1],
        length=loud.length[:1],
        label=np.array([-1]),
        recording=loud.recording[:1],
        timeline=loud.timeline.without_events(),
        truth={},
    )

    found, blind = (predict(detector(), windows, CPU, 60) for windows in (loud, few))

    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(found, column), getattr(blind, column))


@pytest.mark.parametrize("window_samples", [40, 60, 250, 1000])
def test_the_length_of_windows_does_not_decide_where_events_are(loud, window_samples):
    # An encoder that sees no further than a frame predicts the same, however recordings are cut.
    found = predict(detector(), loud, CPU, window_samples)

    whole = predict(detector(), loud, CPU, 60)
    np.testing.assert_allclose(found.time, whole.time, atol=1e-3)
    np.testing.assert_allclose(found.score, whole.score, rtol=1e-5)
