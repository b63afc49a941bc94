"""miniSEED files: gaps, and channels that do not go together."""

import numpy as np
import pytest

from seqbench.datasets.reading.recording import read_recording

obspy = pytest.importorskip("obspy")

COUNTER = np.arange(600, dtype=np.int32)


@pytest.fixture
def save(tmp_path):
    """Write traces of miniSEED: code, counter from, to, start in samples, station."""

    def call(*traces):
        stream = obspy.Stream()
        for code, begin, end, start, station in traces:
            trace = obspy.Trace(COUNTER[begin:end].copy())
            trace.stats.update({"network": "XX", "station": station, "channel": code,
                                "sampling_rate": 100.0})  # fmt: skip
            trace.stats.starttime = obspy.UTCDateTime(2020, 1, 1) + start / 100
            stream.append(trace)
        stream.write(str(tmp_path / "one.mseed"), format="MSEED", reclen=512)
        return tmp_path / "one.mseed"

    return call


def test_a_channel_has_its_code_or_its_whole_identifier(save, joined):
    path = save(("BHZ", 0, 600, 0, "A"), ("BHN", 0, 600, 0.2, "A"))
    assert read_recording(path).channels == ["BHZ", "BHN"]
    assert joined(path)[:, 0].tolist() == COUNTER.tolist()
    assert read_recording(path).sampling_rate_hz == 100

    path = save(("BHZ", 0, 600, 0, "A"), ("BHZ", 0, 600, 0, "B"))
    assert read_recording(path).channels == ["XX.A..BHZ", "XX.B..BHZ"]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        (350, "a gap of 0.5 s: it ends at 2020-01-01T00:00:03.000000Z and goes on at"
         " 2020-01-01T00:00:03.500000Z"),
        (250, "an overlap of 0.5 s"),
    ],
)  # fmt: skip
def test_a_gap_is_named_with_its_time_and_channel(save, refusal, joined, start, problem):
    path = save(("BHZ", 0, 600, 0, "A"), ("BHN", 0, 300, 0, "A"), ("BHN", 300, 600, start, "A"))

    message = refusal(path)

    assert f"channel 'BHN' has {problem}" in message
    assert joined(path, ["BHZ"]).shape == (600, 1)


@pytest.mark.parametrize(
    "other", [("BHN", 0, 500, 0, "A"), ("BHN", 0, 600, 1, "A"), ("BHN", 0, 600, 50, "A")]
)
def test_channels_of_another_span_are_refused(save, refusal, other):
    message = refusal(save(("BHZ", 0, 600, 0, "A"), other))

    assert "but 'BH" in message
    assert "cut them to one span" in message


def test_long_files_are_refused_where_memory_is_bounded(write, refusal_of_blocks, monkeypatch):
    monkeypatch.setattr("seqbench.datasets.reading.miniseed_file.WHOLE_BYTES", 1000)
    path = write(".mseed")

    assert "too much to read at once; write it as shorter files" in refusal_of_blocks(path)
    assert len(read_recording(path).signal) == 200
