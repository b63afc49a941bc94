"""Recordings with gaps: their segments, and which labels lie in them."""

from pathlib import Path

import numpy as np
import pytest

from seqbench.config.stages import SplitSettings
from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.windowing.split import assign_splits
from seqbench.windowing.time_split import split_in_time

N = 100


def with_gap(start_s=0.0, n=N, gap_s=2.0):
    """Return a table of 100 Hz: half of the samples, a gap, the other half."""
    times = start_s + np.arange(n) / 100 + np.where(np.arange(n) < n // 2, 0, gap_s)
    rows = "".join(f"{time:.3f},{i * i % 89}\n" for i, time in enumerate(times))
    return f"time_s,x\n{rows}"


FILES = {
    "recordings/a.csv": with_gap(),
    "recordings/b.csv": with_gap(gap_s=0),
    "recordings/c.csv": with_gap(gap_s=0),
    "recordings/d.csv": with_gap(gap_s=0),
}
EVENTS = """recording,onset_s,label,offset_s
a,0.10,bell,0.2
a,0.40,bell,2.6
a,1.00,bell,
a,1.10,bell,2.6
a,2.70,bell,
b,0.70,bell,
c,0.70,bell,
d,0.70,bell,
"""


@pytest.fixture
def read(make):
    return lambda files, **options: folder(
        Path("unused"), path=str(make(files, alone=True)), **options
    )


def detection(read, files=FILES, events=EVENTS, **options):
    given = dict(files) | {"events.csv": events}
    return read(given, task="detection", **{"gaps": "split"} | options)


def test_what_is_between_gaps_is_a_recording_of_the_same_group(read):
    found = detection(read)

    assert found.names == ["a~1", "a~2", "b", "c", "d"]
    assert found.groups == ["a", "a", "b", "c", "d"]
    assert found.lengths.tolist() == [50, 50, 100, 100, 100]
    assert found.signals[1][:2, 0].tolist() == [50 * 50 % 89, 51 * 51 % 89]
    assert found.known.tolist() == [[0, n] for n in found.lengths]


def test_events_are_in_the_segment_of_their_onset_and_none_in_a_gap(read):
    found = detection(read)

    spans = zip(found.label_recording, found.label_start, found.label_stop, strict=True)
    assert [tuple(map(int, span)) for span in spans][:3] == [(0, 10, 20), (0, 40, 50), (1, 20, 21)]
    first, lost, cut = found.source["notes"]
    assert first.startswith("1 recording of 4 with gaps")
    assert "a (1 gap, the first of 2 s at 0.5 s)" in first
    assert "2 labels in gaps (events.csv, row 4, events.csv, row 5)" in lost
    assert cut == "1 event lasting over a gap ends where it begins: events.csv, row 3."


def test_labels_may_be_on_the_clock_of_the_file(read):
    files = FILES | {"recordings/a.csv": with_gap(start_s=7)}
    events = EVENTS.replace("a,0.10,bell,0.2", "a,7.10,bell,7.2")
    events = "\n".join(
        line for line in events.split("\n") if not line.startswith("a,") or "7.1" in line
    )
    found = detection(read, files, events + "a,9.60,bell,\n", times="clock")

    assert found.label_start[:2].tolist() == [10, 10]
    assert found.label_recording[:2].tolist() == [0, 1]


def test_a_recording_whose_events_lie_in_gaps_was_searched(read):
    events = "recording,onset_s,label\na,1.0,bell\nb,0.7,bell\n"
    found = detection(read, events=events)

    assert found.label_recording.tolist() == [2]
    assert found.known.tolist() == [[0, 50], [0, 50], [0, 100], [0, 0], [0, 0]]


def test_classes_of_intervals_reach_over_gaps(read):
    rows = "a,run,0.2,2.7\na,walk,2.7,3\na,walk,0.6,0.9\nb,walk,0,1\n"
    found = read(FILES | {"labels.csv": f"recording,label,start_s,end_s\n{rows}"}, gaps="split")

    rows = zip(found.label_recording, found.label, found.label_start, found.label_stop, strict=True)
    assert sorted(tuple(map(int, row)) for row in rows) == [
        (0, 0, 20, 50), (1, 0, 0, 20), (1, 1, 20, 50), (2, 1, 0, 100),
    ]  # fmt: skip
    assert "1 label in gaps (labels.csv, row 4)" in found.source["notes"][1]


def test_a_class_of_a_whole_recording_is_that_of_its_segments(read):
    files = FILES | {"labels.csv": "recording,label\na,run\nb,walk\n"}
    found = read(files, gaps="split")

    assert found.label_recording.tolist() == [0, 1, 2]
    assert found.label_stop.tolist() == [50, 50, 100]


def test_gaps_are_refused_unless_the_option_is_set(read, tmp_path):
    with pytest.raises(DataError, match=r"a\.csv, row 52, .*set `gaps: split`"):
        detection(read, gaps="refuse")


def test_a_recording_with_the_name_of_a_segment_is_refused(read):
    files = FILES | {"recordings/a~2.csv": with_gap(gap_s=0)}

    with pytest.raises(DataError, match=r"a~2\.csv: 'a~2' is the name of a segment of 'a'"):
        detection(read, files)


@pytest.mark.parametrize("by", ["group", "recording"])
@pytest.mark.parametrize("groups", [None, "recording,group\na,x\nb,x\nc,y\nd,z\n"])
def test_a_split_names_all_segments_of_a_recording_and_never_parts_them(read, by, groups):
    files = FILES if groups is None else FILES | {"groups.csv": groups}
    found = detection(read, files)
    together = [*"ab"] if groups and by == "group" else ["a"]

    split = assign_splits(found, SplitSettings(by=by, test=together, val=["d"]))

    assert dict(zip(found.names, split, strict=True)) == {
        "a~1": "test",
        "a~2": "test",
        "b": "test" if "b" in together else "train",
        "c": "train",
        "d": "val",
    }
    with pytest.raises(DataError, match="name the whole group"):
        assign_splits(found, SplitSettings(by=by, test=["a~1"], val=["d"]))
    for seed in range(10):
        drawn = assign_splits(found, SplitSettings(by=by, seed=seed, test=0.3, val=0.3))
        assert drawn[0] == drawn[1]


def test_recordings_of_several_rates_become_those_of_one_and_events_stay(read):
    def pulse(rate_hz, at_s):
        times = np.arange(int(4 * rate_hz)) / rate_hz
        values = np.exp(-0.5 * ((times - at_s) * 40) ** 2)
        rows = "".join(f"{t:.9f},{x:.6f}\n" for t, x in zip(times, values, strict=True))
        return f"time_s,x\n{rows}"

    rates, onsets = (100, 128.5, 499.3), (1.234, 2.345, 3.125)
    names = "abc"
    files = {
        f"recordings/{name}.csv": pulse(rate, at)
        for name, rate, at in zip(names, rates, onsets, strict=True)
    }
    events = "".join(f"{name},{at},pulse\n" for name, at in zip(names, onsets, strict=True))
    found = detection(
        read, files, f"recording,onset_s,label\n{events}", resample=True, sampling_rate_hz=100
    )

    assert found.sampling_rate_hz == 100
    peaks = [int(signal[:, 0].argmax()) for signal in found.signals]
    assert found.label_start.tolist() == peaks
    assert found.lengths.tolist() == [400, 400, 400]


def test_segments_are_not_split_in_time(read):
    with pytest.raises(DataError, match="'a' was split at its gaps"):
        split_in_time(detection(read), SplitSettings(by="time"), context_samples=0, n_lost=0)
