"""What tests of predictions share."""

import pytest

import seqbench
from fixtures.knocking import N_SAMPLES


@pytest.fixture(scope="module")
def signal(knocks):
    return knocks.recording(knocks.drawn(N_SAMPLES), N_SAMPLES)


@pytest.fixture(scope="module")
def events(knocks, signal):
    """What is found in `signal` as an array."""
    return seqbench.predict(knocks.model, signal)
