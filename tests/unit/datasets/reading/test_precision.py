"""A channel whose changes single precision loses is refused, and no other."""

from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.datasets.reading.lazy_recording import lazy_recording
from seqbench.datasets.reading.precision import FEWEST_STEPS, Precision
from seqbench.datasets.reading.recording import read_recording
from seqbench.datasets.reading.source import BLOCK_SAMPLES

SWING = 50 * np.sin(np.arange(5000) / 7)
NOISE = np.random.default_rng(0).normal(size=5000)


def steps(*signals: np.ndarray) -> float:
    """Return the steps that single precision keeps of one channel in some recordings."""
    found = []
    for signal in signals:
        found.append(Precision.of(1))
        found[-1].look_at(np.asarray(signal)[:, None])
    return float(Precision.joined(found).n_steps()[0])


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        # Values around 1e9 are 64 apart in single precision: a range of 100 holds one or two.
        (np.rint(1e9 + SWING).astype(np.int64), 1.6),
        (1e9 + SWING, 1.6),
        (np.where(abs(NOISE) > 2.3, 0, 1e9 + SWING), 1.6),  # dropouts make no range
        (1.7e12 + 100 * np.arange(5000.0), 3.4),  # milliseconds since 1970, 131072 apart
    ],
    ids=["counts", "floats", "dropouts", "times"],
)
def test_steps_are_those_of_single_precision_within_the_range(signal, expected):
    assert steps(signal) == pytest.approx(expected, rel=0.3)
    assert steps(signal) < FEWEST_STEPS


@pytest.mark.parametrize(
    "signal",
    [
        SWING,
        1e4 + SWING,
        1e9 + SWING.astype(np.float32),  # what was lost before is not lost here
        np.rint(1.6e7 + SWING / 25).astype(np.int64),  # whole numbers below 2**24 are exact
        np.full(5000, 9.81),
        9.81 + 1e-15 * NOISE,  # rounding in double precision
        1013.25 + 0.05 * NOISE,
        np.where(np.arange(5000) % 100, 1000.0, 1001.3),  # rare pulses
        np.zeros(5000, dtype=np.int64),
    ],
    ids=[
        "small", "offset", "float32", "whole", "constant", "rounding", "pressure", "pulses", "zero",
    ],
)  # fmt: skip
def test_what_loses_nothing_that_matters_has_many_steps(signal):
    assert steps(np.float32(1e9) + signal if signal.dtype == np.float32 else signal) >= FEWEST_STEPS


@pytest.mark.parametrize("where", [NOISE > 1, NOISE < 1], ids=["some", "most"])
def test_unknown_values_have_no_part_in_it(where):
    assert steps(np.where(where, np.nan, 1e9 + SWING)) == pytest.approx(1.6, rel=0.3)
    assert steps(np.where(where, np.nan, 1e4 + SWING)) >= FEWEST_STEPS
    assert steps(np.full(5000, np.nan)) == np.inf


def test_a_sensor_that_rests_in_one_recording_and_moves_in_others_is_kept():
    resting, moving = 48.1 + 1e-6 * NOISE, 48.1 + 0.1 * NOISE

    assert steps(resting) < FEWEST_STEPS
    assert steps(resting, moving) >= FEWEST_STEPS


def test_a_file_is_refused_with_channel_offset_and_fix(make):
    files = {
        "recordings/a.npy": np.stack([NOISE, np.zeros(5000)], axis=1),
        "recordings/b.npy": np.stack([NOISE, 1e9 + np.where(NOISE > 0, 50, -50)], axis=1),
        "labels.csv": "recording,label\na,walk\nb,run\n",
    }
    root = make(files, alone=True)

    with pytest.raises(DataError) as caught:
        folder(Path(), path=str(root))

    message = str(caught.value)
    assert "recordings/b.npy: channel 'ch1' varies by 100 around " in message
    assert "keeps 3 steps; subtract a number near 1000000050 from it in all files" in message
    assert folder(Path(), path=str(root), channels=("ch0",)).channels == ["ch0"]


@pytest.mark.parametrize("read", [read_recording, lazy_recording])
@pytest.mark.parametrize("suffix", ["npy", "csv", "parquet"])
def test_every_reader_looks_at_what_stands_in_the_file(tmp_path, suffix, read):
    import pandas as pd

    path = tmp_path / f"a.{suffix}"
    values = np.rint(1e9 + SWING).astype(np.int64)
    match suffix:
        case "npy":
            np.save(path, values)
        case "csv":
            pd.DataFrame({"x": values}).to_csv(path, index=False)
        case "parquet":
            pd.DataFrame({"x": values}).to_parquet(path)

    assert read(path).precision.n_steps()[0] < 3


def test_a_lazy_recording_is_read_on_where_it_begins_at_rest(tmp_path):
    path = tmp_path / "a.npy"
    rest = 48.1 + 1e-6 * np.resize(NOISE, BLOCK_SAMPLES)
    np.save(path, np.concatenate([rest, 48.1 + 0.1 * NOISE]))

    assert lazy_recording(path).precision.n_steps()[0] >= FEWEST_STEPS
