"""Ends of events: what a head learns of them, and how they travel to candidates."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seqbench.errors import UserError
from seqbench.models.base import Encoder
from seqbench.storage.detections import Candidates
from seqbench.storage.model_header import DataHeader, data_fields
from seqbench.tasks.detection.averaging import mean_frames
from seqbench.tasks.detection.head import N_BINS, DetectionHead
from seqbench.tasks.detection.losses import DURATION_BETA, duration_loss
from seqbench.tasks.detection.peaks import PeakPicker
from seqbench.tasks.detection.stitching import Layout
from seqbench.tasks.detection.target import EventTable, EventTarget
from seqbench.tasks.detection.task import DetectionTask
from seqbench.tasks.targets import Rows

NAN = math.nan
TYPICAL = (40.0, None)


class Frames(Encoder):
    """States how frames of ten samples would lie, and gives none."""

    def __init__(self) -> None:
        super().__init__()
        self.n_features, self.stride = 6, 10

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        raise NotImplementedError


def head_of(typical_samples: tuple[float | None, ...] = TYPICAL) -> DetectionHead:
    torch.manual_seed(0)
    task = DetectionTask(refractory_weight=0.0, durations=bool(typical_samples))
    return DetectionHead(
        Frames(), 2, task, dropout=0.0, refractory_samples=0.0, typical_samples=typical_samples
    )


def target_of(duration: float) -> EventTarget:
    """An event of the first type at the centre of frame 4, and one of the other type."""
    onset, kind = torch.tensor([[40.0, 80.0]]), torch.tensor([[0, 1]])
    return EventTarget(onset, kind, torch.tensor([[0, 200]]), torch.tensor([[duration, NAN]]))


# The head.


def test_a_new_head_predicts_the_typical_duration_of_each_type():
    head = head_of()

    scores = head.scores(head(torch.randn(1, 7, 6)))

    assert scores.shape == (1, 7, 3, 2)
    torch.testing.assert_close(scores[:, :, 2, 0], torch.full((1, 7), 40.0))
    assert (scores[:, :, 2, 1] == 0).all()  # no end of the type is known


def test_a_head_without_durations_has_the_weights_that_it_always_had():
    plain, frames = head_of(()), torch.randn(1, 7, 6)
    head = head_of()

    assert plain.state_dict().keys() == {"output.weight", "output.bias"}
    assert plain(frames).shape == (1, 7, 1 + N_BINS, 2)
    torch.testing.assert_close(head(frames)[:, :, : 1 + N_BINS], plain(frames), rtol=0, atol=0)
    torch.testing.assert_close(head.scores(head(frames))[:, :, :2], plain.scores(plain(frames)))


def test_the_loss_is_that_of_the_frames_at_and_beside_an_event():
    head = head_of()
    logits = torch.zeros(1, 20, 2 + N_BINS, 2)
    logits[0, 3:6, -1, 0] = math.log(3)  # three times 40 samples
    logits[0, 7:10, -1, 1] = 5.0  # of a type without ends

    right, unknown, wrong = (head.loss(logits, target_of(d)) for d in (120.0, NAN, 40.0))

    assert right == unknown
    assert wrong - right == pytest.approx(math.log(3) - DURATION_BETA / 2, rel=1e-5)
    logits[0, 10, -1, 0] = 9.0  # far from the event
    assert head.loss(logits, target_of(120.0)) == right


def test_durations_are_learned_and_nothing_else_changes_when_they_are_not_known():
    head = head_of()
    frames = torch.randn(1, 20, 6)

    loss = head.loss(head(frames), target_of(90.0))
    loss.backward()

    assert head.duration.weight.grad[0].abs().sum() > 0
    assert (head.duration.weight.grad[1] == 0).all()
    head.zero_grad()
    head.loss(head(frames), target_of(NAN)).backward()
    assert (head.duration.weight.grad == 0).all()


def test_the_loss_is_the_absolute_difference_of_logarithms():
    log_ratio = torch.tensor([1.0, -2.0, 7.0])

    loss = duration_loss(log_ratio, torch.tensor([1.5, -2.0, NAN]))

    assert loss == pytest.approx((0.5 - DURATION_BETA / 2) / 2)
    assert duration_loss(log_ratio, torch.full((3,), NAN)) == 0
    assert duration_loss(torch.zeros(0), torch.zeros(0)) == 0


def test_an_extreme_logit_gives_a_finite_duration():
    head = head_of()
    logits = torch.zeros(1, 1, 2 + N_BINS, 2)
    logits[..., -1, :] = 1e4

    assert head.scores(logits).isfinite().all()


# Targets.


def test_targets_have_the_durations_of_their_events(make_event_windows):
    timeline = make_event_windows()["train"].events
    offset = timeline.onset + np.array([30, 1] * len(timeline.onset))[: len(timeline.onset)]
    timeline = replace(timeline, offset=offset, stop=timeline.stop.clip(offset.max() + 1))
    length = int(timeline.stop[0])
    rows = Rows(torch.tensor([0]), torch.tensor([0]), torch.tensor([length]), length)

    full = EventTable(timeline, torch.device("cpu")).batch(rows)

    n = int((full.type >= 0).sum())
    assert n > 1
    expected = np.where(np.arange(n) % 2 == 0, 30, NAN)
    np.testing.assert_array_equal(full.duration[0, :n].numpy(), expected)


def test_an_end_is_known_if_it_is_labelled_and_inside_of_the_recording(make_event_windows):
    timeline = make_event_windows()["train"].events
    onset = np.array([10, 20, 30, 40])
    timeline = replace(
        timeline,
        start=np.array([0]),
        stop=np.array([100]),
        onset=onset,
        offset=np.array([60, 21, 100, 99]),
        type=np.array([0, 1, 0, 0]),
    )

    np.testing.assert_array_equal(timeline.duration, [50, NAN, NAN, 59])
    assert timeline.median_durations(3) == (54.5, None, None)


# Frames and candidates.


def test_the_duration_of_a_peak_is_the_mean_around_it_by_presence():
    frames = np.zeros((9, 3, 1), dtype=np.float32)
    frames[3:6, 0, 0] = 0.2, 0.8, 0.4
    frames[:, 2, 0] = 7.0
    frames[3:6, 2, 0] = 100, 200, 50
    picker = PeakPicker(Layout(60, 10, 0.0).pace, 1)

    parts = [picker.push(frames[:5]), picker.push(frames[5:]), picker.finish()]

    found = np.concatenate([one.duration for one in parts])
    assert found.tolist() == pytest.approx([(0.2 * 100 + 0.8 * 200 + 0.4 * 50) / 1.4])


def test_a_peak_of_a_type_without_ends_has_none():
    frames = np.zeros((9, 3, 1), dtype=np.float32)
    frames[4, 0, 0] = 0.8
    picker = PeakPicker(Layout(60, 10, 0.0).pace, 1)

    [peak, rest] = [picker.push(frames), picker.finish()]

    assert np.isnan(peak.duration).tolist() == [True]
    assert len(rest.duration) == 0


def test_the_surer_network_weighs_more_in_the_duration():
    frames = np.array([[[[0.9], [1.0], [100]]], [[[0.3], [-1.0], [60]]]], dtype=np.float32)

    found = mean_frames(frames)

    np.testing.assert_allclose(found[0, :, 0], [0.6, 0.5, 90], rtol=1e-6)
    np.testing.assert_array_equal(found[:, :2], mean_frames(frames[:, :, :2]))


def test_candidates_without_ends_take_the_typical_ones():
    found = Candidates.at([1.0, 2.0], place=0, type=[0, 1], score=0.5)

    np.testing.assert_array_equal(found.with_ends(TYPICAL).duration, [40, NAN])
    own = replace(found, duration=np.array([5.0, NAN]))
    assert own.with_ends(TYPICAL) is own
    assert own.with_ends(()).duration is None
    np.testing.assert_array_equal(Candidates.joined([own, own]).duration, [5, 5, NAN, NAN])
    with pytest.raises(ValueError, match="others have none"):
        Candidates.joined([own, found])


# The task.


def test_labels_without_an_end_are_refused(make_event_windows):
    data = DataHeader(**data_fields(make_event_windows()["train"]))
    task = DetectionTask(durations=True)

    assert task.typical_samples(data.model_copy(update={"duration_samples": TYPICAL})) == TYPICAL
    without = data.model_copy(update={"duration_samples": (None,)})
    assert DetectionTask().typical_samples(without) == ()
    with pytest.raises(UserError, match=r"durations: no event of train has an end; add ends"):
        task.typical_samples(without)
