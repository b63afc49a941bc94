"""Where windows begin and end, by hand."""

import pytest

from seqbench.config import WindowSettings
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
    ("truncate", "expected"),
    [("end", (3, 8)), ("start", (7, 12)), ("centre", (5, 10))],
)
def test_a_sequence_that_is_too_long_loses_the_named_part(recordings, truncate, expected):
    made = recordings(["a"], lengths=[20], intervals=[(0, 0, 3, 12)])

    windows = cut(made, WindowSettings(max_samples=5, truncate=truncate))

    assert bounds(windows) == [expected]


def test_an_odd_surplus_loses_one_sample_more_at_its_end(recordings):
    windows = cut(recordings(["a"], lengths=[10]), WindowSettings(max_samples=5, truncate="centre"))

    assert bounds(windows) == [(2, 7)]


@pytest.mark.parametrize("most", [10, 11])
def test_a_sequence_that_is_short_enough_stays_whole(recordings, most):
    made = recordings(["a"], lengths=[10])

    assert bounds(cut(made, WindowSettings(max_samples=most, truncate="centre"))) == [(0, 10)]


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


def test_every_window_lies_inside_its_recording(recordings):
    made = recordings(["a", "b", "a"], lengths=[13, 5, 21])
    lengths = made.lengths

    for remainder in ("keep", "drop"):
        settings = WindowSettings(length_samples=4, overlap=0.5, remainder=remainder)
        for window in cut(made, settings):
            assert 0 <= window.start < window.stop <= lengths[window.recording]
