"""Peaks of presence: by hand, against every frame looked at alone, and piece by piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqbench.tasks.detection.peaks import LEAST_SCORE, LIMIT, PeakPicker, Peaks
from seqbench.tasks.detection.stitching import Layout

PLAIN = Layout(window_samples=100, hop_samples=10, first_centre=0.0)
POOLED = Layout(window_samples=80, hop_samples=8, first_centre=3.5)
N_TYPES = 2

# Few heights make plateaus; wild offsets, as an untrained model has them.
HEIGHTS = st.sampled_from([0.0, 0.019, 0.02, 0.3, 0.3, 0.5, 0.9, 1.0])
OFFSETS = st.sampled_from([-500.0, -12.5, -3.0, 0.0, 0.25, 4.0, 15.0, 500.0])


@st.composite
def frames(draw: st.DrawFn) -> np.ndarray:
    """Frames (F, 2, K) of a recording."""
    shape = (draw(st.integers(1, 40)), N_TYPES)
    presence = draw(arrays(np.float32, shape, elements=HEIGHTS.map(np.float32)))
    offset = draw(arrays(np.float32, shape, elements=OFFSETS.map(np.float32)))
    return np.stack([presence, offset], axis=1)


@st.composite
def pieces(draw: st.DrawFn) -> list[np.ndarray]:
    """Frames of a recording in pieces, empty ones among them."""
    whole = draw(frames())
    cuts = draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))
    return np.split(whole, cuts)


def one_type(presence: list[float], offset: float | list[float] = 0.0) -> np.ndarray:
    heights = np.array(presence, dtype=np.float32)
    return np.stack([heights, np.broadcast_to(np.float32(offset), len(heights))], axis=1)[..., None]


def found(parts: list[np.ndarray], layout: Layout = PLAIN) -> list[tuple[int, float, float]]:
    """All peaks as type, time, score, by type and time."""
    picker = PeakPicker(layout.pace, parts[0].shape[2])
    peaks = [*(picker.push(part) for part in parts), picker.finish()]
    return sorted(row for one in peaks for row in rows(one))


def rows(peaks: Peaks) -> list[tuple[int, float, float]]:
    return list(
        zip(peaks.type.tolist(), peaks.time.tolist(), peaks.score.tolist(), strict=True)
    )  # fmt: skip


# By hand.


@pytest.mark.parametrize("n_equal", [1, 2, 3, 6, 20])
def test_a_plateau_is_one_peak_at_its_first_frame(n_equal):
    plateau = one_type([0, 0, *[0.8] * n_equal, 0, 0])
    picker = PeakPicker(PLAIN.pace, 1)

    peaks = [*rows(picker.push(plateau)), *rows(picker.finish())]

    assert len(peaks) == 1
    weights = [0.8] * min(n_equal, 2)  # of the first frame and the one behind it
    assert peaks[0][1] == pytest.approx(10 * np.average([2, 3][: len(weights)], weights=weights))


@pytest.mark.parametrize("n_frames", [1, 2, 3, 9])
def test_the_first_and_the_last_frame_can_be_peaks(n_frames):
    for at in (0, n_frames - 1):
        presence = [0.0] * n_frames
        presence[at] = 0.7

        assert found([one_type(presence)]) == [(0, 10.0 * at, pytest.approx(0.7))]


def test_the_time_is_that_of_a_frame_and_its_neighbours_together():
    # Times 20 + 4, 30 - 2 and 40 - 9, weighted by 0.2, 0.9 and 0.5; the frame beyond has no effect.
    presence, offset = [0, 0.1, 0.2, 0.9, 0.5, 0.4, 0], [0, 300, 4, -2, -9, 300, 0]

    ((_, time, score),) = found([one_type(presence, offset)])

    assert time == pytest.approx((0.2 * 24 + 0.9 * 28 + 0.5 * 31) / 1.6)
    assert score == pytest.approx(0.9)


def test_times_count_from_the_first_sample():
    assert found([one_type([0, 0, 0.9, 0, 0], 1.0)], POOLED) == [
        (0, 3.5 + 16 + 1, pytest.approx(0.9))
    ]


@pytest.mark.parametrize("offset", [-100.0, 100.0])
def test_a_time_stays_near_its_peak(offset):
    ((_, time, _),) = found([one_type([0, 0, 0, 0.9, 0, 0, 0], offset)])

    assert time == pytest.approx(30 + np.sign(offset) * LIMIT * 10)


# Against every frame looked at alone.


def looked_up(whole: np.ndarray, layout: Layout) -> list[tuple[int, float, float]]:
    peaks = []
    n = len(whole)
    for kind in range(whole.shape[2]):
        presence, offset = whole[:, 0, kind].astype(float), whole[:, 1, kind].astype(float)
        for f in range(n):
            before, after = presence[max(f - 2, 0) : f], presence[f + 1 : f + 3]
            top = presence[f]
            if top < np.float32(LEAST_SCORE) or (before >= top).any() or (after > top).any():
                continue
            near = [i for i in (f - 1, f, f + 1) if 0 <= i < n]
            times = [i * layout.hop_samples + offset[i] for i in near]
            mean = np.average(times, weights=presence[near])
            reach = LIMIT * layout.hop_samples
            middle = f * layout.hop_samples
            time = layout.first_centre + float(np.clip(mean, middle - reach, middle + reach))
            peaks.append((kind, time, float(top)))
    return sorted(peaks)


@given(frames(), st.sampled_from([PLAIN, POOLED]))
def test_peaks_are_those_of_every_frame_looked_at_alone(whole, layout):
    peaks = found([whole], layout)

    assert [(kind, score) for kind, _, score in peaks] == [
        (kind, score) for kind, _, score in looked_up(whole, layout)
    ]
    np.testing.assert_allclose(
        [time for _, time, _ in peaks], [time for _, time, _ in looked_up(whole, layout)], atol=1e-3
    )


# Piece by piece.


@given(pieces(), st.sampled_from([PLAIN, POOLED]))
def test_pieces_of_any_size_give_what_one_push_gives(parts, layout):
    assert found(parts, layout) == found([np.concatenate(parts)], layout)


@given(pieces(), st.sampled_from([PLAIN, POOLED]))
def test_no_peak_comes_before_what_was_called_certain(parts, layout):
    picker = PeakPicker(layout.pace, N_TYPES)
    certain = picker.certain_before

    for part in parts:
        assert (picker.push(part).time >= certain).all()
        assert picker.certain_before >= certain
        certain = picker.certain_before

    assert (picker.finish().time >= certain).all()


@given(pieces())
def test_certain_lies_at_most_four_frames_behind_what_came(parts):
    picker = PeakPicker(PLAIN.pace, N_TYPES)
    n = 0

    for part in parts:
        picker.push(part)
        n += len(part)

        assert picker.certain_before >= PLAIN.first_centre + (n - 4) * PLAIN.hop_samples
