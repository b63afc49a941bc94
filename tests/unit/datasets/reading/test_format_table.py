"""The table of formats in recordings.md holds, and every format is the same in any pieces."""

import importlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqbench.datasets.base import DataError
from seqbench.datasets.labels import label_files
from seqbench.datasets.reading.lazy_recording import lazy_recording
from seqbench.datasets.reading.recording import READERS, open_recording, read_recording
from seqbench.datasets.reading.stream import csv_stream
from seqbench.prediction.label_files import WRITERS as WRITERS_OF_LABELS

from .conftest import RATE_HZ, SIGNAL, WRITERS, xdf_stream

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "recordings.md"
ROW = re.compile(r"^\| (`\..*) \|$", re.M)
NO = "\N{EN DASH}"


def table() -> dict[str, dict[str, str]]:
    """Return the cells of each suffix by the head of their column."""
    text = PAGE.read_text(encoding="utf-8")
    head = re.search(r"^\| (suffix .*) \|$", text, re.M)
    columns = head[1].split(" | ")
    rows = {}
    for line in ROW.findall(text):
        cells = dict(zip(columns, line.split(" | "), strict=True))
        rows |= {suffix: cells for suffix in re.findall(r"`(\.\w+)`", cells["suffix"])}
    return rows


TABLE = table()


def test_the_table_has_every_format():
    assert sorted(TABLE) == sorted(READERS)


@pytest.mark.parametrize("suffix", READERS)
def test_names_clock_and_units_are_those_of_the_table(write, suffix):
    cells, read = TABLE[suffix], read_recording(write(suffix))

    assert cells["whole"] == "yes"
    assert read.channels == (["ch0", "ch1"] if cells["names"] == NO else ["ax", "ay"])
    assert read.units == (["", ""] if cells["units"] == NO else ["g", "g"])
    assert read.sampling_rate_hz == (None if cells["clock"] == NO else RATE_HZ)


@pytest.mark.parametrize("suffix", READERS)
def test_a_clock_has_a_start_where_the_table_says_so(tmp_path, write, suffix):
    path, start_s = write(suffix), starting_late(tmp_path / f"late{suffix}")

    times = read_recording(path if start_s is None else tmp_path / f"late{suffix}").times

    has_start = TABLE[suffix]["clock"] == "time column" or "start: " in TABLE[suffix]["clock"]
    assert has_start == (start_s is not None)
    if TABLE[suffix]["clock"] == NO:
        assert times is None
    else:
        assert times.start_s == (start_s or 0)


def test_without_a_start_time_tdms_counts_from_its_first_sample(tmp_path, write):
    starting_late(tmp_path / "late.tdms", wf_start_time=np.datetime64("1904-01-01T00:00:00"))

    assert read_recording(tmp_path / "late.tdms").times.start_s == 0.25
    assert read_recording(write(".tdms")).times.start_s == 0


def starting_late(path: Path, **changes: object) -> float | None:
    """Write a recording with a start on its clock, and return that; None if the format has none."""
    suffix = path.suffix
    if suffix in (".csv", ".txt", ".parquet"):
        frame = pd.DataFrame({"time_s": 5 + np.arange(200) / RATE_HZ, "ax": SIGNAL[:, 0]})
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)
        return 5.0
    if suffix in (".edf", ".bdf"):
        WRITERS[suffix](path, SIGNAL)
        data = path.read_bytes()
        for record in range(4):  # the second character of what follows is no part of an onset
            onset, late = (f"+{record}{end}\x14\x14\x00".encode() for end in ("", ".5"))
            at = data.index(onset)
            behind = data[at + len(onset) :]
            cut = behind.index(b"\x00\x00")
            data = data[:at] + late + behind[:cut] + behind[cut + 2 :]
        path.write_bytes(data)
        return 0.5
    if suffix == ".tdms":
        nptdms = pytest.importorskip("nptdms")
        clock = {"wf_start_time": np.datetime64("2024-05-01T12:00:00.5"), "wf_start_offset": 0.25,
                 "wf_increment": 1 / RATE_HZ} | changes  # fmt: skip
        with nptdms.TdmsWriter(str(path)) as file:
            file.write_segment([nptdms.ChannelObject("tower", "ax", SIGNAL[:, 0].copy(), clock)])
        return 1714564800.75
    if suffix == ".mseed":
        obspy = pytest.importorskip("obspy")
        trace = obspy.Trace(SIGNAL[:, 0].copy())
        trace.stats.update({"sampling_rate": RATE_HZ, "channel": "ax"})
        trace.stats.starttime = obspy.UTCDateTime(2024, 5, 1, 12, 0, 0, 500_000)
        obspy.Stream([trace]).write(str(path), format="MSEED")
        return 1714564800.5
    return None


