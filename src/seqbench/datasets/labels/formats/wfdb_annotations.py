"""WFDB annotation files, as of PhysioNet: symbols and notes at sample numbers."""

import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile, WrittenLabel, WrittenRecording

SAME_RATE = 1e-6  # relative; then samples of the file are those of the recording
NOTE, RHYTHM = '"', "+"
LONGEST_NOTE_BYTES = 255
DEFINITION = "## "  # begins notes about the file itself; wfdb searches for ever in unknown ones
RESOLUTION = b"## time resolution: "
UNKNOWN_DEFINITION = re.compile(
    rb"## (?!time resolution: [\d.]+|annotation type definitions|end of definitions)"
)
EMPTY_FILE = b"\0\0"


def read_wfdb(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield annotations: events at their samples, or the intervals between changes of rhythm.

    The label of an event is its symbol, or the text of a note or a change of
    rhythm. A rhythm lasts until the next one, the last one to the end of the recording.

    Raises
    ------
    DataError
        If the file is damaged, or neither it nor the recording has a sampling rate.
    """
    import wfdb

    del settings
    path, recording = file.path, file.only_recording
    content = path.read_bytes()
    if content.strip(b"\0") == b"":
        return
    if UNKNOWN_DEFINITION.search(content) or content.count(RESOLUTION) > 1:
        hint = "write the file anew without notes that begin with ##"
        raise fault(path, "it holds a definition that is not known", hint)
    found = wfdb.rdann(str(path.with_suffix("")), path.suffix[1:])
    notes = [note.strip("\0 ") for note in found.aux_note]
    times, rate = file.times[recording], found.fs
    signals = file.recordings[recording].files[0]
    if not rate and signals.suffix.lower() == ".hea":  # whose header is not beside the annotations
        rate = wfdb.rdheader(str(signals.with_suffix(""))).fs
    # Else they count frames, of which a signal has several samples, or are on a clock of their own.
    is_own_rate = not rate or (
        times is not None and math.isclose(rate, times.rate_hz, rel_tol=SAME_RATE)
    )
    rows = []
    for number, sample in enumerate(found.sample.tolist(), start=1):
        place = f"annotation {number}"
        own_s = file.seconds_at(sample, recording, place) if is_own_rate else sample / rate
        rows.append((number, place, found.symbol[number - 1], notes[number - 1], own_s))
    if not file.intervals:
        for number, place, symbol, note, onset_s in rows:
            label = note if symbol in (NOTE, RHYTHM) and note else symbol
            yield file.entry(number, place, label, onset_s, None)
        return
    rhythms = [row for row in rows if row[2] == RHYTHM]
    if not rhythms:
        return
    end_s = file.end_s(recording, "the last change of rhythm")
    ends_s = [*(time_s for *_, time_s in rhythms[1:]), end_s]
    for (number, place, _, note, start_s), end_s in zip(rhythms, ends_s, strict=True):
        yield file.entry(number, place, note, start_s, end_s)


def write_wfdb(path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording) -> None:
    """Write an annotation file; a label that is no symbol of WFDB becomes a note.

    Raises
    ------
    DataError
        If a label cannot be a note.
    """
    import wfdb
    from wfdb.io.annotation import ann_labels

    symbols = {one.symbol for one in ann_labels} - {NOTE, RHYTHM, " "}
    rows = sorted((one.sample, one.label) for one in labels)
    if not rows:
        path.write_bytes(EMPTY_FILE)
        return
    names = [name for _, name in rows]
    for name in names:
        if len(name.encode()) > LONGEST_NOTE_BYTES:
            problem = f"the label '{name}' is longer than {LONGEST_NOTE_BYTES} bytes"
            raise fault(path, problem, "choose another --format")
        if name.startswith(DEFINITION):
            raise fault(path, f"the label '{name}' is no note", "choose another --format")
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann(
            "labels",
            "atr",
            np.array([sample for sample, _ in rows]),
            symbol=[name if name in symbols else NOTE for name in names],
            aux_note=["" if name in symbols else name for name in names],
            fs=recording.sampling_rate_hz,
            write_dir=folder,
        )
        path.write_bytes(Path(folder, "labels.atr").read_bytes())
