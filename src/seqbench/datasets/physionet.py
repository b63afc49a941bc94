"""Electrocardiograms of PhysioNet with the times of their beats and waves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import counted, explained, fault
from seqbench.datasets.download import checksums, physionet_folder
from seqbench.datasets.events import Event, label_columns
from seqbench.datasets.reading.recording import Recording, read_recording
from seqbench.storage.recordings import Recordings, natural_order

MITDB_URL = "https://physionet.org/files/mitdb/1.0.0"
MITDB_CITATION = (
    "Moody, Mark (2001). The impact of the MIT-BIH arrhythmia database. IEEE EMB 20(3)."
)
# Codes of beats by their AAMI class; those of class Q (paced, or unclassifiable) are no type here.
AAMI = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F"}
CLASS_Q = "/fQ"
RANKED = ["N", "S", "V"]  # F is rare, and nearly all of its beats are of one record
DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
# Chosen for beats of all four types in every split: a fifth of DS1 each.
DS1_VAL = ("108", "119", "124", "205", "220")
DS1_TEST = ("114", "118", "122", "223", "230")  # serves where DS2 is absent

LUDB_URL = "https://physionet.org/files/ludb/1.0.1"
LUDB_CITATION = (
    "Kalyakulina et al. (2020). LUDB: a new open-access validation tool for electrocardiogram"
    " delineation algorithms. IEEE Access 8:186181."
)
LUDB_RECORDS = 200
MARGIN_SAMPLES = 25  # before a first onset: the wave before begins earlier, by its own length
WAVES = {"p": "P", "N": "QRS", "t": "T"}

LICENCE = "ODC-By 1.0"
REFRACTORY_S = 0.2


@DATASETS.register("mitdb", task="detection", sample="series", offers=("ecg",), imports=("wfdb",))
def mitdb(
    cache: Path,
    *,
    types: Literal["aami", "qrs"] = "aami",
    leads: Literal["mlii", "both"] = "mlii",
    records: Literal["all", "ds1"] = "all",
) -> Recordings:
    """Heartbeats of the MIT-BIH Arrhythmia Database, half an hour each at 360 Hz.

    Parameters
    ----------
    cache
        Holds the folder `mitdb`, or receives it.
    types
        `aami`: the beats N, S, V and F of the AAMI, four types of event;
        `qrs`: every beat, one type.
    leads
        `mlii`: lead MLII alone, which all records have; `both`: with the other
        lead of the record as a second channel, V1, V2, V4 or V5. A network
        that takes one chest lead for another finds beats of an unseen record,
        but some of them tens of milliseconds off.
    records
        `ds1`: the records of DS1 alone, for folds among those that methods are chosen by.

    Returns
    -------
    Recordings
        The records that are not paced. A group is a record.

    Raises
    ------
    DataError
        If a file is absent or damaged, or the download fails.

    Notes
    -----
    The split is that of de Chazal: DS2 is test, and DS1 train but for five
    records of val. If the folder holds DS1 alone, five of its records are
    test; the notes of the source state it. Nine beats of ten are N, so the mean
    F1 over N, S and V ranks models; the report has F beside them. Beats that are
    paced or that nobody could classify (AAMI class Q) count as beats, but are
    events of no type for `aami`. Marks of rhythm, noise and ventricular flutter are no
    beats; record 207 has flutter, in which a detector cannot be right. In DS1 no two
    beats are nearer than 0.25 s, which sets the refractory time; the tolerance is that
    of ANSI/AAMI EC57.

    References
    ----------
    de Chazal, O'Dwyer, Reilly (2004). Automatic classification of heartbeats
    using ECG morphology and heartbeat interval features. IEEE TBME 51(7).
    """
    suffixes = (".hea", ".dat", ".atr")
    possible = {f"{record}{suffix}" for record in DS1 + DS2 for suffix in suffixes}
    folder = physionet_folder(cache / "mitdb", MITDB_URL, possible.__contains__)
    of_ds2 = [folder / f"{record}{end}" for record in DS2 for end in suffixes]
    has_ds2 = records == "all" and any(file.exists() for file in of_ds2)
    names = sorted(DS1 + DS2) if has_ds2 else list(DS1)
    needed = [f"{name}{suffix}" for name in names for suffix in suffixes]
    files = checksums(folder, needed, MITDB_URL)

    types_of_codes = AAMI if types == "aami" else {"QRS": "".join([*AAMI.values(), CLASS_Q])}
    type_of = {code: i for i, codes in enumerate(types_of_codes.values()) for code in codes}
    channels = ["MLII", "V"] if leads == "both" else ["MLII"]
    signals: list[NDArray[np.float32]] = []
    events: list[list[Event]] = []
    n_class_q = 0
    for name in names:
        signals.append(_leads(folder / f"{name}.hea", len(channels)))
        marks = list(_marks(folder / name, "atr", len(signals[-1])))
        events.append([Event(type_of[c], at, at + 1) for at, c in marks if c in type_of])
        n_class_q += sum(code in CLASS_Q for _, code in marks)
    test: tuple[str, ...] = DS2 if has_ds2 else DS1_TEST
    if has_ds2:
        notes = ["Records 201 (train) and 202 (test) are of one person, as in DS1 and DS2."]
    else:
        notes = ["The test split is five records of DS1, not the official test split DS2."]
    if types == "aami":
        notes.append(f"Left out of the events: {counted(n_class_q, 'beat')} of AAMI class Q.")
    return Recordings(
        task="detection",
        sample="series",
        signals=signals,
        names=names,
        groups=names,
        splits=["test" if n in test else "val" if n in DS1_VAL else "train" for n in names],
        channels=channels,
        units=["mV"] * len(channels),
        classes=list(types_of_codes),
        **label_columns(events),
        sampling_rate_hz=360.0,
        refractory_s=REFRACTORY_S,
        tolerance_ms=150.0,
        ranked_types=RANKED if types == "aami" else None,
        source={
            "origin": MITDB_URL,
            "licence": LICENCE,
            "citation": MITDB_CITATION,
            "files": files,
            "notes": notes,
        },
    )


@DATASETS.register(
    "ludb",
    task="detection",
    sample="series",
    offers=("ecg", "ecg_waves"),
    imports=("wfdb",),
)
def ludb(
    cache: Path,
    *,
    lead: Literal["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"] = "ii",
    onset: Literal["peak", "start"] = "peak",
) -> Recordings:
    """P waves, QRS complexes and T waves of the Lobachevsky database, 12 leads at 500 Hz for 10 s.

    Parameters
    ----------
    cache
        Holds the folder `ludb`, or receives it.
    lead
        Lead whose annotations are the events; the channels are all 12 leads.
    onset
        Where in its wave an event begins: at the `peak`, or at the `start` of
        the wave. The few waves whose start is not marked begin at their peak; the
        notes of the source count them.

    Returns
    -------
    Recordings
        One per person; an event ends where the wave does. Events are known from
        the first mark to the last, since the beats at both ends are not annotated;
        with `start` from 50 ms before the first mark, which is itself an onset.

    Raises
    ------
    DataError
        If a file is absent or damaged, or the download fails.

    Notes
    -----
    In the 140 records looked at, no two waves of a type are nearer than 0.29 s,
    but for two T waves (record 116, leads V1 and V2) that are marked several
    times within 40 ms; of marks so near the first is kept. Tolerance: published
    scores mostly allow 150 ms; 50 ms separates detectors that all find the waves.
    """
    folder = physionet_folder(cache / "ludb", LUDB_URL, lambda path: path.startswith("data/"))
    names = sorted((path.stem for path in folder.glob("data/*.hea")), key=natural_order)
    if not names:
        raise fault(folder / "data", "it holds no records", f"get them from {LUDB_URL}")
    needed = [f"data/{name}.{suffix}" for name in names for suffix in ("hea", "dat", lead)]
    files = checksums(folder, needed, LUDB_URL)

    type_of = {code: i for i, code in enumerate(WAVES)}
    found: list[Recording] = []
    events: list[list[Event]] = []
    known: list[tuple[int, int]] = []
    n_startless = 0
    for name in names:
        one = read_recording(folder / f"data/{name}.hea")
        if one.sampling_rate_hz != 500 or one.channels != (found or [one])[0].channels:
            hint = "restore the file, or leave out the record"
            raise fault(one.files[0], "it has other leads or another rate than the rest", hint)
        marks = list(_marks(folder / "data" / name, lead, len(one.signal)))
        if not marks:
            hint = "restore the file, or leave out the record"
            raise fault(folder / f"data/{name}.{lead}", "it holds no marks", hint)
        found.append(one)
        events.append(_waves(marks, type_of, one.sampling_rate_hz, onset))
        peaks = {at for at, code in marks if code in type_of}
        n_startless += sum(event.start in peaks for event in events[-1])
        begin = marks[0][0] - (0 if onset == "peak" else MARGIN_SAMPLES)
        known.append((max(begin, 0), max(marks[-1][0], *(event.stop for event in events[-1]))))
    notes = []
    if onset == "start" and n_startless:
        notes.append(f"{counted(n_startless, 'wave')} without a marked start: from their peak on.")
    if len(names) < LUDB_RECORDS:
        notes.append(f"The folder holds {len(names)} of the {LUDB_RECORDS} records of LUDB.")
    return Recordings(
        task="detection",
        sample="series",
        signals=[one.signal for one in found],
        names=names,
        groups=names,
        splits=[""] * len(names),
        channels=found[0].channels,
        units=found[0].units,
        classes=list(WAVES.values()),
        **label_columns(events),
        sampling_rate_hz=500.0,
        known=np.array(known, dtype=np.int64),
        refractory_s=REFRACTORY_S,
        tolerance_ms=50.0,
        source={
            "ecg": lead,
            "origin": LUDB_URL,
            "licence": LICENCE,
            "citation": LUDB_CITATION,
            "files": files,
            "notes": notes,
        },
    )


def _leads(path: Path, n_leads: int) -> NDArray[np.float32]:
    """Return MLII of an MIT-BIH record, and the other lead behind it if there are to be two.

    In record 114 MLII is the second one.
    """
    one = read_recording(path)
    if len(one.channels) != 2 or "MLII" not in one.channels or one.sampling_rate_hz != 360:
        hint = "restore the original file"
        raise fault(path, "it is not of two leads, one of them MLII, at 360 Hz", hint)
    first = one.channels.index("MLII")
    return np.ascontiguousarray(one.signal[:][:, [first, 1 - first][:n_leads]])


def _marks(path: Path, extension: str, n_samples: int) -> Iterator[tuple[int, str]]:
    """Yield sample and code of each annotation of a record, by time."""
    import wfdb

    file = path.with_name(f"{path.name}.{extension}")
    with explained(file, "restore the original file"):
        annotation = wfdb.rdann(str(path), extension)
        marks = zip(annotation.sample.tolist(), annotation.symbol, strict=True)
    for sample, code in marks:
        if not 0 <= sample < n_samples:
            problem = f"it marks sample {sample} of a record of {n_samples}"
            raise fault(file, problem, "restore the original file")
        yield sample, code


def _waves(
    marks: list[tuple[int, str]], type_of: dict[str, int], rate_hz: float, onset: str
) -> list[Event]:
    """Return the waves that marks of peaks, starts "(" and ends ")" describe."""
    waves: list[Event] = []
    last: dict[int, int] = {}
    around = zip([(0, ""), *marks[:-1]], marks, [*marks[1:], (0, "")], strict=True)
    for (before, code_before), (peak, code), (after, code_after) in around:
        if code not in type_of:
            continue
        kind = type_of[code]
        if kind in last and (peak - last[kind]) / rate_hz < REFRACTORY_S:
            continue
        last[kind] = peak
        start = peak
        if onset == "start" and code_before == "(":
            start = before
        waves.append(Event(kind, start, max(after, start + 1) if code_after == ")" else start + 1))
    return waves
