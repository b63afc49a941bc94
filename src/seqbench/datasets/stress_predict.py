"""Stress and rest of people in a laboratory, from sensors on the wrist."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Level, PhysiologyKind, Positive, Text
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError, counted, fault
from seqbench.datasets.csv_text import number
from seqbench.datasets.download import checksums, listed_folder
from seqbench.datasets.events import Event, label_columns
from seqbench.datasets.reading.csv_table import CsvTable
from seqbench.datasets.reading.source import ReadOptions
from seqbench.datasets.workbook import read_sheet
from seqbench.storage.recordings import Recordings

COMMIT = "f49d2eae603f90c3f0140fbbbae7c0480d651023"
URL = f"https://raw.githubusercontent.com/italha-d/Stress-Predict-Dataset/{COMMIT}"
CITATION = (
    "Iqbal et al. (2022). Stress monitoring using wearable sensors: a pilot study and"
    " Stress-Predict dataset. Sensors 22(21):8135."
)
N_SUBJECTS = 35
LOG = "Processed_data/Time_logs.xlsx"
# SHA-256 of the files that a download fetches; those of the other subjects are not known.
SUMS = {
    LOG: "df03d3ace2f9f2812445ef9ebcddea742f6c05492dcf32c503189f2a9fdedd42",
    "Raw_data/S01/BVP.csv": "14d725b5ae55d5f1c93984d866882bace2dfef1ebd9c7cbe15e138a826af5e04",
    "Raw_data/S01/EDA.csv": "0185e625eb4db93f2fafb39ab1ec0df8b2a167f448cf1587e22d2b1268dca666",
    "Raw_data/S01/ACC.csv": "409e1e5576eed54cea71f5a90103bf553473700b6b8ec0ad1c695e84f6affe83",
    "Raw_data/S01/TEMP.csv": "a645bfdec9dcbd08ee90831f2a10d41e6fadcea5a7b11ecc4491f099edc067c7",
    "Raw_data/S02/BVP.csv": "0a4eaa2d5e46b0b7856ee7058e3685c13209f325a435dedf8e230e04fb022b39",
    "Raw_data/S02/EDA.csv": "42f2ad7fd695b9cf40ddaf7f690b3b7723d290d15502d2c91c02dbfcea840dc9",
    "Raw_data/S02/ACC.csv": "b83648c8a8779e14d5a76f9152d37ac17b38eb5bb7ecef721905f52fe5181b43",
    "Raw_data/S02/TEMP.csv": "721bc85bbd733de7f952ff983c5cf732f93ccd280f7c9d0d1081d9a593ae7792",
    "Raw_data/S03/BVP.csv": "8cf7d66df9baf4bac7229e9148ed361232656bcbc24f9e29a07670a8f217e7f6",
    "Raw_data/S03/EDA.csv": "ab2538cfd5f449837153b4e819f9233e47efc83f6d042a5ed080465a0a8f9fd2",
    "Raw_data/S03/ACC.csv": "f676f489aa37b0e64966cf7e09e1e75ae2e2f4cf3a898bab7cd29b07b82fd9ee",
    "Raw_data/S03/TEMP.csv": "d3b210b1c46b1142476b407c0dcf76fb2978121ee6515607b8ca8b7435cbfb07",
    "Raw_data/S04/BVP.csv": "95200c3ca339a5e911ffac1c367ba0a0ad010e084ba28c09fc8e989fa5a172c1",
    "Raw_data/S04/EDA.csv": "c28854fc056773e8987adc597a493a063aeafc268c993fb5b5587a52fffcc160",
    "Raw_data/S04/ACC.csv": "64d37d048f830e0b9ce93a65e9dcf67f5bb546d249b36332206fb421834d0766",
    "Raw_data/S04/TEMP.csv": "d60531f06d337618768077ce88f5aae949f40e388fd07f31a642e90e6443e578",
    "Raw_data/S05/BVP.csv": "b8473cf6df8f7d9ad3bfdc42f89411a260af4c626054937588a157148ab7a922",
    "Raw_data/S05/EDA.csv": "c7309a09aa1155def4c3ae9deaaa099ce3b2757f27c917d5e7996a96e6889165",
    "Raw_data/S05/ACC.csv": "1b9bdd861138b9ae3f8be6bf5d7ee6addd6b89d71af8d8248c289523b269f554",
    "Raw_data/S05/TEMP.csv": "6a24a00ba4b3cec80161674b24e8bba17f9d911764a2d4881e767b78b27e523f",
    "Raw_data/S06/BVP.csv": "cf8cca3f35e605ceb7fc3d23a4c3618de81bf06488c31fdd31024d32a52684a9",
    "Raw_data/S06/EDA.csv": "476baf362ab9ddd93d72fa2b5db45ae40ed7fdffc030bcb4a19331df79bd8b95",
    "Raw_data/S06/ACC.csv": "28038e4404793fd168529bec9c40d3ca2e9db25af2d10445ae75912ccdb75ab4",
    "Raw_data/S06/TEMP.csv": "46f5378d58060b4c8a50140670c01456177d44609b7b66897ea8684adb6dfe26",
}
HINT = "restore the original file"


class Sensor(NamedTuple):
    """A file of the E4: its channels and their unit, of which a step of the file is `step`."""

    file: str
    kind: PhysiologyKind
    channels: tuple[str, ...]
    unit: str
    step: float = 1.0
    starts_with_zeros: bool = False  # before the first measurement


SENSORS = (
    Sensor("BVP.csv", "pulse", ("bvp",), "", starts_with_zeros=True),
    Sensor("EDA.csv", "eda", ("eda",), "µS", starts_with_zeros=True),
    Sensor("ACC.csv", "acceleration", ("acc_x", "acc_y", "acc_z"), "g", step=1 / 64),
    Sensor("TEMP.csv", "temperature", ("temperature",), "°C"),
)
CLASSES = ("rest", "stress")
# Columns of a period's start and end in the log, how its heading begins, and its class.
PERIODS = (
    ("G", "H", "Baseline/", "rest"),
    ("I", "J", "Stroop", "stress"),
    ("K", "L", "Relax", "rest"),
    ("M", "N", "Interview", "stress"),
    ("O", "P", "Relax", "rest"),
    ("Q", "R", "Hyperventilation", "stress"),
    ("S", "T", "Relax", "rest"),
    ("W", "X", "Relax/Baseline", "rest"),
)
SUBJECT, DATE = "A", "Z"
DAY_S = 86400
DAYS_TO_1970 = 25569  # from day 0 of a spreadsheet
# The log has no morning and afternoon; sessions began after nine and ended before five.
FIRST_HOUR_S = 8 * 3600
EARLIEST_START_S = 1e9  # in 2001: less is no time since 1970
LARGEST_DENOMINATOR = 1000  # of the ratio of two rates
# With scipy's own window a steady 33 °C would ripple by 0.01 °C where a rate is no whole part.
FILTER = ("kaiser", 8.0)
ALMOST = 1e-6  # of a sample, what rounding of times since 1970 may add


class Stream(NamedTuple):
    """What one sensor recorded.

    Parameters
    ----------
    start_s, first_s, last_s
        Times of the first sample, the first measurement and the last sample in
        seconds since 1970, UTC.
    rate_hz
        Samples per second.
    values
        (n_samples, C), in the unit of the channels. Samples before the first
        measurement hold that measurement.
    """

    start_s: float
    first_s: float
    last_s: float
    rate_hz: float
    values: NDArray[np.float64]


@DATASETS.register(
    "stress_predict",
    task="classification",
    sample="series",
    offers=("physiology",),
    imports=("pandas", "scipy.signal"),
)
def stress_predict(
    cache: Path,
    *,
    subjects: tuple[Text, ...] = ("S01", "S02", "S03", "S04", "S05", "S06"),
    sampling_rate_hz: Positive = 32.0,
    margin_s: Level = 30.0,
) -> Recordings:
    """Stress tasks and rest between them, an hour of wrist sensors for each person.

    Parameters
    ----------
    cache
        Holds the folder `stress-predict`, or receives it.
    subjects
        People of the data set, S01 to S35. A download fetches S01 to S06 (16 MB),
        whose checksums are known; files of others are put into the folder by hand.
    sampling_rate_hz
        Rate to which all channels are brought.
    margin_s
        Seconds at both ends of each period that stay without a label, since
        the log gives its times to the minute.

    Returns
    -------
    Recordings
        One per person of 54 to 59 minutes, a group each, six channels: blood
        volume pulse (no unit), skin conductance (µS), acceleration along three
        axes (g) and skin temperature (°C). Labels are the periods of the log:
        stress for the Stroop test, the interview and hyperventilation, rest
        for the baseline before and the relaxation after each of them.

    Raises
    ------
    DataError
        If a file is absent or damaged, the download fails, a subject is not in
        the log, or the log does not fit the recording.

    Notes
    -----
    Source: the raw files of the Empatica E4 in italha-d/Stress-Predict-Dataset,
    commit f49d2ea, MIT licence. In each file row 1 is the start in seconds
    since 1970, UTC, row 2 the rate; sensors are aligned by them. Blood volume
    pulse comes at 64 Hz, acceleration at 32 Hz, the other two at 4 Hz.
    Above the requested rate a signal is filtered against aliasing, below it is
    joined by straight lines; neither shifts it in time. The first 11 samples
    of blood volume pulse and the first one of skin conductance are zeros
    before any measurement; recordings begin behind them, and end with the
    sensor that stops first.

    `Time_logs.xlsx` gives start and end of each period in whole minutes of
    Irish time by a clock of twelve hours, and the date. All sessions were in
    February and March 2022, in winter time, which is UTC. The button presses
    in `tags_*.csv`, to the second in UTC, confirm it: of the 51 presses of
    S01 to S06, half are within 23 s of the nearest start or end in the log, 49
    within 95 s, one of S02 is 102 s and one of S06 256 s off; an hour's shift
    would put the baselines out of the recordings. The log of S02 and S03 is
    mostly about a minute early. The labels that the authors derived for S02
    turn to stress and back with the presses of the Stroop test. Presses differ
    in number and do not name their period, so the log alone
    makes the labels. It has its periods in another order for S01; consent and
    the second questionnaire are neither stress nor rest and have no label,
    and so has what the recording does not cover. Where two periods overlap,
    the later one ends the earlier.

    The classes also differ in how people sit and move: speaking and breathing
    hard show in acceleration and pulse, whether or not a person feels stress.
    Levels, of skin conductance most of all, differ more from person to person
    than from rest to stress.

    References
    ----------
    Iqbal, Simpkin, Roshan, et al. (2022). Stress monitoring using wearable
    sensors: a pilot study and Stress-Predict dataset. Sensors 22(21):8135.
    """
    known = [f"S{number:02d}" for number in range(1, N_SUBJECTS + 1)]
    if not subjects or {*subjects} - {*known} or len({*subjects}) < len(subjects):
        found = ", ".join(subjects) or "none"
        raise DataError(f"subjects: {found}; name some of S01 to S{N_SUBJECTS}, each once")
    folder = cache / "stress-predict"
    unlisted = [one for one in subjects if f"Raw_data/{one}/BVP.csv" not in SUMS]
    if unlisted and not folder.is_dir():
        hint = f"put its files from {URL} into the folder, or leave it out of `subjects`"
        problem = f"it is absent, and no checksum of the files of {unlisted[0]} is known"
        raise fault(folder, problem, hint)
    folder = listed_folder(folder, {URL: SUMS})
    names = [f"Raw_data/{subject}/{sensor.file}" for subject in subjects for sensor in SENSORS]
    files = checksums(folder, [LOG, *names], URL)
    log = folder / LOG
    rows = _log_rows(log)

    signals: list[NDArray[np.float32]] = []
    labels: list[list[Event]] = []
    for subject in subjects:
        place = folder / "Raw_data" / subject
        signal, start_s = _signal(place, sampling_rate_hz)
        signals.append(signal)
        periods = _periods(log, rows, subject)
        spans = _spans(periods, start_s, sampling_rate_hz, margin_s, len(signal))
        if not spans:
            hint = "restore the original files, or choose a smaller margin_s"
            raise fault(place, f"no period of {log.name} lies in its recording", hint)
        labels.append(spans)
    notes = [
        f"Times of the log are whole minutes; {margin_s:g} s at both ends of each period have no"
        " label.",
        "Stress here is a task: speaking and fast breathing move sensors whether or not a person"
        " feels stress.",
    ]
    if len(subjects) < N_SUBJECTS:
        notes.append(f"These are {len(subjects)} of the {N_SUBJECTS} subjects.")
    return Recordings(
        task="classification",
        sample="series",
        signals=signals,
        names=list(subjects),
        groups=list(subjects),
        splits=[""] * len(subjects),
        channels=[channel for sensor in SENSORS for channel in sensor.channels],
        units=[sensor.unit for sensor in SENSORS for _ in sensor.channels],
        classes=list(CLASSES),
        **label_columns(labels),
        sampling_rate_hz=sampling_rate_hz,
        source={
            "origin": URL,
            "licence": "MIT",
            "citation": CITATION,
            "files": files,
            "notes": notes,
            "physiology": {
                channel: sensor.kind for sensor in SENSORS for channel in sensor.channels
            },
        },
    )


def _signal(folder: Path, rate_hz: float) -> tuple[NDArray[np.float32], float]:
    """Return the channels of a subject, (n_samples, 6), and when they start, in s since 1970."""
    streams = [_stream(folder / sensor.file, sensor) for sensor in SENSORS]
    # The grid runs through the start of the first file, so that files which start
    # at the same time and have a multiple of the rate are taken as they are.
    origin_s = streams[0].start_s
    first_s = max(stream.first_s for stream in streams) - origin_s
    last_s = min(stream.last_s for stream in streams) - origin_s
    first = int(np.ceil(first_s * rate_hz - ALMOST))
    last = int(np.floor(last_s * rate_hz + ALMOST))
    if last < first:
        raise fault(folder, "its files have no time in common", "restore the original files")
    grid_s = np.arange(first, last + 1) / rate_hz
    columns = [_on_grid(stream, grid_s, origin_s, rate_hz) for stream in streams]
    return np.hstack(columns).astype(np.float32), origin_s + first / rate_hz


def _stream(path: Path, sensor: Sensor) -> Stream:
    """Return what a file of the E4 holds."""
    table = CsvTable(path, ReadOptions(header=False))
    values = np.concatenate([np.empty((0, len(table.columns.positions))), *table.blocks()])
    width = len(sensor.channels)
    if values.shape[1] != width:
        problem = f"it has {counted(values.shape[1], 'column')} instead of {width}"
        raise fault(path, problem, HINT, row=1)
    if not len(values) or (values[0] < EARLIEST_START_S).any() or np.ptp(values[0]):
        raise fault(path, "it holds no start in seconds since 1970", HINT, row=1)
    if len(values) < 2 or (values[1] <= 0).any() or np.ptp(values[1]):
        raise fault(path, "it holds no rate in Hz", HINT, row=2)
    if len(values) < 3:
        raise fault(path, "it holds no samples below its start and rate", HINT)
    samples = values[2:] * sensor.step
    n_zeros = 0
    if sensor.starts_with_zeros:
        is_measured = (samples != 0).any(axis=1)
        if not is_measured.any():
            raise fault(path, "all its samples are zero", HINT)
        n_zeros = int(np.argmax(is_measured))
        # The first measurement stands for them, or the filter would see a step.
        samples[:n_zeros] = samples[n_zeros]
    start_s, rate_hz = values[:2, 0].tolist()
    first_s = start_s + n_zeros / rate_hz
    return Stream(start_s, first_s, start_s + (len(samples) - 1) / rate_hz, rate_hz, samples)


def _on_grid(
    stream: Stream, grid_s: NDArray[np.float64], origin_s: float, rate_hz: float
) -> NDArray[np.float64]:
    """Return the values of a stream at times after `origin_s`, (len(grid_s), C)."""
    from scipy.signal import resample_poly

    values, own_hz = stream.values, stream.rate_hz
    if rate_hz < own_hz:
        ratio = Fraction(rate_hz / own_hz).limit_denominator(LARGEST_DENOMINATOR)
        if not np.isclose(float(ratio) * own_hz, rate_hz, rtol=1e-12, atol=0):
            raise DataError(
                f"sampling_rate_hz: {rate_hz:g} is no simple fraction of the {own_hz:g} Hz of a"
                " sensor; choose one, such as 32, 16 or 8"
            )
        up, down = ratio.numerator, ratio.denominator
        # Its filter has no delay: sample k of the result is k / rate_hz after the start.
        values = resample_poly(values, up, down, axis=0, window=FILTER, padtype="line")
        own_hz = rate_hz
    time_s = stream.start_s - origin_s + np.arange(len(values)) / own_hz
    return np.stack([np.interp(grid_s, time_s, column) for column in values.T], axis=1)


def _log_rows(path: Path) -> dict[int, dict[str, str]]:
    """Return the rows of the log, whose headings are as they are known."""
    rows = read_sheet(path, HINT)
    for start, stop, heading, _ in PERIODS:
        for row, column, expected in ((1, start, heading), (2, start, "Start"), (2, stop, "End")):
            found = rows.get(row, {}).get(column, "")
            if not found.startswith(expected):
                problem = f"the heading is '{found}' instead of '{expected}'"
                raise fault(path, problem, HINT, row=row, column=column)
    return rows


def _periods(
    path: Path, rows: dict[int, dict[str, str]], subject: str
) -> list[tuple[float, float, str]]:
    """Return start and end of each period of a subject, in s since 1970, and its class."""
    found = [row for row, cells in rows.items() if cells.get(SUBJECT) == subject]
    if len(found) != 1:
        hint = f"{HINT}, or leave the subject out of `subjects`"
        raise fault(path, f"{len(found)} rows are of {subject} instead of one", hint)
    row = found[0]
    day = number(rows[row].get(DATE, ""))
    if day is None or not day.is_integer() or day * DAY_S < EARLIEST_START_S:
        raise fault(path, "it holds no date", HINT, row=row, column=DATE)
    midnight_s = (day - DAYS_TO_1970) * DAY_S
    periods = []
    for start, stop, _, kind in PERIODS:
        start_s, stop_s = (_time_of_day(path, rows[row], row, column) for column in (start, stop))
        if stop_s <= start_s:
            raise fault(path, "the period ends before it starts", HINT, row=row, column=stop)
        periods.append((midnight_s + start_s, midnight_s + stop_s, kind))
    return periods


def _time_of_day(path: Path, cells: dict[str, str], row: int, column: str) -> int:
    """Return the seconds since midnight that a cell of the log stands for."""
    fraction = number(cells.get(column, ""))
    if fraction is None or not 0 <= fraction < 1:
        problem = f"'{cells.get(column, '')}' is no time of day"
        raise fault(path, problem, HINT, row=row, column=column)
    time_s = round(fraction * DAY_S)
    return time_s + DAY_S // 2 if time_s < FIRST_HOUR_S else time_s


def _spans(
    periods: list[tuple[float, float, str]],
    origin_s: float,
    rate_hz: float,
    margin_s: float,
    n_samples: int,
) -> list[Event]:
    """Return the labelled samples of a recording that starts at `origin_s`."""
    ordered = sorted(periods)
    ends = [*(start_s for start_s, _, _ in ordered[1:]), np.inf]
    spans = []
    for (start_s, stop_s, kind), next_s in zip(ordered, ends, strict=True):
        inside = (start_s + margin_s - origin_s, min(stop_s, next_s) - margin_s - origin_s)
        # The first sample at or after a time, which for the end is the first one out.
        start, stop = (int(np.ceil(time_s * rate_hz - ALMOST)) for time_s in inside)
        start, stop = max(start, 0), min(stop, n_samples)
        if start < stop:
            spans.append(Event(CLASSES.index(kind), start, stop))
    return spans
