"""XDF files: which stream is the recording, its clock, and samples that were lost."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.recording import read_recording
from seqbench.datasets.reading.xdf_stream import segments_of_stamps

from .conftest import xdf_chunk, xdf_stream

pyxdf = pytest.importorskip("pyxdf")

N = 400
COUNTER = np.column_stack([np.arange(float(N)), -np.arange(float(N))])
TIMES = 500 + np.arange(N) / 50


def rate_of_stamps(path, stamps, nominal_hz):
    return segments_of_stamps(path, stamps, nominal_hz)[0]


@pytest.fixture
def save(tmp_path):
    def call(*streams: bytes):
        path = tmp_path / "one.xdf"
        path.write_bytes(b"XDF:" + xdf_chunk(1, b"<info></info>") + b"".join(streams))
        return path

    return call


def test_one_of_several_streams_is_chosen_by_its_channels(save, joined, refusal):
    path = save(
        xdf_stream(1, COUNTER, TIMES),
        xdf_stream(2, 2 * COUNTER, TIMES, name="Cap", labels=("ay", "Cz")),
        xdf_stream(3, COUNTER, TIMES, name="Keys", labels=("k", "l"), rate_hz=0),
    )

    message = refusal(path)
    assert "2 streams, each with a clock: 'Tower', 'Cap'" in message
    assert "`channels`; it has ax, Tower/ay, Cap/ay, Cz" in message
    assert joined(path, ["Cz", "Cap/ay"]).tolist() == (2 * COUNTER[:, ::-1]).tolist()
    assert read_recording(path, ["ax"]).units == ["g"]
    refusal(path, ["ax", "Cz"])


def test_a_channel_named_as_no_signal_is_read_by_name_alone(save, refusal, joined):
    path = save(xdf_stream(1, COUNTER, TIMES, labels=("Cz", "Sample Counter")))

    assert "'Sample Counter' holds row numbers" in refusal(path)
    assert joined(path, ["Cz"]).shape == (N, 1)


def test_channels_without_a_description_are_numbered(save):
    assert read_recording(save(xdf_stream(1, COUNTER, TIMES, labels=()))).channels == ["ch0", "ch1"]


def test_a_stream_without_a_rate_is_no_recording(save, refusal):
    assert "nominal rate" in refusal(save(xdf_stream(1, COUNTER, TIMES, rate_hz=0)))


def test_lost_samples_are_named_with_their_time(save, refusal):
    late = TIMES + np.where(np.arange(N) >= 225, 0.3, 0)

    message = refusal(save(xdf_stream(1, COUNTER, late)))

    assert "jump by 0.3 s behind sample 225, 4.48 s from its start" in message


def test_samples_missing_against_the_footer_are_refused(save, refusal):
    assert "400 of the 420 samples" in refusal(save(xdf_stream(1, COUNTER, TIMES, n_counted=420)))


def test_what_pyxdf_skips_as_damaged_is_refused(save, refusal):
    path = save(xdf_stream(1, COUNTER, TIMES))
    data = path.read_bytes()
    at = data.index(b"\x04\x14\x00\x00\x00\x08")  # of 20 samples
    path.write_bytes(data[:at] + b"\x04\x15" + data[at + 2 :])

    assert "it is damaged" in refusal(path)


def test_long_files_are_refused_where_memory_is_bounded(write, refusal_of_blocks, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.xdf_stream.WHOLE_BYTES", 1000)
    path = write(".xdf")

    assert "too much to read at once; save the stream as HDF5" in refusal_of_blocks(path)
    assert len(read_recording(path).signal) == 200


def test_the_rate_is_that_of_the_stamps_where_they_drift(tmp_path):
    drifting = np.arange(60_000) / 99.93
    jitter = np.random.default_rng(0).uniform(0, 0.04, 60_000)

    assert rate_of_stamps(tmp_path, drifting, 100) == pytest.approx(99.93, rel=1e-9)
    assert rate_of_stamps(tmp_path, drifting + jitter, 100) == pytest.approx(99.93, rel=1e-5)
    assert rate_of_stamps(tmp_path, np.arange(60_000) / 100 + jitter, 100) == pytest.approx(
        100, rel=1e-5
    )
    assert rate_of_stamps(tmp_path, np.arange(1000) / 100, 100) == 100
    assert rate_of_stamps(tmp_path, [3.0], 100) == 100


@pytest.mark.parametrize("n_lost", [6, 50, 1000])
@pytest.mark.parametrize("at", [300, 5_000, 9_700, 9_850])
def test_a_jump_is_found_wherever_it_is(tmp_path, n_lost, at):
    samples = np.arange(10_000)
    jitter = np.random.default_rng(0).uniform(0, 0.02, 10_000)
    stamps = (samples + np.where(samples >= at, n_lost, 0)) / 100 + jitter

    with pytest.raises(DataError, match="time stamps jump"):
        rate_of_stamps(tmp_path, stamps, 100)
