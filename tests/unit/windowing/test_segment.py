"""Where windows begin and end, by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from seqbench.config.stages import WindowSettings
from seqbench.storage.recordings import Recordings
from seqbench.tasks.detection.windows import DEFAULT_SAMPLES, cut_recordings
from seqbench.windowing.segment import UNLABELLED, Window, cut


def bounds(windows: list[Window]) -> list[tuple[int, int]]:
    return [(window.start, window.stop) for window in windows]


def spans(windows: list[Window]) -> list[tuple[int, int, int]]:
    return [(window.start, window.stop, window.label) for window in windows]


# Whole sequences.


def test_without_a_length_every_recording_is_one_window(recordings):
    made = recordings(["a", "b", "a"], lengths=[10, 7, 12])

    windows = cut(made, WindowSettings())

    assert windows == [Window(0, 0, 10, 0), Window(1, 0, 7, 1), Window(2, 0, 12, 0)]


def test_without_a_length_every_label_is_one_window_and_gaps_are_none(recordings):
    made = recordings(
        ["a", "b"], lengths=[30, 8], intervals=[(0, 1, 20, 25), (0, 0, 2, 9), (1, 0, 0, 8)]
    )

    windows = cut(made, WindowSettings())

    assert windows == [Window(0, 2, 9, 0), Window(0, 20, 25, 1), Window(1, 0, 8, 0)]


def test_a_recording_without_a_label_becomes_a_window_without_a_class(recordings):
    made = recordings(["a", "b"], lengths=[10, 6], intervals=[(0, 1, 0, 10)])

    assert cut(made, WindowSettings()) == [Window(0, 0, 10, 1), Window(1, 0, 6, UNLABELLED)]


@pytest.mark.parametrize(
    ("most", "truncate", "expected"),
    [
        (6, "end", (3, 9)),
        (6, "start", (6, 12)),
        (6, "centre", (4, 10)),  # an odd surplus of three
        (9, "centre", (3, 12)),
        (10, "centre", (3, 12)),
    ],
)
def test_a_sequence_that_is_too_long_is_truncated(recordings, most, truncate, expected):
    made = recordings(["a"], lengths=[20], intervals=[(0, 0, 3, 12)])

    assert bounds(cut(made, WindowSettings(max_samples=most, truncate=truncate))) == [expected]


# Sliding windows.


@pytest.mark.parametrize(
    ("length", "overlap", "expected"),
    [
        (5, 0.0, [(0, 5), (5, 10)]),
        (4, 0.0, [(0, 4), (4, 8)]),
        (4, 0.5, [(0, 4), (2, 6), (4, 8), (6, 10)]),
        (4, 0.75, [(0, 4), (1, 5), (2, 6), (3, 7), (4, 8), (5, 9), (6, 10)]),
        (10, 0.0, [(0, 10)]),
        (11, 0.0, []),
    ],
)
def test_a_window_slides_by_what_it_does_not_overlap(recordings, length, overlap, expected):
    settings = WindowSettings(length_samples=length, overlap=overlap)

    assert bounds(cut(recordings(["a"]), settings)) == expected


def test_an_overlap_close_to_one_still_moves_on_by_a_sample(recordings):
    settings = WindowSettings(length_samples=8, overlap=0.99)

    assert bounds(cut(recordings(["a"]), settings)) == [(0, 8), (1, 9), (2, 10)]


@pytest.mark.parametrize(
    ("length", "overlap", "expected"),
    [
        (4, 0.0, [(0, 4), (4, 8), (8, 10)]),
        (5, 0.0, [(0, 5), (5, 10)]),  # nothing remains
        (4, 0.25, [(0, 4), (3, 7), (6, 10)]),  # all is covered
        (6, 0.5, [(0, 6), (3, 9), (6, 10)]),
        (11, 0.0, [(0, 10)]),
    ],
)
def test_a_kept_remainder_covers_every_sample(recordings, length, overlap, expected):
    settings = WindowSettings(length_samples=length, overlap=overlap, remainder="keep")

    windows = cut(recordings(["a"]), settings)

    assert bounds(windows) == expected
    assert {i for start, stop in expected for i in range(start, stop)} == set(range(10))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (4, [(0, 3), (4, 7), (8, 10)]),
        (5, [(0, 3), (5, 8)]),
        (6, [(0, 3), (6, 9)]),
        (11, [(0, 3)]),
    ],
)
def test_a_remainder_behind_windows_that_lie_apart_begins_inside_of_its_label(
    recordings, step, expected
):
    settings = WindowSettings(length_samples=3, step_samples=step, remainder="keep")

    assert bounds(cut(recordings(["a"]), settings)) == expected


def test_windows_slide_inside_each_label_and_inside_the_gaps(recordings):
    made = recordings(["a", "b"], lengths=[30, 9], intervals=[(0, 1, 18, 26), (0, 0, 5, 14)])

    windows = cut(made, WindowSettings(length_samples=4))

    assert spans(windows) == [
        (0, 4, UNLABELLED),
        (5, 9, 0),
        (9, 13, 0),
        (14, 18, UNLABELLED),
        (18, 22, 1),
        (22, 26, 1),
        (26, 30, UNLABELLED),
        (0, 4, UNLABELLED),
        (4, 8, UNLABELLED),
    ]


def test_labels_that_touch_leave_no_gap_and_no_window_crosses_from_one_to_the_other(recordings):
    made = recordings(["a", "b"], lengths=[12, 4], intervals=[(0, 0, 0, 6), (0, 1, 6, 12)])

    windows = cut(made, WindowSettings(length_samples=4, remainder="keep"))

    assert spans(windows)[:4] == [(0, 4, 0), (4, 6, 0), (6, 10, 1), (10, 12, 1)]


def test_labels_that_overlap_leave_gaps_only_where_none_is(recordings):
    made = recordings(["a", "b"], lengths=[20, 4], intervals=[(0, 0, 2, 12), (0, 1, 4, 8)])

    windows = cut(made, WindowSettings(length_samples=4, remainder="keep"))

    gaps = [w for w in windows if w.label == UNLABELLED and w.recording == 0]
    assert bounds(gaps) == [(0, 2), (12, 16), (16, 20)]


# Whole recordings with events.


@pytest.fixture
def bells(recordings):
    """Recordings with events (recording, type, onset) of the types 0 and 1."""

    def make(
        lengths: Sequence[int],
        events: Sequence[tuple[int, int, int]] = (),
        known: Sequence[tuple[int, int]] | None = None,
    ) -> Recordings:
        return recordings(
            ["bell"] * len(lengths),
            lengths=lengths,
            intervals=[(recording, kind, at, at + 1) for recording, kind, at in events],
            classes=["ding", "dong"],
            task="detection",
            tolerance_ms=5.0,
            known=None if known is None else np.array(known),
        )

    return make


NO_EVENT = 2  # the label of a window in which every event is known, and there is none


@pytest.mark.parametrize(
    ("length", "overlap", "expected"),
    [
        (4, 0.0, [(0, 4), (4, 8), (6, 10)]),  # the last one is moved back
        (5, 0.0, [(0, 5), (5, 10)]),
        (4, 0.5, [(0, 4), (2, 6), (4, 8), (6, 10)]),
        (6, 0.5, [(0, 6), (3, 9), (4, 10)]),
        (8, 0.99, [(0, 8), (1, 9), (2, 10)]),
        (10, 0.0, [(0, 10)]),
        (11, 0.5, [(0, 10)]),  # a short recording is one window
    ],
)
def test_windows_slide_over_whole_recordings_and_the_last_is_moved_back(
    bells, length, overlap, expected
):
    settings = WindowSettings(length_samples=length, overlap=overlap)

    assert bounds(cut_recordings(bells([10]), settings)) == expected


def test_without_a_length_windows_have_that_of_detection(bells):
    length = DEFAULT_SAMPLES

    windows = cut_recordings(bells([2 * length + 9, length, 30]), WindowSettings())

    assert [(window.recording, window.start, window.stop) for window in windows] == [
        (0, 0, length),
        (0, length, 2 * length),
        (0, length + 9, 2 * length + 9),
        (1, 0, length),
        (2, 0, 30),
    ]


@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("length", [1, 2, 7, 16, 40])
def test_windows_are_of_one_length_and_cover_every_sample(bells, length, overlap):
    lengths = [1, 2, 6, 7, 8, 13, 33]
    windows = cut_recordings(bells(lengths), WindowSettings(length_samples=length, overlap=overlap))

    for recording, n_samples in enumerate(lengths):
        own = [(w.start, w.stop) for w in windows if w.recording == recording]
        assert {stop - start for start, stop in own} == {min(length, n_samples)}
        assert {i for start, stop in own for i in range(start, stop)} == set(range(n_samples))
        assert len(set(own)) == len(own)


def test_the_label_of_a_window_is_the_type_of_its_first_event(bells):
    events = [(0, 1, 11), (0, 0, 3), (0, 1, 2), (0, 0, 19), (1, 1, 0)]  # in no order
    made = bells([24, 4], events, known=[(0, 24), (0, 4)])

    windows = cut_recordings(made, WindowSettings(length_samples=4))

    assert spans(windows) == [
        (0, 4, 1),
        (4, 8, NO_EVENT),
        (8, 12, 1),
        (12, 16, NO_EVENT),
        (16, 20, 0),
        (20, 24, NO_EVENT),
        (0, 4, 1),
    ]


def test_windows_of_a_recording_of_which_nothing_is_known_have_no_label(bells):
    made = bells([8, 8, 8], [(1, 0, 5)])

    windows = cut_recordings(made, WindowSettings(length_samples=4))

    labels = [window.label for window in windows]
    assert labels == [UNLABELLED, UNLABELLED, NO_EVENT, 0, UNLABELLED, UNLABELLED]


def test_windows_that_reach_into_what_is_known_are_labelled_and_others_are_not(bells):
    made = bells([24], [(0, 1, 9)], known=[(7, 13)])

    windows = cut_recordings(made, WindowSettings(length_samples=4))

    assert spans(windows) == [
        (0, 4, UNLABELLED),
        (4, 8, NO_EVENT),
        (8, 12, 1),
        (12, 16, NO_EVENT),
        (16, 20, UNLABELLED),
        (20, 24, UNLABELLED),
    ]
