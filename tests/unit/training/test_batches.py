"""Batches hold what slicing by hand gives, in memory and from the disk."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from fixtures.windows import forecast_windows, labelled_samples
from seqbench.errors import DamagedError
from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.target import EventTarget
from seqbench.training.batches import WindowTable
from seqbench.windowing.normalize import standardize

CPU = torch.device("cpu")
LENGTHS = {"equal": (20,), "unequal": (20, 26, 14)}
INDEX = torch.tensor([5, 0, 11, 5])


@pytest.fixture(params=list(LENGTHS))
def lengths(request):
    return LENGTHS[request.param]


def test_a_batch_equals_slices_of_the_signal(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]

    batch = WindowTable(windows, CPU).batch(INDEX)

    assert len(batch) == 4
    assert batch.x.shape[1] == max(windows.length[i] for i in INDEX.tolist())
    for row, i in enumerate(INDEX.tolist()):
        begin, n = int(windows.start[i]), int(windows.length[i])
        np.testing.assert_array_equal(batch.x[row, :n].numpy(), windows.signal[begin : begin + n])
        assert (batch.x[row, n:] == 0).all()
    assert batch.target.tolist() == [int(windows.label[i]) for i in INDEX.tolist()]


def test_lengths_are_stated_only_where_they_differ_in_the_batch(make_windows):
    table = WindowTable(make_windows(lengths=(20, 26))["train"], CPU)

    mixed, same = table.batch(torch.tensor([0, 2])), table.batch(torch.tensor([2, 3]))

    assert mixed.lengths.tolist() == [20, 26]
    assert mixed.lengths.device == CPU
    assert same.lengths is None
    assert WindowTable(make_windows()["train"], CPU).batch(INDEX).lengths is None


def test_a_batch_can_be_changed_without_changing_the_signal(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]
    before = windows.signal.copy()

    WindowTable(windows, CPU).batch(INDEX).x.fill_(9.0)

    np.testing.assert_array_equal(windows.signal, before)


def test_windows_are_standardised_one_by_one_as_in_numpy(make_windows, lengths):
    windows = make_windows(lengths=lengths, mode="per_window")["train"]
    windows = replace(windows, signal=windows.signal * np.float32(3) + np.float32(5))

    batch = WindowTable(windows, CPU).batch(INDEX)

    for row, i in enumerate(INDEX.tolist()):
        n = int(windows.length[i])
        expected = standardize(windows.window(i))
        np.testing.assert_allclose(batch.x[row, :n].numpy(), expected, rtol=1e-4, atol=1e-5)
        assert (batch.x[row, n:] == 0).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 1234.567, -3e5])
@pytest.mark.parametrize("lengths", [(700,), (700, 613, 411)])
def test_a_constant_channel_becomes_zero(make_windows, lengths, value):
    # Not the rounding of its mean, blown up to unit size.
    windows = make_windows(lengths=lengths, mode="per_window")["train"]
    signal = windows.signal.copy()
    signal[:, 1] = value

    batch = WindowTable(replace(windows, signal=signal), CPU).batch(INDEX)

    torch.testing.assert_close(batch.x[..., 1], torch.zeros_like(batch.x[..., 1]))


def test_batches_yield_every_window_once_in_order(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]
    table = WindowTable(windows, CPU)

    parts = list(table.batches(5))
    some = list(table.batches(2, torch.tensor([4, 1, 3])))

    assert [len(part) for part in parts] == [5, 5, 2]
    assert torch.cat([part.target for part in parts]).tolist() == windows.label.tolist()
    assert [len(part) for part in some] == [2, 1]
    assert torch.cat([part.target for part in some]).tolist() == windows.label[[4, 1, 3]].tolist()


# Events of windows.


def events_by_hand(windows: WindowSet, start: int, length: int) -> list[tuple[int, int]]:
    """Return (onset, type) of the events in samples [start, start + length) of the signal."""
    timeline = windows.timeline
    pairs = zip(timeline.onset.tolist(), timeline.type.tolist(), strict=True)
    return [(onset - start, kind) for onset, kind in pairs if start <= onset < start + length]


def events_of(target: EventTarget, row: int) -> list[tuple[float, int]]:
    is_event = target.type[row] >= 0
    return list(
        zip(target.onset[row][is_event].tolist(), target.type[row][is_event].tolist(), strict=True)
    )


@pytest.fixture
def crowded(make_event_windows):
    """Windows of many events at random places, in three recordings of which not all is known."""
    rng = np.random.default_rng(4)
    windows = make_event_windows(n_samples=(200, 90, 160))["train"]
    timeline = windows.timeline
    onset = np.sort(rng.choice(450, size=60, replace=False))
    start = rng.integers(0, 440, size=40)
    place = np.searchsorted(timeline.start, start, side="right") - 1
    stop = timeline.stop[place]
    return replace(
        windows,
        start=start,
        length=np.minimum(rng.integers(1, 70, size=40), stop - start),
        label=np.zeros(40, dtype=np.int64),
        recording=timeline.recording[place],
        timeline=replace(
            timeline,
            onset=onset,
            offset=onset + 1,
            type=rng.integers(0, 2, size=60),
            known_start=np.array([20, 200, 290]),
            known_stop=np.array([150, 290, 290]),
        ),
    )


def test_the_target_of_a_batch_holds_the_events_that_begin_in_each_window(crowded):
    target = WindowTable(crowded, CPU).batch(torch.arange(40)).target

    n_events = []
    for row, (start, length) in enumerate(zip(crowded.start, crowded.length, strict=True)):
        expected = events_by_hand(crowded, int(start), int(length))
        assert events_of(target, row) == expected
        n_events.append(len(expected))
    assert target.onset.shape == target.type.shape == (40, max(n_events))
    assert min(n_events) == 0 < 2 < max(n_events)
    assert (target.onset[target.type < 0] == 0).all()
    assert (target.onset.dtype, target.type.dtype) == (torch.float32, torch.int64)


def test_the_target_of_a_batch_holds_what_is_known_of_each_window(crowded):
    target = WindowTable(crowded, CPU).batch(torch.arange(40)).target

    timeline = crowded.timeline
    for row, (start, length) in enumerate(zip(crowded.start, crowded.length, strict=True)):
        place = np.searchsorted(timeline.start, start, side="right") - 1
        known = range(timeline.known_start[place], timeline.known_stop[place])
        first, stop = target.known[row].tolist()
        assert first >= 0
        assert stop <= length
        assert set(range(first, stop)) == {t for t in range(length) if start + t in known}


@pytest.fixture
def numbered(make_event_windows):
    """Windows of two recordings whose first channel counts the rows of the signal."""
    windows = make_event_windows(n_samples=(300, 250))["train"]
    signal = np.stack([np.arange(550.0), np.zeros(550)], axis=1).astype(np.float32)
    return replace(windows, signal=signal)


def moving(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_while_training_windows_move_within_their_recordings(numbered):
    table = WindowTable(numbered, CPU, moving())
    timeline, index = numbered.timeline, torch.arange(len(numbered))

    seen = torch.stack([table.batch(index).x[:, 0, 0] for _ in range(200)]).long().numpy()

    place = np.searchsorted(timeline.start, numbered.start, side="right") - 1
    first, last = timeline.start[place], timeline.stop[place] - 60
    assert (seen >= first).all()
    assert (seen <= last).all()
    assert (np.abs(seen - numbered.start) <= 30).all()  # half the length of a window
    # Windows inside come to all places of that reach, those at an end stay half of the time.
    inside = (numbered.start - 30 >= first) & (numbered.start + 30 <= last)
    assert inside.sum() >= 3
    assert (np.ptp(seen, axis=0)[inside] >= 55).all()
    assert ((seen == first).mean(axis=0)[numbered.start == first] > 0.4).all()


def test_a_window_as_long_as_its_recording_stays_where_it_is(make_event_windows):
    windows = make_event_windows(n_samples=(80, 50), window_samples=80)["train"]
    signal = np.stack([np.arange(130.0), np.zeros(130)], axis=1).astype(np.float32)
    table = WindowTable(replace(windows, signal=signal), CPU, moving())

    for _ in range(5):
        batch = table.batch(torch.arange(2))
        assert batch.x[:, 0, 0].tolist() == [0, 80]
        assert batch.lengths.tolist() == [80, 50]
        assert (batch.x[1, 50:] == 0).all()


def test_windows_of_unequal_lengths_move_as_well(crowded):
    signal = np.stack([np.arange(450.0), np.ones(450)], axis=1).astype(np.float32)
    windows = replace(crowded, signal=signal)

    batch = WindowTable(windows, CPU, moving()).batch(torch.arange(40))

    begin = batch.x[:, 0, 0].long().numpy()
    assert (begin != windows.start).any()
    place = np.searchsorted(windows.timeline.start, windows.start, side="right") - 1
    assert (begin >= windows.timeline.start[place]).all()
    assert (begin + windows.length <= windows.timeline.stop[place]).all()
    for row, (start, length) in enumerate(zip(begin, windows.length, strict=True)):
        expected = torch.arange(start, start + length, dtype=torch.float32)
        torch.testing.assert_close(batch.x[row, :length, 0], expected)
        assert (batch.x[row, length:] == 0).all()
        assert events_of(batch.target, row) == events_by_hand(windows, int(start), int(length))


def test_windows_of_classes_do_not_move(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]

    moved = WindowTable(windows, CPU, moving()).batch(INDEX)

    assert torch.equal(moved.x, WindowTable(windows, CPU).batch(INDEX).x)


# Labels beside windows that move, or inside of them.


def test_a_window_that_moves_takes_no_labels_along_from_outside_of_where_it_stood(
    make_event_windows,
):
    windows = make_event_windows()["train"]
    index = torch.arange(len(windows))
    moving, kept = (
        WindowTable(windows, CPU, torch.Generator().manual_seed(1), keep_to_windows=keep)
        for keep in (False, True)
    )

    free, own = moving.batch(index), kept.batch(index)

    assert torch.equal(free.x, own.x)
    n_fewer = 0
    for row in range(len(windows)):
        known = own.target.known[row].tolist()
        onsets = own.target.onset[row][own.target.type[row] >= 0].tolist()
        all_onsets = free.target.onset[row][free.target.type[row] >= 0].tolist()
        assert onsets == [at for at in all_onsets if known[0] <= at < known[1]]
        n_fewer += len(all_onsets) - len(onsets)
        # What is known is what the window shares with where it stood.
        assert 0 <= known[1] - known[0] <= int(windows.length[row])
    assert n_fewer > 0
    whole = free.target.known[:, 1] - free.target.known[:, 0]
    assert ((own.target.known[:, 1] - own.target.known[:, 0]) < whole).any()


def test_classes_of_samples_come_with_their_windows():
    table = WindowTable(labelled_samples(), CPU)

    batch = table.batch(torch.tensor([9, 1]))

    assert batch.target.tolist() == [[0, 0, 1, 0], [0, -1, 0, 0]]
    assert batch.x[:, :, 0].tolist() == [[36, 37, 38, 39], [4, 5, 6, 7]]


def test_targets_end_where_windows_do():
    windows = labelled_samples()
    shorter = replace(windows, length=np.array([4, 2] + [3] * 8))

    batch = WindowTable(shorter, CPU).batch(torch.tensor([0, 1]))

    assert batch.target.tolist() == [[0, 0, 0, 0], [0, -1, -1, -1]]


def test_a_horizon_is_the_normalised_signal_behind_the_window():
    batch = WindowTable(forecast_windows(), CPU).batch(torch.tensor([0, 8]))

    assert batch.target[..., 0].tolist() == [[4, 5, 6], [36, 37, 38]]


@pytest.mark.parametrize("per_window", [False, True])
@pytest.mark.parametrize("length", [[3, 3], [3, 2]])
def test_frames_of_video_come_whole_and_in_order(make_windows, length, per_window):
    signal = np.random.default_rng(0).normal(size=(7, 2, 4, 3)).astype(np.float32)
    windows = replace(
        make_windows()["train"],
        sample="video",
        signal=signal,
        start=np.array([4, 1]),
        length=np.array(length),
        label=np.array([0, 1]),
        recording=np.array([0, 0]),
        normalization=Normalization(
            "per_window" if per_window else "none", np.zeros(2), np.ones(2)
        ),
    )

    batch = WindowTable(windows, CPU).batch(torch.tensor([1, 0]))

    expected = [signal[1 : 1 + length[1]], signal[4:7]]
    assert batch.x.shape == (2, 3, 2, 4, 3)
    for found, window in zip(batch.x.numpy(), expected, strict=True):
        expected_window = standardize(window) if per_window else window
        np.testing.assert_allclose(found[: len(window)], expected_window, rtol=1e-5, atol=1e-6)
        assert (found[len(window) :] == 0).all()


# Of a signal on disk.


def on_disk(windows):
    """Windows whose signal and targets are read when they are needed."""

    def lazy(array):
        return LazyArray(array.shape, lambda start, stop: array[start:stop].copy())

    targets = windows.targets and replace(windows.targets, values=lazy(windows.targets.values))
    return replace(windows, signal=lazy(windows.signal), targets=targets)


def assert_batches_agree(one, other):
    assert torch.equal(one.x, other.x)
    # Sums over another layout would be rounded otherwise.
    assert one.x.is_contiguous() == other.x.is_contiguous()
    assert (one.lengths is None) == (other.lengths is None)
    assert one.lengths is None or torch.equal(one.lengths, other.lengths)
    for a, b in zip(leaves(one.target), leaves(other.target), strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(a.nan_to_num(-9.0), b.nan_to_num(-9.0))


def leaves(target):
    return [target] if isinstance(target, torch.Tensor) else list(vars(target).values())


@pytest.mark.parametrize("kind", ["equal", "mixed", "per_window", "events", "samples", "horizon"])
def test_batches_from_disk_are_those_from_memory(make_windows, make_event_windows, kind):
    windows = {
        "equal": lambda: make_windows()["train"],
        "mixed": lambda: make_windows(lengths=(20, 26))["train"],
        "per_window": lambda: replace(
            make_windows()["train"], normalization=Normalization("per_window", *np.ones((2, 2)))
        ),
        "events": lambda: make_event_windows()["train"],
        "samples": labelled_samples,
        "horizon": forecast_windows,
    }[kind]()
    order = torch.Generator().manual_seed(0)
    index = [torch.randint(len(windows), (5,), generator=order) for _ in range(11)]
    memory = WindowTable(windows, CPU, torch.Generator().manual_seed(1))
    disk = WindowTable(on_disk(windows), CPU, torch.Generator().manual_seed(1))

    batches = disk.stream(iter(index))
    for of_one, batch in zip(index, batches, strict=True):
        assert_batches_agree(batch, memory.batch(of_one))
        # The state that an interrupted training keeps is that of the batches it has seen.
        assert torch.equal(disk.augmentation.get_state(), memory.augmentation.get_state())


def test_a_fault_of_the_disk_reaches_the_loop_and_ends_the_reading(make_windows):
    windows = make_windows()["train"]

    def read(start, stop):
        if start > 100:
            raise DamagedError("file: damaged")
        return windows.signal[start:stop]

    table = WindowTable(
        replace(windows, signal=LazyArray(windows.signal.shape, read)), CPU, with_targets=False
    )
    with pytest.raises(DamagedError, match="file: damaged"):
        list(table.batches(2))
    assert not [one for one in threading.enumerate() if one.name.startswith("batches")]


def test_a_stream_that_is_left_reads_no_further(make_windows):
    table = WindowTable(on_disk(make_windows()["train"]), CPU)
    stream = table.stream(torch.arange(12).split(1))
    next(stream)

    stream.close()

    assert not [one for one in threading.enumerate() if one.name.startswith("batches")]
