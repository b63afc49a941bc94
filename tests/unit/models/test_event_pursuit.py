"""A network that starts as a matched filter finds what the filter finds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fixtures.windows import job
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.config.registry import DATASETS
from seqbench.errors import UserError
from seqbench.models.event_pursuit import EventPursuitEncoder
from seqbench.models.matching_pursuit import NEVER, SIDE
from seqbench.models.matching_pursuit import _delayed as delayed
from seqbench.storage.model_header import NetworkHeader, data_fields
from seqbench.tasks.detection.task import DetectionTask
from seqbench.training.finetune import start
from seqbench.training.model import Model, build_model, predict
from seqbench.windowing.windows import make_windows

RATE_HZ = 2000.0
WINDOW = 2048
CPU = torch.device("cpu")


def drawn(**options):
    sizes = {"n_types": 3, "n_channels": 2, "train_s": 60.0, "val_s": 5.0, "test_s": 60.0}
    return make_windows(DATASETS["strikes_continuous"](Path(), **sizes, **options), job({}))


@pytest.fixture(scope="module", params=[{}, {"second_template": 0.4}, {"pitch_jitter": 0.05}])
def strikes(request):
    """Events of one shape each, of two, and of shapes that vary."""
    return drawn(**request.param)


def model_of(windows, **options) -> Model:
    header = NetworkHeader(
        task="detection",
        architecture="event_pursuit",
        architecture_options=options,
        **data_fields(windows["train"]),
    )
    model = build_model(header)
    train = windows["train"]
    start(model.encoder, "matched_filter", train, np.flatnonzero(train.label >= 0), seed=0)
    return model.eval()


def events(found, least):
    """Return type and time of likely candidates, recordings far from one another."""
    kept = found.score > least
    return found.type[kept], found.time[kept] + 1e6 * found.place[kept]


def test_it_finds_the_events_of_the_matched_filter_before_it_has_learned(strikes):
    baseline = MatchedFilterBaseline()
    expected = baseline.predict(baseline.fit([strikes["train"]], seed=0), strikes["test"])

    found = predict(model_of(strikes), strikes["test"], CPU, WINDOW)

    types, times = events(found, 0.6)
    known_types, known_times = events(expected, 0.6)
    matched = [
        np.abs(times[types == kind] - time).min(initial=np.inf)
        for kind, time in zip(known_types, known_times, strict=True)
    ]
    assert len(known_types) > 20
    assert np.mean(np.array(matched) < 1) >= 0.9
    assert np.mean(np.array(matched) < 10) > 0.97
    assert abs(len(types) - len(known_types)) <= 0.06 * len(known_types)


def test_an_event_is_where_its_template_was_planted():
    windows = drawn()
    model = model_of(windows)
    pursuit = model.encoder.pursuit
    slot = 1 * pursuit.shapes  # the first template of the second type
    white = torch.zeros(1, 2, 1000)
    pursuit.filters.zero_()[:, 0] = 1
    pursuit.mixing.copy_(torch.eye(2))
    at, level = 400, 1.1 * pursuit.mean[slot]
    first = at - int(pursuit.onset)
    length = pursuit.templates.shape[2]
    white[0, :, first : first + length] = level * pursuit.templates[slot]

    pursued = pursuit(white.transpose(1, 2))

    where = torch.nonzero(pursued.is_event[0]).tolist()
    assert where == [[1, at]]
    assert pursued.share[0, 1, at] == pytest.approx(1.1, abs=0.05)
    assert pursued.residual.abs().max() < 0.1 * white.abs().max()
    assert pursued.log_odds[0, 0, 700:].max() <= 0


@pytest.mark.parametrize("later", [0.0, 0.5])
def test_events_between_samples_are_found_and_none_before_a_window(later):
    pursuit = model_of(drawn()).encoder.pursuit
    pursuit.filters.zero_()[:, 0] = 1
    pursuit.mixing.copy_(torch.eye(2))
    pursuit.between.fill_(True)
    white = torch.zeros(1, 2, 1000)
    at, length = 400, pursuit.templates.shape[2]
    wide = F.pad(pursuit.mean[0] * pursuit.templates[0], (SIDE, SIDE))
    first = at - int(pursuit.onset) - SIDE
    white[0, :, first : first + length + 2 * SIDE] = delayed(wide, later)

    pursued = pursuit(white.transpose(1, 2))

    ((kind, sample),) = torch.nonzero(pursued.is_event[0]).tolist()
    late = pursuit.late[0].item()
    assert kind == 0
    assert sample + pursued.shift[0, 0, sample].item() + late == pytest.approx(at + later)
    assert (pursued.log_odds[0, :, 0] < 0).all()


def test_two_events_that_collide_are_both_found():
    windows = drawn()
    pursuit = model_of(windows).encoder.pursuit
    pursuit.filters.zero_()[:, 0] = 1
    pursuit.mixing.copy_(torch.eye(2))
    white = torch.zeros(1, 2, 1000)
    length = pursuit.templates.shape[2]
    for kind, at in ((0, 400), (2, 425)):
        slot, first = kind * pursuit.shapes, at - int(pursuit.onset)
        white[0, :, first : first + length] += pursuit.mean[slot] * pursuit.templates[slot]

    pursued = pursuit(white.transpose(1, 2))

    assert torch.nonzero(pursued.is_event[0]).tolist() == [[0, 400], [2, 425]]


def test_what_has_no_template_is_never_found():
    encoder = EventPursuitEncoder(2, RATE_HZ, 3)

    pursued = encoder.pursuit(torch.randn(2, 500, 2))
    log_odds, time = encoder.found(pursued, 50)

    assert (log_odds == NEVER).all()
    assert not time.any()


def test_the_head_adds_nothing_at_first_and_never_where_nothing_is_found(strikes):
    model = model_of(strikes)
    x = torch.from_numpy(strikes["test"].signal[None, :WINDOW])

    frames = model.encoder(x)
    before = model.head(frames)
    torch.nn.init.normal_(model.head.added.weight)
    after = model.head(frames)

    log_odds = frames.unflatten(2, (3, -1))[..., -2]
    assert torch.equal(before[:, :, 0], log_odds)
    is_found = log_odds > NEVER
    changed = (before != after).any(dim=2)
    assert torch.equal(changed, is_found)
    assert torch.equal(before[:, :, 1:], after[:, :, 1:])  # times are those of the filter


def test_the_time_in_a_frame_is_that_of_the_event(strikes):
    model = model_of(strikes)
    x = torch.from_numpy(strikes["test"].signal[None, : 8 * WINDOW])

    frames = model.encoder(x)
    scores = model.head.scores(model.head(frames))

    time = frames.unflatten(2, (3, -1))[..., -1]
    likely = scores[:, :, 0] > 0.3
    assert likely.any()
    torch.testing.assert_close(scores[:, :, 1][likely], time[likely], atol=0.05, rtol=0)


def test_a_run_with_few_labels_learns_its_templates_from_those():
    windows = drawn()
    train = windows["train"]
    chosen = np.flatnonzero(train.label >= 0)[:6]
    inside = train.events.only(train.start[chosen], (train.start + train.length)[chosen])
    alone = replace(train, timeline=inside)
    expected, encoder = (EventPursuitEncoder(2, RATE_HZ, 3) for _ in range(2))

    start(encoder, "matched_filter", train, chosen, seed=0)

    baseline = MatchedFilterBaseline()
    expected.start(baseline.fitted(baseline.fit([alone], seed=0)), WINDOW)
    for name, buffer in expected.pursuit.named_buffers():
        torch.testing.assert_close(buffer, getattr(encoder.pursuit, name), msg=name)
    whole = model_of(windows).encoder.pursuit.templates
    assert not torch.allclose(whole, encoder.pursuit.templates)


def test_windows_that_are_shorter_than_three_templates_are_refused():
    with pytest.raises(UserError, match=r"set `window.length_samples` to 1\d{3} or more, or lower"):
        model_of(drawn(), length_ms=250.0)


def test_durations_are_predicted_for_what_is_found(strikes):
    task = DetectionTask(durations=True)
    model = model_of(strikes)
    header = NetworkHeader(
        task="detection",
        architecture="event_pursuit",
        architecture_options={},
        **{**data_fields(strikes["train"]), "duration_samples": (40.0, 50.0, None)},
    )

    head = task.head(model.encoder, header)
    scores = head.scores(head(model.encoder(torch.randn(1, 400, 2))))

    assert scores.shape[2:] == (3, 3)
    assert (scores[0, :, 2] == torch.tensor([40.0, 50.0, 0.0])).all()
