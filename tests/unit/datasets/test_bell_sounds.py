"""Single strikes are cut where they begin, and sensors hear them in a room."""

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import resample_poly

from fixtures.databases import BELL_ONSET
from seqbench.datasets import bell_sounds
from seqbench.datasets.base import DataError
from seqbench.datasets.bell_sounds import (
    LEAD_S,
    RATE_HZ,
    SOUND_M_PER_S,
    heard,
    onset_sample,
    responses,
    strike,
)


@pytest.fixture
def bell(write_bells, tmp_path):
    return write_bells(tmp_path) / "CRE/towers/St_Michael/1.wav"


def test_a_strike_begins_where_the_bell_is_struck_and_not_where_the_room_hums(bell):
    _, sound = wavfile.read(bell)

    assert abs(onset_sample(sound / 32768) - BELL_ONSET) <= 2


def test_a_recording_that_begins_with_the_strike_begins_at_its_first_samples(bell):
    _, sound = wavfile.read(bell)

    assert onset_sample(sound[BELL_ONSET:] / 32768) <= 2


def test_strikes_keep_silence_before_them_and_are_equally_loud(bell):
    sounds = [strike(bell), strike(bell.with_name("2.wav"))]

    lead = round(LEAD_S * RATE_HZ)
    for sound in sounds:
        assert not sound[: lead - 50].any()
        assert np.abs(sound[lead : lead + 20]).max() > 0.5
        assert np.sqrt((sound[lead : lead + round(0.3 * RATE_HZ)] ** 2).mean()) == pytest.approx(1)
        assert sound[-1] == pytest.approx(0)


@pytest.mark.parametrize(
    ("made", "problem"),
    [({"rate_hz": 22050}, "its rate is 22050 Hz"), ({"ringing_s": 2.0}, "it has no strike that")],
)
def test_other_recordings_are_refused_by_name(write_bells, tmp_path, made, problem):
    path = write_bells(tmp_path, **made) / "CRE/towers/St_Michael/1.wav"

    with pytest.raises(DataError, match=rf"1\.wav: {problem}.*reinstall"):
        strike(path)


def test_sound_comes_at_its_speed_and_falls_with_distance(monkeypatch):
    monkeypatch.setattr(bell_sounds, "REFLECTED", 0.0)

    found = responses(np.random.default_rng(0), 3, 4)

    delay, pressure = found.argmax(axis=2), found.max(axis=2)
    assert ((found > 0).sum(axis=2) == 1).all()
    assert len(np.unique(delay)) > 8
    np.testing.assert_allclose(delay / RATE_HZ * SOUND_M_PER_S, 1 / pressure, atol=0.005)


def test_walls_add_what_comes_later_and_weaker():
    found = responses(np.random.default_rng(0), 2, 2)

    for response in found.reshape(4, -1):
        first = np.flatnonzero(response)[0]
        assert response[first] == response.max()
        assert response[first + 1 :].sum() > response[first]  # a room that rings


def test_a_lower_rate_hears_the_same_strike_without_what_is_high():
    click = np.zeros(RATE_HZ)
    click[round(LEAD_S * RATE_HZ)] = 1.0
    straight = np.zeros((1, 1, 10))
    straight[..., 0] = 2.0

    (slow, peaks), (fast, same) = (heard([click], straight, rate) for rate in (2000, 8000))

    assert slow.shape == (1, 1, 2000)
    assert np.abs(slow[0, 0]).argmax() == LEAD_S * 2000
    assert np.abs(fast[0, 0]).argmax() == LEAD_S * 8000
    assert peaks == same == 2.0
    below = resample_poly(fast[0, 0], 1, 4)
    np.testing.assert_allclose(below, slow[0, 0], atol=0.02 * np.abs(slow).max())
