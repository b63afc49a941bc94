"""Sensors of a wristband come to one rate and one clock, and the log names the periods."""

import numpy as np
import pytest

from seqbench.datasets import download
from seqbench.datasets.base import DataError
from seqbench.datasets.stress_predict import SUMS, stress_predict

START_S = 1644228000  # of the files that the fixture writes
ONE = ("S01",)


@pytest.fixture
def load(tmp_path):
    """Load one subject without margins, at 8 Hz by default."""
    given = {"subjects": ONE, "sampling_rate_hz": 8.0, "margin_s": 0.0}
    return lambda **options: stress_predict(tmp_path, **given | options)


@pytest.fixture
def refusal(write_wrist, tmp_path, load):
    """Return the folder and the message that refuses it, written with changes."""

    def call(**changes):
        folder = write_wrist(tmp_path, **changes)
        with pytest.raises(DataError) as caught:
            load()
        assert "\n" not in str(caught.value)
        return folder, str(caught.value)

    return call


def write_stream(folder, name, rate, values, start_s=START_S):
    """Write one file of S01; `values` are (n,) or (n, C)."""
    rows = np.asarray(values, dtype=float).reshape(len(values), -1)
    head = [[start_s] * rows.shape[1], [rate] * rows.shape[1]]
    lines = [",".join(f"{value!r}" for value in row) for row in [*head, *rows.tolist()]]
    (folder / f"Raw_data/S01/{name}.csv").write_text("\n".join(lines) + "\n")


def spans(recordings, kind):
    mine = recordings.label == recordings.classes.index(kind)
    pairs = zip(recordings.label_start[mine], recordings.label_stop[mine], strict=True)
    return [(int(start), int(stop)) for start, stop in pairs]


