"""Records of PhysioNet become recordings with the beats and waves that are annotated."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seqbench.config.datasets import built_in_datasets
from seqbench.datasets.base import DataError
from seqbench.datasets.physionet import DS1, DS1_TEST, DS1_VAL, DS2, ludb, mitdb
from seqbench.storage.recordings import Recordings

LEADS = ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"]
# Sample and code of each mark: seven beats among a change of rhythm, noise and flutter.
BEATS = [(10, "+"), (40, "N"), (90, "~"), (140, "A"), (240, "V"), (340, "F"), (400, "!")]
BEATS += [(440, "/"), (540, "L"), (640, "Q")]
# Two beats; the first T wave has no end, the second is marked twice.
WAVES = [(600, "("), (620, "p"), (640, ")"), (650, "("), (700, "N"), (750, ")"), (800, "t")]
WAVES += [(1600, "("), (1700, "N"), (1750, ")"), (1800, "("), (1801, "("), (1850, "t")]
WAVES += [(1852, "t"), (1900, ")"), (1901, ")")]


@pytest.fixture(scope="module")
def whole_mitdb(tmp_path_factory, write_record, write_marks):
    """A cache of short records, named as in the database; 114 has its leads swapped."""
    cache = tmp_path_factory.mktemp("cache")
    for name in DS1 + DS2:
        channels = ["V5", "MLII"] if name == "114" else ["MLII", "V1"]
        write_record(cache / "mitdb", name, channels)
        write_marks(cache / "mitdb", name, "atr", BEATS)
    return cache


@pytest.fixture(scope="module")
def beats(whole_mitdb):
    return mitdb(whole_mitdb)


@pytest.fixture
def own_mitdb(whole_mitdb, tmp_path):
    """A copy of the folder, to be spoilt; the cache is `tmp_path`."""
    return shutil.copytree(whole_mitdb / "mitdb", tmp_path / "mitdb")


@pytest.fixture
def make_ludb(write_record, write_marks):
    """Write short records, named as in the database; return their folder."""

    def make(cache: Path, names: Sequence[str] = ("1", "2", "10")) -> Path:
        for name in names:
            write_record(cache / "ludb/data", name, LEADS, rate_hz=500, n_samples=2500)
            write_marks(cache / "ludb/data", name, "ii", WAVES)
        return cache / "ludb"

    return make


def events(recordings: Recordings, name: str) -> list[tuple[int, int, str]]:
    """Return (start, stop, type) of the events of a recording."""
    rows = np.flatnonzero(recordings.label_recording == recordings.names.index(name))
    return [
        (
            int(recordings.label_start[i]),
            int(recordings.label_stop[i]),
            recordings.classes[recordings.label[i]],
        )
        for i in rows
    ]


def shortest_interval_s(recordings: Recordings) -> float:
    keys = np.stack([recordings.label_recording, recordings.label], axis=1)
    order = np.lexsort((recordings.label_start, keys[:, 1], keys[:, 0]))
    same = (np.diff(keys[order], axis=0) == 0).all(axis=1)
    return np.diff(recordings.label_start[order])[same].min() / recordings.sampling_rate_hz


def test_beats_of_four_types_are_the_events_and_nothing_else(beats):
    expected = [(40, 41, "N"), (140, 141, "S"), (240, 241, "V"), (340, 341, "F"), (540, 541, "N")]
    assert beats.classes == ["N", "S", "V", "F"]
    assert events(beats, "101") == events(beats, "234") == expected
    assert "Left out of the events: 88 beats of AAMI class Q." in beats.source["notes"]


def test_every_beat_counts_where_the_type_does_not(whole_mitdb):
    recordings = mitdb(whole_mitdb, types="qrs")

    assert recordings.classes == ["QRS"]
    assert [start for start, _, _ in events(recordings, "101")] == [
        40,
        140,
        240,
        340,
        440,
        540,
        640,
    ]
    assert not any("class Q" in note for note in recordings.source["notes"])


def test_types_rank_by_their_mean_where_most_beats_are_of_one(beats, whole_mitdb):
    assert beats.ranked_types == ["N", "S", "V"]
    assert mitdb(whole_mitdb, types="qrs").ranked_types is None


def test_a_window_of_the_built_in_entry_holds_ten_seconds_and_knows_one_amplitude(beats):
    entry = built_in_datasets()["mitdb"]

    assert entry.window.length_samples == 10 * beats.sampling_rate_hz
    assert entry.normalization == "per_window"  # people differ, and per_recording is refused


def test_the_lead_mlii_is_taken_from_every_record(beats):
    signals = dict(zip(beats.names, beats.signals, strict=True))

    assert (beats.channels, beats.units) == (["MLII"], ["mV"])
    assert beats.sampling_rate_hz == 360
    assert signals["101"][0].tolist() == [0]
    assert signals["114"][0].tolist() == [1]  # as written, MLII is its second channel


def test_the_other_lead_comes_second_in_every_record(whole_mitdb):
    both = mitdb(whole_mitdb, leads="both")
    signals = dict(zip(both.names, both.signals, strict=True))

    assert (both.channels, both.units) == (["MLII", "V"], ["mV", "mV"])
    assert signals["101"][0].tolist() == [0, 1]
    assert signals["114"][0].tolist() == [1, 0]


def test_the_second_set_of_de_chazal_is_test(beats):
    split = dict(zip(beats.names, beats.splits, strict=True))

    assert sorted(split) == sorted(DS1 + DS2)
    assert len(split) == 44
    assert not {"102", "104", "107", "217"} & set(split)  # paced
    assert {name for name, part in split.items() if part == "test"} == set(DS2)
    assert {name for name, part in split.items() if part == "val"} == set(DS1_VAL) < set(DS1)
    assert beats.groups == beats.names
    assert any("201 (train) and 202 (test) are of one person" in n for n in beats.source["notes"])


def test_without_the_second_set_records_of_the_first_are_test_and_the_notes_state_it(
    own_mitdb, tmp_path
):
    for name in DS2:
        for file in own_mitdb.glob(f"{name}.*"):
            file.unlink()

    recordings = mitdb(tmp_path)

    split = dict(zip(recordings.names, recordings.splits, strict=True))
    assert sorted(split) == sorted(DS1)
    assert {name for name, part in split.items() if part == "test"} == set(DS1_TEST)
    assert {name for name, part in split.items() if part == "val"} == set(DS1_VAL)
    assert any("not the official test split" in note for note in recordings.source["notes"])


def test_the_records_of_the_first_set_can_be_taken_alone(whole_mitdb):
    recordings = mitdb(whole_mitdb, records="ds1")

    assert sorted(recordings.names) == sorted(DS1)
    assert {n for n, s in zip(recordings.names, recordings.splits, strict=True) if s == "test"} == (
        set(DS1_TEST)
    )
    assert any("not the official test split" in note for note in recordings.source["notes"])


@pytest.mark.parametrize(
    ("channels", "rate_hz"), [(["V5", "V2"], 360), (["MLII"], 360), (["MLII", "V1"], 250)]
)
def test_a_record_with_other_leads_or_another_rate_is_refused(
    write_record, own_mitdb, tmp_path, channels, rate_hz
):
    write_record(own_mitdb, "101", channels, rate_hz=rate_hz)

    with pytest.raises(DataError, match=r"101\.hea: it is not of two leads.*; restore"):
        mitdb(tmp_path)


def test_a_mark_behind_the_end_of_the_signal_is_refused(write_marks, own_mitdb, tmp_path):
    write_marks(own_mitdb, "103", "atr", [(100, "N"), (720, "N")])

    with pytest.raises(DataError, match=r"103\.atr: it marks sample 720 of a record of 720"):
        mitdb(tmp_path)


def test_waves_start_at_their_peaks_and_end_at_their_offsets(make_ludb, tmp_path):
    make_ludb(tmp_path)

    recordings = ludb(tmp_path)

    assert recordings.classes == ["P", "QRS", "T"]
    assert recordings.known.tolist() == [[600, 1901]] * 3  # from the first mark to the last
    assert events(recordings, "2") == [
        (620, 640, "P"),
        (700, 750, "QRS"),
        (800, 801, "T"),  # its end is not marked
        (1700, 1750, "QRS"),
        (1850, 1851, "T"),  # marked again at 1852
    ]


def test_waves_from_their_start_on(make_ludb, tmp_path):
    make_ludb(tmp_path)

    recordings = ludb(tmp_path, onset="start")

    # A first onset may be found a little early.
    assert recordings.known.tolist() == [[575, 1901]] * 3
    assert events(recordings, "2") == [
        (600, 640, "P"),
        (650, 750, "QRS"),
        (800, 801, "T"),  # neither its start nor its end is marked
        (1600, 1750, "QRS"),
        (1801, 1802, "T"),
    ]
    assert recordings.source["notes"] == [
        "3 waves without a marked start: from their peak on.",
        "The folder holds 3 of the 200 records of LUDB.",
    ]


def test_a_last_wave_without_an_end_is_still_known(write_marks, make_ludb, tmp_path):
    write_marks(make_ludb(tmp_path) / "data", "1", "ii", [(700, "N"), (900, "t")])

    recordings = ludb(tmp_path)

    assert recordings.known[0].tolist() == [700, 901]
    assert events(recordings, "1") == [(700, 701, "QRS"), (900, 901, "T")]


def test_all_leads_are_channels_and_the_split_is_drawn_by_record(make_ludb, tmp_path):
    make_ludb(tmp_path)

    recordings = ludb(tmp_path)

    assert recordings.names == recordings.groups == ["1", "2", "10"]
    assert recordings.splits == ["", "", ""]
    assert (recordings.channels, set(recordings.units)) == (LEADS, {"mV"})
    assert recordings.signals[0].shape == (2500, 12)
    assert recordings.sampling_rate_hz == 500
    assert recordings.source["notes"] == ["The folder holds 3 of the 200 records of LUDB."]


def test_the_lead_chooses_the_annotation(write_marks, make_ludb, tmp_path):
    folder = make_ludb(tmp_path, ["1"])
    write_marks(folder / "data", "1", "avf", [(702, "N"), (750, ")")])

    assert events(ludb(tmp_path, lead="avf"), "1") == [(702, 750, "QRS")]
    with pytest.raises(DataError, match=r"it lacks 1 file: data/1\.v5"):
        ludb(tmp_path, lead="v5")


def test_records_of_unlike_leads_are_refused(write_record, make_ludb, tmp_path):
    write_record(make_ludb(tmp_path) / "data", "10", LEADS[:3], rate_hz=500, n_samples=2500)

    with pytest.raises(DataError, match=r"10\.hea: it has other leads"):
        ludb(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "ludb").mkdir()

    with pytest.raises(DataError, match="it holds no records; get them from https"):
        ludb(tmp_path)


def test_the_real_beats_are_as_many_as_published_and_every_part_has_all_types(real):
    recordings = mitdb(real("mitdb"))

    parts = np.array(recordings.splits)[recordings.label_recording]
    n = {
        part: np.bincount(recordings.label[parts == part], minlength=4)
        for part in ("train", "val", "test")
    }
    in_ds1 = np.isin(np.array(recordings.names)[recordings.label_recording], DS1)
    assert np.bincount(recordings.label[in_ds1]).tolist() == [45866, 944, 3788, 415]
    assert min(of_part.min() for of_part in n.values()) >= 10
    assert shortest_interval_s(recordings) >= recordings.refractory_s
    assert set(recordings.lengths) == {650_000}


def test_the_real_waves_are_within_what_is_known_and_no_two_are_too_near(real):
    recordings = ludb(real("ludb"))

    known = recordings.known[recordings.label_recording]
    assert (recordings.label_start >= known[:, 0]).all()
    assert (recordings.label_stop <= known[:, 1]).all()
    assert shortest_interval_s(recordings) >= recordings.refractory_s
    if len(recordings.names) == 140:
        assert np.bincount(recordings.label).tolist() == [965, 1284, 1150]
