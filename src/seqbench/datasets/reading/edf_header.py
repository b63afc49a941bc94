"""Headers of EDF, EDF+ and BDF files, and the times of their data records.

References
----------
Kemp, Värri, Rosa, Nielsen, Gade (1992). A simple format for exchange of
digitized polygraphic recordings. Kemp, Olivan (2003). European data format
'plus' (EDF+), sections 2.2.2 and 2.2.4. BioSemi: file format BDF.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError, fault
from seqbench.datasets.csv_text import number
from seqbench.datasets.reading.columns import quoted
from seqbench.datasets.reading.source import plain_unit

BLOCK_BYTES = 256  # of the header itself, and of each signal in it
FIELD_BYTES = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # of a signal, each field of all signals together
COUNT_BYTES = slice(236, 244)  # where the number of data records stands
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)\x14")  # of a data record: its first annotation


@dataclass(frozen=True)
class EdfSignal:
    """One signal of a header.

    Parameters
    ----------
    label, unit
        As written, without padding.
    n_per_record
        Samples in each data record.
    offset_bytes
        Where they start in a data record.
    limits
        Physical minimum and maximum, digital minimum and maximum, as written.
    """

    label: str
    unit: str
    n_per_record: int
    offset_bytes: int
    limits: tuple[str, str, str, str]

    def scale(self, path: Path) -> tuple[float, float]:
        """Return a and b of the physical value, a (digital + b), as EDFlib computes them."""
        values = [number(text.replace(",", ".")) for text in self.limits]
        names = ("physical minimum", "physical maximum", "digital minimum", "digital maximum")
        for name, text, value in zip(names, self.limits, values, strict=True):
            if value is None or not math.isfinite(value):
                raise _unreadable(path, f"{name} of '{self.label}'", text)
        low, high, digital_low, digital_high = (value or 0.0 for value in values)
        if low == high or digital_low >= digital_high:
            problem = (
                f"the physical range {low:g} to {high:g} of its signal '{self.label}' does not fit"
                f" the digital range {digital_low:g} to {digital_high:g}"
            )
            hint = "name the signals to read in `channels` without it, or correct the header"
            raise fault(path, problem, hint)
        step = (high - low) / (digital_high - digital_low)
        return step, high / step - digital_high


@dataclass(frozen=True)
class EdfHeader:
    """The header of a file whose length fits it.

    Parameters
    ----------
    path
        The file.
    sample_bytes
        2 in EDF, 3 in BDF.
    variant
        "EDF+C", "EDF+D", "BDF+C", "BDF+D"; anything else is plain EDF or BDF.
    n_records, record_s, record_bytes
        Number of data records, and the duration and size of one.
    signals
        All of them, annotations included.
    """

    path: Path
    sample_bytes: int
    variant: str
    n_records: int
    record_s: Fraction
    record_bytes: int
    signals: list[EdfSignal]

    @property
    def data_bytes(self) -> int:
        """Where the first data record starts."""
        return BLOCK_BYTES * (1 + len(self.signals))

    def records(self) -> NDArray[np.uint8]:
        """Return the data records, (n_records, record_bytes), mapped from the file."""
        shape = (self.n_records, self.record_bytes)
        return np.memmap(self.path, np.uint8, "r", offset=self.data_bytes, shape=shape)

    def record_onsets_s(self) -> NDArray[np.float64] | None:
        """Return the onsets that EDF+ and BDF+ keep of the data records, (n_records,).

        None where the records follow each other by definition: in plain EDF,
        and in EDF+C if not every record has one.
        """
        keeper = next((one for one in self.signals if one.label in ANNOTATIONS), None)
        if keeper is None or not self.variant.startswith(("EDF+", "BDF+")):
            return None
        onsets = np.empty(self.n_records)
        with self.path.open("rb") as file:
            for record in range(self.n_records):
                file.seek(self.data_bytes + record * self.record_bytes + keeper.offset_bytes)
                found = ONSET.match(file.read(min(32, keeper.n_per_record * self.sample_bytes)))
                if found is None and self.variant.endswith("D"):
                    problem = (
                        f"its data record {record + 1} has no time, which {self.variant} needs"
                    )
                    raise fault(self.path, problem, "write it as EDF+C")
                if found is None:
                    return None
                onsets[record] = float(found[1])
        return onsets


def read_edf_header(path: Path) -> EdfHeader:
    """Read the header of an EDF or BDF file; the first byte shows which.

    Text may be UTF-8 or Latin-1, though the standard allows ASCII alone:
    units such as µV are written so. Numbers of signals that are not read may be
    impossible.

    Raises
    ------
    DataError
        If the file is neither, if the header contradicts itself, or if the file
        is longer or shorter than it says.
    """
    with path.open("rb") as file:
        fixed = file.read(BLOCK_BYTES)
        is_bdf = fixed.startswith(b"\xffBIOSEMI")
        if len(fixed) < BLOCK_BYTES or not (is_bdf or fixed[:8].strip(b" \0") == b"0"):
            hint = "it may be damaged: write the file anew, or give it the suffix of its format"
            raise fault(path, "its first bytes are not those of an EDF or BDF header", hint)
        n_signals = _count(path, "number of signals", fixed[252:256])
        size = _count(path, "size of the header", fixed[184:192])
        if size != BLOCK_BYTES * (1 + n_signals):
            problem = f"its header has {size} bytes, which {n_signals} signals do not fill"
            raise fault(path, problem, "it may be damaged: write the file anew")
        of_signals = file.read(BLOCK_BYTES * n_signals)
    signals = _signals(path, of_signals, n_signals, 3 if is_bdf else 2)
    record_bytes = sum(one.n_per_record for one in signals) * (3 if is_bdf else 2)
    duration = _text(fixed[244:252]).replace(",", ".")
    record_s = number(duration)
    if record_s is None or not math.isfinite(record_s) or record_s < 0:
        raise _unreadable(path, "duration of a data record", duration)
    n_records = _n_records(path, fixed[COUNT_BYTES], size, record_bytes)
    return EdfHeader(
        path=path,
        sample_bytes=3 if is_bdf else 2,
        variant=_text(fixed[192:236])[:5],
        n_records=n_records,
        record_s=Fraction(duration) if record_s > 0 else Fraction(0),
        record_bytes=record_bytes,
        signals=signals,
    )


def _signals(path: Path, raw: bytes, n_signals: int, sample_bytes: int) -> list[EdfSignal]:
    if len(raw) < BLOCK_BYTES * n_signals:
        hint = "it was cut short: restore the complete file"
        raise fault(path, "it ends within its header", hint)
    columns, start = [], 0
    for width in FIELD_BYTES:
        end = start + width * n_signals
        columns.append([_text(raw[i : i + width]) for i in range(start, end, width)])
        start = end
    label, _, unit, *limits, _, count, _ = columns
    signals, offset = [], 0
    for i in range(n_signals):
        n_per_record = _count(path, f"samples in a record of '{label[i]}'", count[i].encode())
        four = (limits[0][i], limits[1][i], limits[2][i], limits[3][i])
        signals.append(EdfSignal(label[i], plain_unit(unit[i]), n_per_record, offset, four))
        offset += n_per_record * sample_bytes
    return signals


def _n_records(path: Path, raw: bytes, header_bytes: int, record_bytes: int) -> int:
    """Return the number of data records, which header and size of the file must agree on."""
    n_bytes = path.stat().st_size - header_bytes
    if _text(raw) == "-1":  # while it was recorded, the number was unknown
        n_records = n_bytes // record_bytes if record_bytes else 0
    else:
        n_records = _count(path, "number of data records", raw)
    n_behind = n_bytes - n_records * record_bytes
    if n_behind < 0:
        problem = f"it holds {n_bytes // record_bytes} of {n_records} data records"
        raise fault(
            path, problem, "it was cut short: restore the complete file or write the file anew"
        )
    if n_behind:
        problem = f"{n_behind} bytes stand behind the {n_records} data records that it counts"
        hint = f"cut it to {path.stat().st_size - n_behind} bytes"
        if record_bytes and n_behind % record_bytes == 0:
            total = n_records + n_behind // record_bytes
            hint += f", or correct the number in bytes 237 to 244 to {total} if all were recorded"
        raise fault(path, problem, hint)
    return n_records


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.partition("\0")[0].strip()


def _count(path: Path, what: str, raw: bytes) -> int:
    text = _text(raw)
    value = number(text)
    if value is None or not value.is_integer() or value < 0:
        raise _unreadable(path, what, text)
    return int(value)


def _unreadable(path: Path, what: str, text: str) -> DataError:
    hint = "it may be damaged: write the file anew, or correct its header"
    return fault(path, f"its header has {quoted(text)} as the {what}", hint)