def test_six_channels_come_at_one_rate_with_their_units(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    recordings = load()

    assert recordings.channels == ["bvp", "eda", "acc_x", "acc_y", "acc_z", "temperature"]
    assert recordings.units == ["", "µS", "g", "g", "g", "°C"]
    assert [*recordings.source["physiology"]] == recordings.channels
    assert recordings.source["physiology"]["bvp"] == "pulse"
    assert recordings.sampling_rate_hz == 8
    assert (recordings.names, recordings.groups, recordings.splits) == (["S01"], ["S01"], [""])


def test_leading_zeros_of_bvp_and_eda_are_dropped(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    signal = load().signals[0]

    # Three zeros of BVP at 8 Hz, one of EDA at 2 Hz: the recording begins 0.5 s after the files.
    # It ends with the sensors whose last sample is 1199.5 s after the start.
    assert len(signal) == (1199.5 - 0.5) * 8 + 1
    assert signal[0].tolist() == pytest.approx([1.5, 1.5, 1.5 / 64, 3 / 64, 4.5 / 64, 1.5])
    assert signal[:, 1].min() == 1.5


def test_a_zero_after_the_first_measurement_stays(write_wrist, tmp_path, load):
    write_wrist(tmp_path, lines={"S01/EDA.csv": {7: "0.000000"}})

    at = round((2 - 0.5) * 8)  # row 7 holds what was measured 2 s after the start
    assert load().signals[0][at, 1] == 0


def test_channels_stay_in_step_at_every_rate(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    for rate in (1.0, 2.5, 4.0, 8.0, 10.0, 32.0):
        signal = load(sampling_rate_hz=rate).signals[0]

        # All signals rise by one in a second; the filter bends the ends.
        time_s = 1 + np.arange(len(signal)) / rate + np.ceil(0.5 * rate) / rate
        inside = (time_s > 30) & (time_s < 1170)
        for column, slope in enumerate([1, 1, 1 / 64, 2 / 64, 3 / 64, 1]):
            found = signal[inside, column] / slope
            np.testing.assert_allclose(found, time_s[inside], rtol=5e-5, err_msg=f"{rate} Hz")
            assert abs((found - time_s[inside]).mean()) < 0.01


def test_a_step_at_one_time_lands_on_one_sample(write_wrist, tmp_path, load):
    folder = write_wrist(tmp_path)
    middle_s = 20.125  # half-way between two samples of EDA, and a sample of BVP
    for name, rate, n_columns in (("BVP", 64, 1), ("ACC", 32, 3), ("EDA", 4, 1), ("TEMP", 4, 1)):
        time_s = np.arange(1200 * rate) / rate
        step = 1.5 + 0.5 * np.sign(time_s - middle_s)  # 1, 1.5 in the middle, 2
        write_stream(folder, name, rate, np.tile(step[:, None] * 64, (1, n_columns)))

    signal = load(sampling_rate_hz=32.0).signals[0] / [64, 64, 1, 1, 1, 64]

    at = round(middle_s * 32)
    np.testing.assert_allclose(signal[at], 1.5, atol=1e-5)
    assert (signal[at - 1] < 1.5).all()
    assert (signal[at + 1] > 1.5).all()


def test_what_the_new_rate_cannot_carry_is_filtered_out(write_wrist, tmp_path, load):
    folder = write_wrist(tmp_path)
    time_s = np.arange(1200 * 64) / 64
    slow, fast = np.sin(2 * np.pi * 1.5 * time_s), np.sin(2 * np.pi * 30 * time_s)
    write_stream(folder, "BVP", 64, 5 + slow + fast)  # at 32 Hz, 30 Hz would fold to 2 Hz

    signal = load(sampling_rate_hz=32.0).signals[0]

    first = round(0.5 * 32)
    kept = slow[2 * first :: 2][: len(signal)]
    np.testing.assert_allclose(signal[100:-100, 0] - 5, kept[100:-100], atol=0.01)


def test_slow_sensors_are_joined_by_straight_lines(write_wrist, tmp_path, load):
    folder = write_wrist(tmp_path)
    write_stream(folder, "TEMP", 2, [30.0] * 10 + [31.0] * 2390)

    at = round((4.5 - 0.5) * 8)  # the last sample of 30 degrees is 4.5 s after the start

    assert load().signals[0][at : at + 6, 5].tolist() == [30, 30.25, 30.5, 30.75, 31, 31]


def test_files_that_start_at_different_times_are_aligned(write_wrist, tmp_path, load):
    folder = write_wrist(tmp_path)
    # One that starts three seconds late by its own clock holds the value of three seconds later.
    write_stream(folder, "TEMP", 2, 4 + np.arange(2000) / 2, start_s=START_S + 3)

    recordings = load()

    assert recordings.signals[0][0, [0, 5]].tolist() == [4, 4]
    assert len(recordings.signals[0]) == 999.5 * 8 + 1
    assert spans(recordings, "stress")[0] == ((3 * 60 - 3) * 8, (5 * 60 - 3) * 8)


def test_times_of_the_log_become_samples(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    recordings = load()

    # Minutes of the log from the start of the files; the recording begins 0.5 s later.
    def at(minutes):
        return minutes * 60 * 8 - 4

    assert recordings.classes == ["rest", "stress"]
    assert spans(recordings, "stress") == [(at(3), at(5)), (at(7), at(9)), (at(11), at(13))]
    assert spans(recordings, "rest") == [
        (at(1), at(3)),
        (at(5), at(7)),
        (at(9), at(11)),
        (at(13), at(15)),
        (at(16), at(18)),
    ]


def test_a_margin_is_left_at_both_ends_of_a_period(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    recordings = load(margin_s=50.0)

    assert spans(recordings, "stress")[0] == ((180 + 50) * 8 - 4, (300 - 50) * 8 - 4)
    assert load(margin_s=0.25).label_start[0] == 60 * 8 + 2 - 4


def test_afternoons_are_written_by_a_clock_of_twelve_hours(write_wrist, tmp_path, load):
    # Quarter to one to twenty past one, with files that start at five to one.
    afternoon = {"G3": 12.75 / 24, "H3": 1 / 24, "I3": 1 / 24, "J3": (1 + 5 / 60) / 24}
    folder = write_wrist(tmp_path, cells=afternoon)
    for name, rate, width in (("BVP", 8, 1), ("EDA", 2, 1), ("ACC", 4, 3), ("TEMP", 2, 1)):
        write_stream(folder, name, rate, np.ones((1200 * rate, width)), START_S + 175 * 60)

    recordings = load()

    assert spans(recordings, "rest") == [(0, 5 * 60 * 8)]
    assert spans(recordings, "stress") == [(5 * 60 * 8, 10 * 60 * 8)]


def test_the_later_of_two_overlapping_periods_ends_the_earlier(write_wrist, tmp_path, load):
    write_wrist(tmp_path, cells={"H3": 604 / 1440})  # the baseline, one minute into the test

    recordings = load()

    assert spans(recordings, "rest")[0] == (60 * 8 - 4, 180 * 8 - 4)
    assert spans(recordings, "stress")[0] == (180 * 8 - 4, 300 * 8 - 4)


def test_what_the_recording_does_not_cover_has_no_label(write_wrist, tmp_path, load):
    write_wrist(tmp_path, n_seconds=8 * 60)

    recordings = load()

    assert spans(recordings, "stress") == [
        (180 * 8 - 4, 300 * 8 - 4),
        (420 * 8 - 4, len(recordings.signals[0])),
    ]


def test_subjects_are_loaded_in_the_order_of_the_option(write_wrist, tmp_path, load):
    write_wrist(tmp_path, ["S01", "S02"], cells={"I4": 602.5 / 1440})

    recordings = load(subjects=("S02", "S01"))

    assert recordings.names == ["S02", "S01"]
    assert spans(recordings, "stress")[0][0] == 150 * 8 - 4
    assert "These are 2 of the 35 subjects." in recordings.source["notes"]
    assert set(recordings.source["files"]) == {
        "Processed_data/Time_logs.xlsx",
        *(f"Raw_data/S0{i}/{name}.csv" for i in (1, 2) for name in ("BVP", "EDA", "ACC", "TEMP")),
    }


@pytest.mark.parametrize(
    ("file", "lines", "message"),
    [
        ("BVP", {900: "much"}, "row 900, column 'ch0': 'much' is not a number; write a number"),
        ("ACC", {40: "1,2"}, "row 40: 2 cells, but 3 in the first row; give every row"),
        ("EDA", {50: "nan"}, "row 50, column 'ch0': nan is not finite;"),
        ("TEMP", {1: "12.5"}, "row 1: it holds no start in seconds since 1970; restore"),
        ("TEMP", {1: "time"}, "row 1, column 'ch0': 'time' is not a number"),
        ("BVP", {2: "0"}, "row 2: it holds no rate in Hz; restore"),
        ("ACC", {2: "4,4,8"}, "row 2: it holds no rate in Hz; restore"),
    ],
)
def test_a_malformed_row_is_named(refusal, file, lines, message):
    folder, found = refusal(lines={f"S01/{file}.csv": lines})

    assert found.startswith(f"{folder}/Raw_data/S01/{file}.csv, {message}")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("BVP", "", ": the file is empty"),
        ("BVP", "1644228000\n", ", row 2: it holds no rate in Hz"),
        ("BVP", "1644228000\n64\n", ": it holds no samples below its start and rate"),
        ("BVP", "1644228000\n64\n0\n-0.00\n", ": all its samples are zero"),
        ("ACC", "1644228000\n32\n1\n", ", row 1: it has 1 column instead of 3"),
        ("TEMP", "1644928000\n4\n30\n", None),
    ],
)
def test_a_damaged_file_is_named(write_wrist, tmp_path, load, file, text, message):
    folder = write_wrist(tmp_path) / "Raw_data/S01"
    (folder / f"{file}.csv").write_text(text)

    with pytest.raises(DataError) as caught:
        load()

    start = f"{folder}: its files have no time in common"
    assert str(caught.value).startswith(
        start if message is None else f"{folder}/{file}.csv{message}"
    )


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"I1": "Sing"}, ", row 1, column 'I': the heading is 'Sing' instead of 'Stroop'; restore"),
        ({"J2": None}, ", row 2, column 'J': the heading is '' instead of 'End'; restore"),
        ({"M3": "10:07"}, ", row 3, column 'M': '10:07' is no time of day; restore"),
        ({"N3": None}, ", row 3, column 'N': '' is no time of day; restore"),
        ({"Q3": 1.5}, ", row 3, column 'Q': '1.5' is no time of day; restore"),
        ({"L3": 605 / 1440}, ", row 3, column 'L': the period ends before it starts; restore"),
        ({"Z3": "Monday"}, ", row 3, column 'Z': it holds no date; restore"),
        ({"Z3": 12.0}, ", row 3, column 'Z': it holds no date; restore"),
        ({"A3": "S02"}, ": 0 rows are of S01 instead of one;"),
        ({"A4": "S01"}, ": 2 rows are of S01 instead of one;"),
    ],
)
def test_a_malformed_cell_of_the_log_is_named(refusal, cells, message):
    folder, found = refusal(cells=cells)

    assert found.startswith(f"{folder}/Processed_data/Time_logs.xlsx{message}")


