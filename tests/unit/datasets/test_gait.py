"""Walks become recordings with one sample for each tick of the sensors' counter."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.gait import AXES, ipol_gait
from seqbench.storage.recordings import Recordings


def onsets(recordings: Recordings, kind: str) -> list[int]:
    return recordings.label_start[recordings.label == recordings.classes.index(kind)].tolist()


def test_a_step_is_a_toe_off_and_a_heel_strike_of_its_foot(write_trial, tmp_path):
    write_trial(tmp_path)

    recordings = ipol_gait(tmp_path)

    assert recordings.classes == [
        "left_toe_off",
        "left_heel_strike",
        "right_toe_off",
        "right_heel_strike",
    ]
    assert [onsets(recordings, kind) for kind in recordings.classes] == [
        [10, 50],
        [30, 70],
        [20, 60],
        [40, 80],
    ]
    assert (recordings.label_stop == recordings.label_start + 1).all()


def test_a_swing_is_a_foot_in_the_air(write_trial, tmp_path):
    write_trial(tmp_path)

    recordings = ipol_gait(tmp_path, events="swings")

    assert recordings.classes == ["left_swing", "right_swing"]
    rows = zip(recordings.label, recordings.label_start, recordings.label_stop, strict=True)
    assert list(rows) == [(0, 10, 30), (1, 20, 40), (0, 50, 70), (1, 60, 80)]


def test_a_swing_that_ends_behind_the_trial_has_no_end(write_trial, tmp_path):
    write_trial(tmp_path, right=range(70))  # the sensor stops in the last swing

    recordings = ipol_gait(tmp_path, events="swings")

    stops = recordings.label_stop[recordings.label == 1]
    assert stops.tolist() == [40, 61]


def test_six_axes_of_each_foot_are_the_channels(write_trial, tmp_path):
    write_trial(tmp_path)

    recordings = ipol_gait(tmp_path)

    assert recordings.channels[:2] == ["left_acc_x", "left_acc_y"]
    assert recordings.channels[9:] == ["right_gyr_x", "right_gyr_y", "right_gyr_z"]
    assert recordings.units == (["m/s²"] * 3 + ["rad/s"] * 3) * 2
    assert recordings.signals[0].shape == (100, 12)
    assert recordings.signals[0][7, [0, 5, 6, 11]].tolist() == [7, 12, 14, 19]
    assert recordings.sampling_rate_hz == 100


@pytest.mark.parametrize(("feet", "slope"), [("left", 1), ("right", 2)])
def test_one_foot_alone_has_six_channels_and_two_types(write_trial, tmp_path, feet, slope):
    write_trial(tmp_path)
    other = "rf" if feet == "left" else "lf"
    (tmp_path / f"ipol-gait/GaitData/1-1_{other}.txt").unlink()  # and needs one file

    recordings = ipol_gait(tmp_path, feet=feet)

    assert recordings.classes == [f"{feet}_toe_off", f"{feet}_heel_strike"]
    assert recordings.signals[0][7].tolist() == [7 * slope + axis for axis in range(6)]


def test_lost_packets_are_filled_in_and_events_keep_their_ticks(write_trial, tmp_path):
    left = [tick for tick in range(100) if tick not in (5, 6, 7, 8, 33)]
    write_trial(tmp_path, left=left)

    recordings = ipol_gait(tmp_path)

    assert recordings.lengths.tolist() == [100]
    np.testing.assert_allclose(recordings.signals[0][:, 0], np.arange(100), atol=1e-4)
    assert onsets(recordings, "left_heel_strike") == [30, 70]


def test_feet_share_the_ticks_that_both_recorded(write_trial, tmp_path):
    write_trial(tmp_path, left=range(2, 98), right=range(1, 100))

    recordings = ipol_gait(tmp_path)

    assert recordings.lengths.tolist() == [96]
    assert recordings.signals[0][0, [0, 6]].tolist() == [2, 4]  # both of tick 2
    assert onsets(recordings, "right_toe_off") == [18, 58]
    assert recordings.known.tolist() == [[0, 79]]


def test_a_counter_that_wraps_around_goes_on(write_trial, tmp_path):
    ticks = [(65500 + i) % 65536 for i in range(100)]
    write_trial(tmp_path, left=ticks, right=ticks, later=65500)  # by a counter that does not

    recordings = ipol_gait(tmp_path)

    assert recordings.lengths.tolist() == [100]
    assert onsets(recordings, "left_toe_off") == [10, 50]


def test_a_repeated_packet_counts_once(write_trial, tmp_path):
    write_trial(tmp_path, left=[*range(41), *range(40, 100)])

    assert ipol_gait(tmp_path).lengths.tolist() == [100]


def test_events_are_known_up_to_the_end_of_the_trial(write_trial, tmp_path):
    write_trial(tmp_path)

    recordings = ipol_gait(tmp_path)

    assert recordings.known.tolist() == [[0, 81]]
    assert 90 not in recordings.label_start


def test_a_sensor_that_stops_early_ends_what_is_known_and_is_noted(write_trial, tmp_path):
    write_trial(tmp_path, left=range(65))
    write_trial(tmp_path, "1-2")

    recordings = ipol_gait(tmp_path)

    assert recordings.known.tolist() == [[0, 65], [0, 81]]
    first = recordings.label_start[recordings.label_recording == 0]
    assert first.tolist() == [10, 20, 30, 40, 50, 60]
    assert "A sensor stops before the end of the walk in 1-1." in recordings.source["notes"]


def test_trials_of_a_subject_are_a_group_and_subject_11_is_left_out(write_trial, tmp_path):
    for name in ("10-1", "2-2", "2-1", "11-1"):
        write_trial(tmp_path, name)

    recordings = ipol_gait(tmp_path)

    assert recordings.names == ["2-1", "2-2", "10-1"]
    assert recordings.groups == ["subject2", "subject2", "subject10"]
    assert recordings.splits == ["", "", ""]
    assert recordings.source["notes"] == [
        "Subject 11 is left out: its events are shifted against the motion.",
        "The folder holds 2 of the 18 subjects.",
    ]
    assert sorted(recordings.source["files"])[0] == "GaitData/10-1.json"


def test_a_counter_that_goes_back_is_refused(write_trial, tmp_path):
    write_trial(tmp_path, right=[*range(50), *range(40, 100)])

    # Two lines stand above the first of the fifty rows.
    with pytest.raises(DataError, match=r"1-1_rf\.txt, row 53, column 'PacketCounter'"):
        ipol_gait(tmp_path)


def test_an_event_before_the_sensors_start_is_refused(write_trial, tmp_path):
    write_trial(tmp_path, left=range(15, 100))

    with pytest.raises(DataError, match=r"1-1\.json: it has an event at tick 10, .* start at 15"):
        ipol_gait(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("1-1.json", '{"TrialBoundaries": [1, 2]}'),
        ("1-1.json", "{"),
        ("1-1.json", '{"TrialBoundaries": [1, 2], "LeftFootEvents": [3], "RightFootEvents": []}'),
        ("1-1_lf.txt", ""),
        ("1-1_lf.txt", "Acquisition frequency: 100 Hz\nPacketCounter\tAcc_X\n0\t1\n"),
        ("1-1_lf.txt", "f\n" + "\t".join(["PacketCounter", *AXES]) + "\n0\t1\t2\n"),
        ("1-1_lf.txt", "f\n" + "\t".join(["PacketCounter", *AXES]) + "\n"),
    ],
)
def test_a_damaged_file_is_named(write_trial, tmp_path, file, content):
    folder = write_trial(tmp_path)
    (folder / file).write_text(content)

    with pytest.raises(DataError) as caught:
        ipol_gait(tmp_path)

    message = str(caught.value)
    assert message.startswith(str(folder / file))
    assert message.endswith("restore the file from the archive")
    assert "\n" not in message


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "ipol-gait").mkdir()

    with pytest.raises(DataError, match="GaitData: it holds no trials"):
        ipol_gait(tmp_path)


def test_the_real_events_are_within_the_trials_and_not_nearer_than_the_refractory_time(real):
    recordings = ipol_gait(real("ipol-gait"))

    known = recordings.known[recordings.label_recording]
    assert (recordings.label_start >= known[:, 0]).all()
    assert (recordings.label_stop <= known[:, 1]).all()
    order = np.lexsort((recordings.label_start, recordings.label, recordings.label_recording))
    keys = np.stack([recordings.label_recording, recordings.label], axis=1)[order]
    same_type = (np.diff(keys, axis=0) == 0).all(axis=1)
    shortest = np.diff(recordings.label_start[order])[same_type].min()
    assert shortest / recordings.sampling_rate_hz >= recordings.refractory_s
    if len(set(recordings.groups)) == 8:
        assert np.bincount(recordings.label).tolist() == [798, 798, 802, 802]
