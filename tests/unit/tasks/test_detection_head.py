"""The head of detection: its target by hand, its loss, and times that come back exactly."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seqbench.errors import UserError
from seqbench.models.base import Encoder
from seqbench.tasks.detection.head import HALF, N_BINS, SPREAD_BINS, DetectionHead
from seqbench.tasks.detection.peaks import PeakPicker
from seqbench.tasks.detection.stitching import Layout
from seqbench.tasks.detection.target import EventTarget
from seqbench.tasks.detection.task import DetectionTask

D = 6
BESIDE_HEIGHT = math.exp(-0.5 / 0.36)  # of presence, one frame from an onset
FAR_HEIGHT = math.exp(-0.5 * 4 / 0.36)  # two frames from it


class Frames(Encoder):
    """States how frames would lie, and gives none."""

    def __init__(self, stride: int, n_template_scores: int = 0) -> None:
        super().__init__()
        self.n_features, self.stride = D, stride
        self.n_template_scores = n_template_scores

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        raise NotImplementedError


def head_of(stride: int = 10, n_types: int = 1, n_templates: int = 0, **changes) -> DetectionHead:
    refractory_samples = changes.pop("refractory_samples", 0.0)
    task = DetectionTask(**{"refractory_weight": 0.0} | changes)
    return DetectionHead(
        Frames(stride, n_templates),
        n_types,
        task,
        dropout=0.0,
        refractory_samples=refractory_samples,
    )


def events(
    *windows: list[tuple[float, int]], n_samples: int = 200, known: tuple[int, int] | None = None
) -> EventTarget:
    """Windows of events (onset, type)."""
    most = max(map(len, windows))
    onset, kind = torch.zeros(len(windows), most), torch.full((len(windows), most), -1)
    for row, window in enumerate(windows):
        for column, (time, type_) in enumerate(window):
            onset[row, column], kind[row, column] = time, type_
    return EventTarget(onset, kind, torch.tensor([known or (0, n_samples)] * len(windows)))


def ideal(head: DetectionHead, target: EventTarget, n_frames: int) -> Tensor:
    """Logits whose presence and bells are those of the target; elsewhere times are uniform."""
    expected = head.frame_target(target, n_frames)
    logits = torch.zeros(len(target.onset), n_frames, 1 + N_BINS, head.n_types)
    logits[:, :, 0] = expected.presence.clamp(1e-4, 1 - 1e-4).logit()
    place = (expected.offset * 10 + HALF).clamp(0, N_BINS - 1)
    bell = -0.5 * ((torch.arange(N_BINS) - place[:, None]) / SPREAD_BINS).square()
    logits[expected.window, expected.frame, 1:, expected.type] = bell
    return logits


def decoded(head: DetectionHead, logits: Tensor) -> list[list[tuple[int, float]]]:
    """Types and times of the peaks of each window, by type and time."""
    pace = head.layout(10 * head.hop).pace
    found = []
    for frames in head.scores(logits).numpy():
        picker = PeakPicker(pace, head.n_types)
        peaks = [picker.push(frames), picker.finish()]
        found.append(
            sorted(
                (kind, time)
                for one in peaks
                for kind, time, score in zip(
                    one.type.tolist(), one.time.tolist(), one.score.tolist(), strict=True
                )
                if score > 0.5
            )
        )
    return found


# How frames lie.


@pytest.mark.parametrize(
    ("stride", "hop", "first_centre"),
    [(1, 8, 3.5), (2, 8, 3.0), (3, 9, 3.0), (4, 8, 2.0), (8, 8, 0.0), (10, 10, 0.0)],
)
def test_fine_frames_are_joined_and_stand_for_the_middle_of_theirs(stride, hop, first_centre):
    head = head_of(stride)

    layout = head.layout(100)

    assert layout == Layout(window_samples=100, hop_samples=hop, first_centre=first_centre)


@pytest.mark.parametrize("stride", [1, 4, 10])
@pytest.mark.parametrize("n_samples", [7, 80, 81, 127])
def test_a_window_has_a_frame_for_every_hop(stride, n_samples):
    head = head_of(stride, n_types=3)

    logits = head(torch.randn(2, -(-n_samples // stride), D))

    assert logits.shape == (2, -(-n_samples // head.hop), 1 + N_BINS, 3)


def test_a_new_head_finds_an_event_in_one_frame_of_a_hundred():
    scores = head_of().scores(head_of()(torch.zeros(1, 20, D)))

    torch.testing.assert_close(scores[:, :, 0], torch.full((1, 20, 1), 0.01))


# The target by hand; stride 10, so that frame f stands for the samples around 10 f.


def test_an_onset_in_the_middle_of_a_frame():
    target = head_of().frame_target(events([(60.0, 0)]), 20)

    expected = torch.zeros(20)
    expected[4:9] = torch.tensor([FAR_HEIGHT, BESIDE_HEIGHT, 1, BESIDE_HEIGHT, FAR_HEIGHT])
    torch.testing.assert_close(target.presence[0, :, 0], expected)
    assert target.frame.tolist() == [5, 6, 7]
    torch.testing.assert_close(target.offset, torch.tensor([1.0, 0.0, -1.0]))


def test_an_onset_between_two_frames():
    target = head_of().frame_target(events([(65.0, 0)]), 20)

    presence = target.presence[0, :, 0]
    assert presence[6] == 1  # one of the two is the frame of the event
    assert presence[7].item() == pytest.approx(math.exp(-0.5 * 0.25 / 0.36))
    assert presence[5].item() == pytest.approx(math.exp(-0.5 * 2.25 / 0.36))
    assert dict(zip(target.frame.tolist(), target.offset.tolist(), strict=True)) == {
        5: 1.5, 6: 0.5, 7: -0.5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stride", "onset", "frame", "offset"),
    [
        (10, 0.0, 0, 0.0),
        (10, 199.0, 19, 0.9),  # nearer to a frame that the window does not have
        (1, 0.0, 0, -3.5 / 8),
        (1, 199.0, 24, 3.5 / 8),
        (4, 0.0, 0, -2 / 8),
        (4, 199.0, 24, 5 / 8),
    ],
)
def test_an_onset_at_an_edge_has_a_frame(stride, onset, frame, offset):
    head = head_of(stride)
    n_frames = 200 // head.hop

    target = head.frame_target(events([(onset, 0)]), n_frames)

    assert target.presence[0, frame, 0] == 1
    assert (target.presence == 1).sum() == 1
    beside = frame + 1 if frame == 0 else frame - 1
    assert sorted(target.frame.tolist()) == sorted([frame, beside])
    assert target.offset[target.frame == frame].item() == pytest.approx(offset)


def test_unknown_spans_are_masked():
    # Labelled from sample 41 to 129: the frames 5 to 12. Of the second event only frame 12 is.
    target = head_of().frame_target(
        events([(60.0, 0), (130.0, 0), (180.0, 0)], known=(41, 130)), 20
    )

    assert target.is_known[0, :, 0].nonzero().flatten().tolist() == list(range(5, 13))
    assert sorted(target.frame.tolist()) == [5, 6, 7, 12]


def test_types_have_frames_of_their_own():
    target = head_of(n_types=3).frame_target(events([(60.0, 0), (65.0, 2), (100.0, 0)]), 20)

    ones = [tuple(row) for row in (target.presence[0] == 1).nonzero().tolist()]
    assert ones == [(6, 0), (6, 2), (10, 0)]
    assert (target.presence[0, :, 1] == 0).all()
    assert sorted(zip(target.type.tolist(), target.frame.tolist(), strict=True)) == [
        (0, 5), (0, 6), (0, 7), (0, 9), (0, 10), (0, 11), (2, 5), (2, 6), (2, 7),
    ]  # fmt: skip


def test_between_two_events_of_a_type_the_nearer_one_counts():
    target = head_of().frame_target(events([(60.0, 0), (80.0, 0)]), 20)

    presence = target.presence[0, 5:10, 0]
    torch.testing.assert_close(
        presence, torch.tensor([BESIDE_HEIGHT, 1.0, BESIDE_HEIGHT, 1.0, BESIDE_HEIGHT])
    )


# Times come back.


@pytest.mark.parametrize("stride", [1, 4, 10, 16])
def test_ideal_logits_give_back_every_onset(stride):
    head = head_of(stride)
    n_frames = 20
    onsets = np.arange(0, n_frames * head.hop, 0.25 if stride < 16 else 1.0)
    target = events(*([(float(onset), 0)] for onset in onsets), n_samples=n_frames * head.hop)

    found = decoded(head, ideal(head, target, n_frames))

    assert [len(window) for window in found] == [1] * len(onsets)
    off = np.array([window[0][1] for window in found]) - onsets
    assert np.abs(off).max() < 0.5


def test_of_two_likely_times_one_is_taken_and_not_their_mean():
    head = head_of()
    logits = torch.full((1, 1, 1 + N_BINS, 1), -20.0)
    logits[0, 0, 1 + HALF - 8, 0], logits[0, 0, 1 + HALF + 8, 0] = 5.0, 5.1

    assert head.scores(logits)[0, 0, 1, 0].item() == pytest.approx(8.0, abs=0.01)


@pytest.mark.parametrize("at", [0, N_BINS - 1])
def test_times_at_the_edge_of_the_bins_do_not_reach_beyond(at):
    head = head_of()
    logits = torch.full((1, 1, 1 + N_BINS, 1), -20.0)
    logits[0, 0, 1 + at, 0] = 20.0

    assert head.scores(logits)[0, 0, 1, 0].item() == pytest.approx(at - HALF, abs=1e-3)


def test_scores_of_half_precision_are_whole_numbers_of_single():
    head = head_of()
    logits = torch.randn(2, 20, 1 + N_BINS, 1)

    scores = head.scores(logits.bfloat16())

    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, head.scores(logits.bfloat16().float()))


# The loss.

TARGET = events([(60.0, 0), (125.0, 1)], [], [(0.0, 1)])


@pytest.mark.parametrize("presence", ["focal", "bce"])
def test_the_loss_falls_with_better_predictions(presence):
    head = head_of(n_types=2, presence=presence)
    best = ideal(head, TARGET, 20)
    unsure = torch.zeros_like(best)
    unsure[:, :, 0] = -4.6

    losses = [
        head.loss(unsure + share * (best - unsure), TARGET).item()
        for share in (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0)
    ]

    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.2 * losses[1]


def test_an_ideal_prediction_costs_nothing_for_its_times():
    head = head_of(n_types=2)
    logits = ideal(head, TARGET, 20)

    without = head_of(n_types=2, offset_weight=0.0)

    assert head.loss(logits, TARGET).item() == pytest.approx(
        without.loss(logits, TARGET).item(), abs=1e-5
    )


@pytest.mark.parametrize("presence", ["focal", "bce"])
def test_the_loss_without_events_is_finite_and_teaches_silence(presence):
    head = head_of(n_types=2, n_templates=2, presence=presence, refractory_weight=0.1,
                   refractory_samples=100.0)  # fmt: skip
    none = events([], [])
    logits = torch.randn(2, 20, 2 + N_BINS, 2).requires_grad_()

    loss = head.loss(logits, none)
    loss.backward()

    assert loss.isfinite()
    assert logits.grad.isfinite().all()
    assert (logits.grad[:, :, 0] > 0).all()
    assert (logits.grad[:, :, 1 : 1 + N_BINS] == 0).all()


@pytest.mark.parametrize("typical_samples", [(), (40.0, None)])
@pytest.mark.parametrize(("stride", "n_frames", "n_templates"), [(10, 20, 0), (3, 64, 2)])
def test_the_loss_of_frames_is_that_of_their_logits(stride, n_frames, n_templates, typical_samples):
    torch.manual_seed(0)
    head = DetectionHead(
        Frames(stride, n_templates),
        2,
        DetectionTask(refractory_weight=0.1),
        dropout=0.0,
        refractory_samples=100.0,
        typical_samples=typical_samples,
    )
    for weights in head.parameters():
        torch.nn.init.normal_(weights)
    target = replace(TARGET, duration=torch.full_like(TARGET.onset, 30.0))
    frames = torch.randn(3, n_frames, D).requires_grad_()

    def gradients(loss):
        return torch.autograd.grad(loss, [frames, *head.parameters()])

    whole = head.loss(head(frames), target)
    partial = head.frame_loss(frames, None, target)

    torch.testing.assert_close(partial, whole)
    for one, other in zip(gradients(partial), gradients(whole), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_what_is_unknown_or_behind_the_end_of_a_window_costs_nothing():
    head = head_of(n_types=2, n_templates=2, refractory_weight=0.1, refractory_samples=100.0)
    target = events([(60.0, 0), (120.0, 1), (180.0, 0)], known=(0, 100))
    torch.manual_seed(0)
    logits = torch.randn(1, 20, 2 + N_BINS, 2).requires_grad_()

    head.loss(logits, target).backward()

    assert (logits.grad[:, 10:] == 0).all()
    assert (logits.grad[:, :10, 0] != 0).all()


def test_two_likely_events_within_the_refractory_period_cost_more():
    head = head_of(refractory_weight=1.0, refractory_samples=100.0)
    target = events([(60.0, 0)])
    logits = torch.zeros(1, 20, 1 + N_BINS, 1)
    logits[:, :, 0] = -10.0
    without = head_of(refractory_weight=0.0)

    def penalty(*frames: int) -> float:
        here = logits.clone()
        here[0, list(frames), 0] = 10.0
        return (head.loss(here, target) - without.loss(here, target)).item()

    assert penalty(6, 12) == pytest.approx(1.0, abs=0.01)
    assert penalty(6, 16) == pytest.approx(0.0, abs=0.01)
    assert penalty(6, 7) == pytest.approx(0.0, abs=0.01)


def test_a_head_learns_from_informative_frames():
    torch.manual_seed(0)
    head = head_of(stride=4, n_types=2)
    onset = torch.randint(0, 160, (64,))
    kind = torch.arange(64) % 2
    target = EventTarget(onset[:, None].float(), kind[:, None], torch.tensor([[0, 160]] * 64))
    # Features of a frame: how far the onset of each type is, through bumps of several widths.
    apart = torch.arange(0.0, 160.0, 4.0)[None, :, None] - onset[:, None, None]
    bumps = torch.exp(-0.5 * ((apart + torch.tensor([-4.0, 0.0, 4.0])) / 4).square())
    frames = torch.zeros(64, 40, D)
    for k in range(2):
        frames[..., 3 * k : 3 * k + 3] = bumps * (kind == k)[:, None, None]
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)

    for _ in range(150):
        optimizer.zero_grad()
        head.loss(head(frames), target).backward()
        optimizer.step()

    with torch.no_grad():
        logits = head(frames)
    assert head.measure(logits, target).mean() > 0.9
    found = decoded(head, logits)
    hits = [
        len(window) == 1 and window[0][0] == k and abs(window[0][1] - time) < 2
        for window, k, time in zip(found, kind.tolist(), onset.tolist(), strict=True)
    ]
    assert np.mean(hits) > 0.9


# What is watched.


def test_frames_found_around_onsets_are_measured():
    head = head_of(n_types=2)
    logits = ideal(head, TARGET, 20)
    silent = torch.full_like(logits, -10.0)

    # Between two frames both count, so the first window has three.
    there = head.frame_target(TARGET, 20).presence > 0.5
    assert there.sum(dim=(1, 2)).tolist() == [3, 0, 1]
    assert head.measure(logits, TARGET).tolist() == [1.0, 1.0, 1.0]
    assert head.measure(silent, TARGET).tolist() == [0.0, 1.0, 0.0]
    one_of_three = silent.clone()
    one_of_three[0, 6, 0, 0] = 10.0
    assert head.measure(one_of_three, TARGET)[0].item() == pytest.approx(2 * 1 / (1 + 3))


def test_frames_found_in_unknown_spans_are_not_measured():
    head = head_of()
    target = events([(60.0, 0)], known=(0, 100))
    logits = ideal(head, target, 20)
    logits[0, 15, 0] = 10.0

    assert head.measure(logits, target).item() == 1.0


# Templates.


def test_scores_of_templates_stand_behind_the_bins():
    head = head_of(stride=4, n_types=2, n_templates=3)
    frames = torch.rand(1, 7, D)

    logits = head(frames)

    assert logits.shape == (1, 4, 2 + N_BINS, 2)
    joined = torch.stack([frames[0, i : i + 2, :2].amax(dim=0) for i in range(0, 7, 2)])
    torch.testing.assert_close(logits[0, :, -1], joined)


def test_templates_should_match_where_events_are():
    head = head_of(n_types=2, n_templates=2)
    plain = head_of(n_types=2)
    logits = ideal(head, TARGET, 20)
    expected = head.frame_target(TARGET, 20).presence[:, :, None]

    aligned = head.loss(torch.cat([logits, expected], dim=2), TARGET)
    silent = head.loss(torch.cat([logits, 0 * expected], dim=2), TARGET)

    plain_loss = plain.loss(logits, TARGET).item()
    assert aligned.item() == pytest.approx(plain_loss, abs=1e-6)
    assert silent.item() == pytest.approx(plain_loss + 0.5 * expected.square().mean().item())


def test_templates_without_weight_are_left_out():
    assert head_of(n_templates=2, template_weight=0.0)(torch.rand(1, 5, D)).shape[2] == 1 + N_BINS


def test_too_few_templates_are_refused():
    with pytest.raises(UserError, match="has 3 templates for 4 event types; set its option n_temp"):
        head_of(n_types=4, n_templates=3)