def test_a_log_of_another_day_is_refused(refusal):
    folder, found = refusal(cells={"Z3": 44600})

    assert found.startswith(f"{folder}/Raw_data/S01: no period of Time_logs.xlsx lies in")


@pytest.mark.parametrize(
    ("subjects", "message"),
    [
        ((), "subjects: none; name some of S01 to S35"),
        (("S36",), "subjects: S36; name some of S01 to S35, each once"),
        (("../S01",), "subjects: ../S01; name"),
        (("S01", "S02", "S01"), "subjects: S01, S02, S01; name .*, each once"),
    ],
)
def test_subjects_that_do_not_exist_are_refused(load, subjects, message):
    with pytest.raises(DataError, match=message):
        load(subjects=subjects)


def test_a_rate_that_is_no_simple_fraction_is_refused(write_wrist, tmp_path, load):
    write_wrist(tmp_path)

    with pytest.raises(DataError, match=r"sampling_rate_hz: 3\.14159 is no simple fraction of the"):
        load(sampling_rate_hz=3.14159)


def test_what_is_absent_is_downloaded_with_its_checksums(tmp_path, load, monkeypatch):
    requested = {}
    monkeypatch.setattr(
        download, "_retrieve", lambda url, path, known_hash: requested.update({url: known_hash})
    )

    with pytest.raises(DataError, match="it lacks 5 files"):  # nothing was really fetched
        load()

    assert len(requested) == len(SUMS) == 25
    url = next(url for url in requested if url.endswith("/Raw_data/S03/ACC.csv"))
    assert url.startswith(
        "https://raw.githubusercontent.com/italha-d/Stress-Predict-Dataset/f49d2ea"
    )
    assert requested[url] == f"sha256:{SUMS['Raw_data/S03/ACC.csv']}"


