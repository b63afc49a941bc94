"""A channel whose changes single precision loses is refused, and no other."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.datasets.reading.lazy_recording import lazy_recording
from seqbench.datasets.reading.precision import FEWEST_STEPS, Precision
from seqbench.datasets.reading.recording import read_recording
from seqbench.datasets.reading.source import BLOCK_SAMPLES
from seqbench.windowing.windows import make_windows

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


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (1e9 + SWING, 1e9),
        (-1e9 - 437 + SWING, -1000000400.0),
        (1.7e12 + 123456 + NOISE, 1700000123460.0),
        (48.123456 + 1e-6 * NOISE, 48.12346),
        (9.81 + NOISE, 0.0),
    ],
)
def test_what_is_subtracted_is_a_round_number_near_the_values(signal, expected):
    precision = Precision.of(1)
    precision.look_at(signal[:, None])

    assert precision.offsets() == (pytest.approx(expected, rel=1e-15),)
    assert steps(signal - precision.offsets()[0]) >= FEWEST_STEPS


@pytest.fixture
def counted(make) -> Path:
    """A folder of two recordings of a small channel, and one that swings around 1e9."""
    counts = [np.rint(1e9 + sign * SWING) for sign in (1, -1)]
    return make(
        {
            "recordings/a.npy": np.stack([NOISE, counts[0]], axis=1),
            "recordings/b.npy": np.stack([NOISE, counts[1]], axis=1),
            "labels.csv": "recording,label\na,walk\nb,run\n",
        },
        alone=True,
    )


def test_an_offset_is_subtracted_before_the_cast_and_stated(counted):
    recordings = folder(Path(), path=str(counted))

    np.testing.assert_array_equal(recordings.signals[1][:, 1], np.rint(-SWING))
    np.testing.assert_array_equal(recordings.signals[1][:, 0], NOISE.astype(np.float32))
    assert recordings.source["subtracted"] == [0.0, 1e9]
    assert recordings.units == ["", "less 1000000000"]
    assert recordings.source["notes"] == [
        "Single precision would lose the changes of channel 'ch1' beside its offset, so 1000000000"
        " is subtracted from it, here and in predictions."
    ]


def test_an_offset_of_targets_is_that_of_their_unit(counted):
    (counted / "labels.csv").unlink()

    recordings = folder(Path(), path=str(counted), task="regression", targets=("ch1",))

    np.testing.assert_array_equal(recordings.targets[0][:, 0], np.rint(SWING))
    assert recordings.target_units == ["less 1000000000"]
    assert recordings.source["subtracted"] == [0.0]


def test_without_the_channel_nothing_is_subtracted_nor_noted(counted):
    source = folder(Path(), path=str(counted), channels=("ch0",)).source

    assert source.keys() == {"origin", "files"}


def test_offsets_that_differ_too_much_between_recordings_are_refused(counted):
    np.save(counted / "recordings/b.npy", np.stack([NOISE, 3e9 + SWING], axis=1))

    with pytest.raises(DataError) as caught:
        folder(Path(), path=str(counted))

    message = str(caught.value)
    assert "a.npy: channel 'ch1' varies by" in message
    assert "around offsets as far apart as 2e+09" in message
    assert "subtract the offset of each recording in its file" in message


def test_a_logarithm_of_what_is_left_is_refused(counted):
    recordings = folder(Path(), path=str(counted), task="forecasting")

    with pytest.raises(DataError, match="leave `log` out"):
        make_windows(recordings, job({}, transform={"log": True}, length_samples=8))


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
