r"""Annotations of EDF+ and BDF+ files: onset and duration in seconds from the start of the file.

An annotation signal holds lists: an onset, ``\x15`` and a duration if there is
one, and texts that ``\x14`` ends each; ``\0`` ends a list. The first list of a
data record has an empty text: its onset is that of the record.

References
----------
Kemp, Olivan (2003). European data format 'plus' (EDF+), section 2.2.2.
"""

from collections.abc import Iterator

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.reading.edf_header import ANNOTATIONS, EdfHeader, read_edf_header

TEXT_END, DURATION = b"\x14", b"\x15"


def read_edf(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the annotations of a file; those without duration, or of none, are points.

    Raises
    ------
    DataError
        If a text is not UTF-8, a time is no number, or a file of annotations alone has no signal
        for them.
    """
    del settings
    header = read_edf_header(file.path)
    is_recording = file.path in file.recordings[file.only_recording].files
    if not is_recording and not any(one.label in ANNOTATIONS for one in header.signals):
        hint = "write it as EDF+ or BDF+"
        raise fault(file.path, "it has no signal for annotations", hint)
    onsets = header.record_onsets_s()
    first_sample_s = 0.0 if onsets is None or not len(onsets) else float(onsets[0])
    number = 0
    for record, content in _lists(header):
        times, *texts = content.split(TEXT_END)
        onset, _, duration = times.partition(DURATION)
        for text in filter(None, texts):
            number += 1
            place = f"annotation {number} (data record {record})"
            try:
                label = text.decode("utf-8")
            except UnicodeDecodeError:
                hint = "write the file anew with texts in UTF-8, as EDF+ has them"
                raise fault(
                    file.path, f"its text {text!r} is not UTF-8", hint, place=place
                ) from None
            onset_s = file.seconds(onset.decode("latin-1"), place) - first_sample_s
            duration_s = file.seconds(duration.decode("latin-1"), place) if duration else 0.0
            offset_s = onset_s + duration_s if duration_s > 0 else None
            yield file.entry(number, place, label, onset_s, offset_s)


def _lists(header: EdfHeader) -> Iterator[tuple[int, bytes]]:
    """Yield each list of annotations, with the number of its data record from 1."""
    signals = [one for one in header.signals if one.label in ANNOTATIONS]
    for record, samples in enumerate(header.records() if signals else (), start=1):
        for one in signals:
            end = one.offset_bytes + one.n_per_record * header.sample_bytes
            for content in samples[one.offset_bytes : end].tobytes().split(b"\0"):
                if content:
                    yield record, content