def test_subjects_without_a_known_checksum_are_not_downloaded(tmp_path, load):
    with pytest.raises(DataError, match="no checksum of the files of S07 is known; put its files"):
        load(subjects=("S01", "S07"))

    assert not (tmp_path / "stress-predict").exists()


def test_the_real_presses_of_the_button_agree_with_the_labels(real):
    cache = real("stress-predict")

    recordings = stress_predict(cache, margin_s=0.0)

    assert {name: SUMS[name] for name in recordings.source["files"]} == recordings.source["files"]
    minutes = recordings.lengths / 32 / 60
    assert (minutes > 54).all()
    assert (minutes < 60).all()
    assert np.bincount(recordings.label).tolist() == [30, 18]
    far_s = []
    for i, name in enumerate(recordings.names):
        folder = cache / "stress-predict/Raw_data" / name
        # Zeros of EDA last a quarter of a second, those of BVP less.
        start_s = float((folder / "EDA.csv").read_text().split()[0]) + 0.25
        mine = recordings.label_recording == i
        ends = np.concatenate([recordings.label_start[mine], recordings.label_stop[mine]])
        for press in (folder / f"tags_{name}.csv").read_text().split():
            far_s.append(np.abs(start_s + ends / 32 - float(press)).min())
    assert len(far_s) == 51
    assert np.median(far_s) < 25
    assert sum(far > 120 for far in far_s) == 1
