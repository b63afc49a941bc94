"""Frames of several networks as one."""

import numpy as np
import pytest

from seqbench.errors import UserError
from seqbench.tasks.detection.averaging import averaged, mean_frames
from seqbench.tasks.detection.scoring import WindowScoring, find_candidates
from seqbench.tasks.detection.stitching import Layout

LAYOUT = Layout(window_samples=60, hop_samples=10, first_centre=5.0)


def network(presence=1.0, offset=0.0, layout=LAYOUT):
    """A network whose presence is the mean of each frame, and whose offset is a number."""

    def score(windows):
        means = windows.reshape(len(windows), -1, layout.hop_samples, windows.shape[2]).mean(axis=2)
        return np.stack([presence * means, np.full_like(means, offset)], axis=2)

    return WindowScoring(score, layout)


def frames(*values):
    """One frame of one type for each network, (M, 1, 2, 1)."""
    return np.array(values, dtype=np.float32)[:, None, :, None]


def test_presence_is_averaged_and_the_surer_network_weighs_more_in_the_time():
    found = mean_frames(frames((0.9, 1.0), (0.3, -1.0)))

    assert (found.shape, found.dtype) == ((1, 2, 1), np.float32)
    np.testing.assert_allclose(found[0, :, 0], [0.6, 0.5], rtol=1e-6)  # (0.9 - 0.3) / 1.2


def test_where_no_network_finds_anything_the_time_is_finite():
    np.testing.assert_array_equal(mean_frames(frames((0, 1), (0, 3)))[0, :, 0], [0, 2])


@pytest.fixture
def windows(make_event_windows):
    return make_event_windows(n_samples=(300, 240))["test"]


def test_candidates_are_sought_in_the_mean(windows):
    whole = find_candidates(network(0.6, 1.0), windows)

    mean = find_candidates(averaged([network(0.9, 1.0), network(0.3, 1.0)]), windows)

    assert len(whole) > 0
    np.testing.assert_allclose(mean.time, whole.time, rtol=1e-5)
    np.testing.assert_allclose(mean.score, whole.score, rtol=1e-5)


def test_a_stream_gives_the_frames_of_the_file(windows):
    scoring = averaged([network(0.9, 2.0), network(0.3, -1.0), network(0.5)])
    [of_file, _] = [np.concatenate(list(pieces)) for pieces in scoring.recordings(windows)]

    stream, found = scoring.stream(), []
    for first in range(0, 300, 7):
        found += stream.push(windows.signal[first : min(first + 7, 300)])
    found += stream.finish()

    np.testing.assert_allclose(np.concatenate(found), of_file, atol=1e-6)


def test_networks_whose_frames_lie_apart_are_refused():
    finer = network(layout=Layout(window_samples=60, hop_samples=5, first_centre=2.0))

    with pytest.raises(UserError, match="the frames of these models lie apart"):
        averaged([network(), finer])


def test_one_network_is_itself():
    one = network()

    assert averaged([one]) is one
