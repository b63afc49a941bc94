"""Windows over recordings, and their frames joined: by hand, and against a plain weighted mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.errors import UserError
from seqbench.tasks.detection.stitching import OVERLAP, Blend, Layout

LAYOUTS = st.integers(1, 12).flatmap(
    lambda hop: st.builds(Layout, st.integers(hop, 90), st.just(hop), st.just(0.0))
)
LENGTHS = st.integers(1, 400)


def n_frames(span: tuple[int, int], layout: Layout) -> int:
    return -(-(span[1] - span[0]) // layout.hop_samples)


def blended(layout: Layout, windows: list[np.ndarray]) -> np.ndarray:
    blend = Blend(layout)
    return np.concatenate([*(blend.add(frames) for frames in windows), blend.finish()])


def random_windows(layout: Layout, n_samples: int, *shape: int) -> list[np.ndarray]:
    generator = np.random.default_rng(n_samples)
    return [
        generator.normal(size=(n_frames(span, layout), *shape)).astype(np.float32)
        for span in layout.spans(n_samples)
    ]


# Where windows lie.


def test_windows_of_a_recording_by_hand():
    layout = Layout(window_samples=100, hop_samples=10, first_centre=0.0)

    assert layout.step_samples == 70
    assert layout.spans(170) == [(0, 100), (70, 170)]
    assert layout.spans(171) == [(0, 100), (70, 170), (140, 171)]
    assert layout.spans(40) == [(0, 40)]


@given(LAYOUTS, LENGTHS)
def test_windows_cover_every_sample(layout, n_samples):
    covered = np.zeros(n_samples, dtype=int)

    for start, stop in layout.spans(n_samples):
        assert 0 <= start < stop <= n_samples
        covered[start:stop] += 1

    assert covered.min() >= 1


@given(LAYOUTS, LENGTHS)
def test_only_the_last_window_is_shorter_and_all_begin_on_frames(layout, n_samples):
    spans = layout.spans(n_samples)
    whole = [stop - start == layout.window_samples for start, stop in spans]

    assert all(whole[:-1])
    assert layout.complete(n_samples) == sum(whole)
    assert [start for start, _ in spans] == [k * layout.step_samples for k in range(len(spans))]
    assert layout.step_samples % layout.hop_samples == 0


@given(LAYOUTS)
def test_windows_overlap_by_a_quarter_where_frames_are_small_enough(layout):
    shared = layout.window_samples - layout.step_samples

    assert 0 <= shared < layout.window_samples
    if layout.hop_samples <= layout.window_samples * (1 - OVERLAP):
        assert shared >= OVERLAP * layout.window_samples


def test_a_window_shorter_than_a_frame_is_refused():
    with pytest.raises(UserError, match="a window of 9 samples is shorter than a frame of 10; set"):
        Layout(9, 10, 0.0)


# Frames joined.


def test_frames_at_an_edge_count_where_no_other_window_has_them():
    layout = Layout(window_samples=24, hop_samples=2, first_centre=0.0, edge_samples=6)
    assert layout.step_samples == 12  # the edges of one window lie inside the next
    windows = [np.full((12, 1), value, np.float32) for value in (1, 3, 5)]

    joined = blended(layout, windows)[:, 0]

    np.testing.assert_allclose(joined[:9], 1, rtol=1e-4)  # at the start of the recording, too
    np.testing.assert_allclose(joined[9:15], 3, rtol=1e-4)
    np.testing.assert_allclose(joined[15:], 5, rtol=1e-4)


def test_frames_fade_towards_the_edges_of_their_windows():
    layout = Layout(
        window_samples=16, hop_samples=2, first_centre=0.0
    )  # 8 frames, 6 from window to window
    one, three = np.full((8, 1), 1, np.float32), np.full((8, 1), 3, np.float32)

    joined = blended(layout, [one, three])[:, 0]

    # In the two frames shared the weights are 3/4 and 1/4, then 1/4 and 3/4.
    np.testing.assert_allclose(joined, [1, 1, 1, 1, 1, 1, 1.5, 2.5, 3, 3, 3, 3, 3, 3], rtol=1e-6)


@given(LAYOUTS, LENGTHS)
def test_frames_are_the_weighted_mean_of_all_windows_that_have_them(layout, n_samples):
    windows = random_windows(layout, n_samples)
    n = -(-layout.window_samples // layout.hop_samples)
    n_step = layout.step_samples // layout.hop_samples
    ramp = max(1, n - n_step)
    weight = np.array([min(1, (i + 0.5) / ramp, (n - i - 0.5) / ramp) for i in range(n)])
    total = np.zeros((2, -(-n_samples // layout.hop_samples)))
    for k, frames in enumerate(windows):
        at = slice(k * n_step, k * n_step + len(frames))
        total[:, at] += weight[: len(frames)] * frames, weight[: len(frames)]

    np.testing.assert_allclose(blended(layout, windows), total[0] / total[1], rtol=1e-4, atol=1e-5)


@given(LAYOUTS, LENGTHS)
def test_a_blend_holds_less_than_a_window(layout, n_samples):
    blend, n_given, n_seen = Blend(layout), 0, 0
    n_step = layout.step_samples // layout.hop_samples

    for k, frames in enumerate(random_windows(layout, n_samples)):
        n_given += len(blend.add(frames))
        n_seen = k * n_step + len(frames)

        assert n_given == min((k + 1) * n_step, n_seen)  # all that no later window touches

    assert len(blend.finish()) == n_seen - n_given < layout.window_samples / layout.hop_samples + 1


def test_a_blend_without_windows_has_no_frames_to_give():
    with pytest.raises(ValueError, match="no window was added"):
        Blend(Layout(16, 2, 0.0)).finish()