@pytest.mark.parametrize("suffix", READERS)
def test_files_are_read_in_pieces_up_to_the_limit_of_the_table(write, monkeypatch, suffix):
    for name in ("mat_file", "miniseed_file", "xdf_stream"):
        module = importlib.import_module(f"seqbench.datasets.reading.{name}")
        assert module.WHOLE_BYTES == 256 << 20
        monkeypatch.setattr(module, "WHOLE_BYTES", 1000)
    path = write(suffix)

    if TABLE[suffix]["in pieces"].startswith("up to 256 MiB"):
        with pytest.raises(DataError, match="too much to read at once; "):
            open_recording(path).__enter__()
    else:
        with open_recording(path) as recording:
            assert len(list(recording.samples())) > 10


@pytest.mark.parametrize("suffix", [s for s in READERS if TABLE[s]["streamed"] == "yes"])
def test_a_stream_gives_the_samples_of_the_file(write, suffix):
    path = write(suffix)

    blocks = list(csv_stream(io.BytesIO(path.read_bytes()), 2))

    np.testing.assert_array_equal(np.concatenate(blocks), read_recording(path).signal)


def with_gap(path: Path) -> None:
    """Write a recording that lacks a second, or one of two channels with a gap."""
    times = np.arange(200) / RATE_HZ + np.where(np.arange(200) < 120, 0, 1)
    suffix = path.suffix
    if suffix in (".csv", ".txt", ".parquet"):
        frame = pd.DataFrame({"time_s": times, "ax": SIGNAL[:, 0]})
        frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)
    elif suffix in (".edf", ".bdf"):
        WRITERS[suffix](path, SIGNAL)
        data = path.read_bytes()
        path.write_bytes(data.replace(b"+3\x14\x14", b"+4\x14\x14").replace(b"+2\x14", b"+3\x14"))
    elif suffix == ".mseed":
        obspy = pytest.importorskip("obspy")
        traces = [obspy.Trace(SIGNAL[:100, 0].copy()), obspy.Trace(SIGNAL[100:, 0].copy())]
        traces[1].stats.starttime += 1000
        obspy.Stream(traces).write(str(path), format="MSEED")
    elif suffix == ".xdf":
        pytest.importorskip("pyxdf")
        path.write_bytes(b"XDF:" + xdf_stream(1, SIGNAL, times))
    else:
        raise AssertionError(f"the table has gaps in {suffix}, of which none is written here")


@pytest.mark.parametrize("suffix", [s for s in READERS if TABLE[s]["gaps"] != NO])
def test_a_gap_is_refused_with_its_place(tmp_path, refusal, suffix):
    with_gap(tmp_path / f"one{suffix}")

    assert TABLE[suffix]["gaps"] == "refused or split"
    message = refusal(tmp_path / f"one{suffix}")
    assert re.search(r"(gap|jump|step) .*\d s", message)
    assert "set `gaps: split`" in message


@pytest.mark.parametrize("suffix", [s for s in READERS if TABLE[s]["gaps"] != NO])
def test_a_gap_is_split_at_its_place(tmp_path, suffix):
    with_gap(tmp_path / f"one{suffix}")

    times = read_recording(tmp_path / f"one{suffix}", gaps="split").times

    start = 100 if suffix in (".edf", ".bdf", ".mseed") else 120  # of what lies behind the gap
    gap_s = 900 if suffix == ".mseed" else 1
    rate = 1 if suffix == ".mseed" else RATE_HZ
    assert times.starts == (0, start)
    first, second = times.segments
    assert (first.rate_hz, second.start_s - first.start_s) == (
        rate,
        pytest.approx(start / rate + gap_s),
    )


@pytest.mark.parametrize("suffix", READERS)
def test_labels_in_a_recording_are_of_a_format_that_is_read(suffix):
    cell = TABLE[suffix]["labels"]

    assert cell == NO or cell.strip("`") in label_files.READERS


@pytest.mark.parametrize("suffix", READERS)
def test_predictions_are_written_back_in_formats_that_are_written(suffix):
    cell = TABLE[suffix]["written back"]

    assert cell == "any" or all(name.strip("`") in WRITERS_OF_LABELS for name in cell.split(", "))


@pytest.mark.parametrize("suffix", sorted({*READERS} - {".txt", ".hdf5"}))  # as .csv, .h5
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_samples=st.integers(3, 150), longest=st.integers(10, 90), data=st.data())
def test_any_pieces_are_the_whole(tmp_path, monkeypatch, suffix, n_samples, longest, data):
    path = tmp_path / f"one{suffix}"
    seed = data.draw(st.integers(0, 1000))
    signal = np.random.default_rng(seed).uniform(-0.9, 0.9, (n_samples, 2))
    path.unlink(missing_ok=True)
    WRITERS[suffix](path, signal)
    whole = read_recording(path)
    channels = data.draw(st.sampled_from([None, whole.channels[::-1], whole.channels[1:]]))
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", longest)

    with open_recording(path, channels) as recording:
        pieces = list(recording.samples())

    assert max(map(len, pieces)) <= longest
    order = [whole.channels.index(name) for name in channels or whole.channels]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.signal[:, order])
    np.testing.assert_allclose(whole.signal[:n_samples], signal, atol=1e-4)
    on_disk = lazy_recording(path, channels)
    start = data.draw(st.integers(0, n_samples - 1))
    np.testing.assert_array_equal(
        on_disk.signal[start:n_samples], whole.signal[start:n_samples, order]
    )
