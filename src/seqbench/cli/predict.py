"""Predict new recordings by any model or baseline: in files, or while samples still arrive."""

from __future__ import annotations

import csv
import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from glob import escape
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, get_args

from seqbench.cli.arguments import natural, refuse_missing, refuse_overwriting
from seqbench.config.options import Gaps, TimeUnit
from seqbench.errors import UserError
from seqbench.process.interruptible import Interruptible
from seqbench.storage.atomic import replacing
from seqbench.storage.cells import plain_cell

if TYPE_CHECKING:
    from seqbench.datasets.reading.stream import RawLayout
    from seqbench.prediction.predictor import Predictor
    from seqbench.tasks.detection.results import FoundEvent
    from seqbench.tasks.results import Results
    from seqbench.windowing.segment import Origins

EXAMPLES = {
    "seqbench predict --model results/best/doors --recording new.csv": "a table on the screen",
    "seqbench predict --model results/best/doors --recording new/ --out events.csv": (
        "all recordings of a folder, into a file"
    ),
    "seqbench predict --model model.onnx --recording new.wav --out new.txt --format audacity": (
        "events as a label track of Audacity"
    ),
    "seqbench predict --model results/best/doors --recording growing.csv --stream": (
        "events as soon as they are certain, while the file still grows"
    ),
}
IDLE_S = 10.0
TABLES = ("csv", "json", "parquet", "npz")
LABEL_FILES = ("audacity", "bids", "label_studio", "textgrid", "wfdb")
ON_STDOUT = ("csv", "json")
RAW_TYPES = ("float32", "float64", "int16", "int32", "uint8", "uint16")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the model, the recordings and how they are read."""
    parser.add_argument(
        "--model", type=Path, nargs="+", required=True, metavar="PATH",
        help="a model.safetensors, the folder of a run, or results/best/DATASET; the scores of"
        " several models are averaged",
    )  # fmt: skip
    parser.add_argument(
        "--recording", nargs="+", required=True, metavar="PATH",
        help="recordings, a folder of them, or - for standard input",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto (the default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--threads", type=natural, default=1, metavar="N",
        help="threads of a network; 1 by default, as in the benchmark",
    )  # fmt: skip
    _add_output(parser)
    _add_reading(parser)
    _add_stream(parser)


def _add_output(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=Path, metavar="FILE",
        help="file of the predictions; without it, they are printed",
    )  # fmt: skip
    group.add_argument(
        "--format", dest="out_format", choices=(*TABLES, *LABEL_FILES),
        help="by default that of the suffix of --out, else csv; events can be written as a label"
        " file, which the program of that name opens",
    )  # fmt: skip
    group.add_argument(
        "--rows", metavar="ROW",
        help="what a row of a table stands for: window or recording, run or sample; which of"
        " them, and which is the default, depends on the task",
    )  # fmt: skip
    group.add_argument(
        "--at", nargs="+", metavar="SAMPLE", default=["end"],
        help="forecasting: number of the first sample to predict, end (the default: behind the"
        " last sample), or all",
    )  # fmt: skip


def _add_reading(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how recordings are read")
    group.add_argument(
        "--channels", nargs="+", metavar="NAME", help="channels to take, in the model's order"
    )
    group.add_argument(
        "--header", choices=("yes", "no"), help="whether the first row of a table names its columns"
    )
    group.add_argument(
        "--time-column", metavar="NAME", help="time column of a table, by default found by its name"
    )
    group.add_argument(
        "--time-unit", choices=get_args(TimeUnit),
        help="unit of the time column, by default found by its name or values",
    )  # fmt: skip
    group.add_argument(
        "--gaps", choices=get_args(Gaps), default="refuse",
        help="what to do with a recording that stops and goes on later: refuse it (the default),"
        " or split it",
    )  # fmt: skip
    group.add_argument(
        "--resample", action="store_true", help="bring files of another rate to that of the model"
    )


def _add_stream(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("streams of events")
    group.add_argument(
        "--stream", action="store_true", help="print each event as soon as it is certain"
    )
    group.add_argument(
        "--kind", choices=("csv", "raw"),
        help="of the stream: rows of numbers (csv, the default), or raw numbers one after another",
    )  # fmt: skip
    group.add_argument(
        "--dtype", choices=RAW_TYPES, help="type of raw numbers, little-endian; by default float32"
    )
    group.add_argument(
        "--width", type=natural, metavar="N",
        help="numbers of each sample of a raw stream, of which --channels takes some, counted"
        " from 0",
    )  # fmt: skip
    group.add_argument(
        "--idle-s", type=float, metavar="S",
        help="seconds without growth after which a growing file has ended;"
        f" {IDLE_S:g} by default",
    )  # fmt: skip


def run(
    model: list[Path],
    recording: list[str],
    out: Path | None,
    out_format: str | None,
    rows: str | None,
    at: list[str],
    channels: list[str] | None,
    header: str | None,
    time_column: str | None,
    time_unit: TimeUnit | None,
    gaps: Gaps,
    resample: bool,
    device: str,
    threads: int,
    stream: bool,
    kind: str | None,
    dtype: str | None,
    width: int | None,
    idle_s: float | None,
) -> None:
    """Write the predictions for files, or the events of a stream each as soon as it is certain."""
    for path in model:
        refuse_missing(path, "name a model, the folder of a run, or results/best/DATASET")
    if out is not None:
        _refuse_out(out, model, recording)
    chosen = out_format or _format_of(out)
    if out is None and chosen not in ON_STDOUT:
        raise UserError(f"--format {chosen} is for files; name one with --out")
    if len(recording) > 1 and "-" in recording:
        raise UserError("standard input is read alone; leave the other recordings out")
    for one in recording:
        if one != "-" and not stream:  # of a stream, what writes it may have yet to start
            refuse_missing(Path(one), "correct the name or restore the file")
    if stream or "-" in recording:
        of_files = {"--gaps split": gaps != "refuse", "--resample": resample}
        _refuse_given(of_files, "is for files; leave it out")
    table: dict[str, Any] = {
        "header": header and header == "yes",
        "time_column": time_column,
        "time_unit": time_unit,
    }
    if stream:
        if chosen != "csv":
            raise UserError(f"a file of {chosen} is written at the end; leave --stream out")
        if len(model) > 1 or len(recording) > 1:
            raise UserError("--stream is for one model and one recording")
        of_ended = {"--rows": rows is not None, "--at": at != ["end"]}
        _refuse_given(of_ended, "is for what has ended; leave it out, or leave --stream out")
        if idle_s is not None and not idle_s >= 0:
            raise UserError("--idle-s takes seconds, 0 or more")
        raw = _raw_layout(kind, dtype, width, channels)
        table |= {"raw": raw, "channels": None if raw else channels}
        _predict_stream(model[0], recording[0], out, table, device, threads, idle_s)
    else:
        of_streams = {"--kind": kind, "--dtype": dtype, "--width": width, "--idle-s": idle_s}
        are_given = {option: value is not None for option, value in of_streams.items()}
        _refuse_given(are_given, "is for streams; leave it out, or add --stream")
        from seqbench.prediction.predictor import Predictor

        predictor = Predictor(model, device, threads)
        if recording != ["-"]:
            table |= {"gaps": gaps, "resample": resample}
        found = _predicted(predictor, recording, channels, _origins(at), table)
        _write(found, chosen, rows, out, Path(recording[0]).name)


def _refuse_given(options: Mapping[str, bool], reason: str) -> None:
    """Refuse the first option that is given where it changes nothing."""
    for option, is_given in options.items():
        if is_given:
            raise UserError(f"{option} {reason}")


def _predicted(
    predictor: Predictor,
    recording: list[str],
    channels: list[str] | None,
    at: Origins,
    options: dict[str, Any],
) -> Results:
    """Return the predictions of files, or of what standard input holds."""
    if recording == ["-"]:
        return predictor.of_stream(sys.stdin.buffer, channels, at, **options)
    return predictor.predict(list(map(Path, recording)), channels=channels, at=at, **options)


def _write(found: Results, form: str, rows: str | None, out: Path | None, source: str) -> None:
    """Write predictions to a file, or on standard output; `source` is the name of the recording."""
    table = found.arrays(rows) if form == "npz" else found.table(rows)
    n_rows = len(next(iter(table.values())))
    if not n_rows:
        names = ", ".join(dict.fromkeys(found.names))  # segments between gaps share one
        print(f"{names}: nothing was found", file=sys.stderr)
    if out is None:
        _write_text(sys.stdout, form, table)
        return
    with replacing(out) as temporary:
        if form in LABEL_FILES:
            from seqbench.prediction.label_files import RecordingEvents, write_label_file

            write_label_file(temporary, form, RecordingEvents.of(found), source)
        elif form in ON_STDOUT:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                _write_text(file, form, table)
        else:
            _write_binary(temporary, form, table)
    print(f"{out}: {n_rows} {rows or found.rows[0]}s")


def _format_of(out: Path | None) -> str:
    """Return the format of a file by its suffix; csv where it has none, or that of any text."""
    suffix = "" if out is None else out.suffix.lower().removeprefix(".")
    if suffix in TABLES:
        return suffix
    if suffix not in ("", "txt"):
        raise UserError(f"{out}: its suffix is none of {', '.join(TABLES)}; add --format")
    return "csv"


def _origins(at: list[str]) -> Origins:
    if at == ["end"]:
        return "end"
    if at == ["all"]:
        return "all"
    if not all(one.isdecimal() for one in at):
        raise UserError("--at takes numbers of samples, or `end`, or `all`")
    return [int(one) for one in at]


def _write_text(file: TextIO, form: str, table: Mapping[str, Any]) -> None:
    columns = {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in table.items()
    }
    rows = zip(*columns.values(), strict=True)
    if form == "json":
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], file, ensure_ascii=False)
        file.write("\n")
        return
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([plain_cell(name) for name in columns])
    writer.writerows([cell(*pair) for pair in zip(columns, row, strict=True)] for row in rows)
    file.flush()  # a reader that has left is noticed here


def cell(name: str, value: object) -> str:
    """Return a cell of CSV: times to a microsecond, scores to four digits, values to float32."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return plain_cell(str(value))
    if name.endswith("_s"):
        return f"{value:.6f}"
    return f"{value:.4f}" if name.startswith(("score", "probability")) else f"{value:.9g}"


def _write_binary(path: Path, form: str, table: Mapping[str, Any]) -> None:
    if form == "npz":
        import numpy as np

        with path.open("wb") as file:
            np.savez_compressed(file, **table)
        return
    import pandas as pd

    pd.DataFrame(table).to_parquet(path, index=False)


def _refuse_out(out: Path, models: list[Path], recordings: list[str]) -> None:
    """Refuse to write where a model or a recording is, or the signals of a WFDB record."""
    paths = [Path(one) for one in recordings if one != "-"]
    given = [("--model", one) for one in models] + [("--recording", one) for one in paths]
    refuse_overwriting(out, *given)
    for argument, folder in given:
        if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{out}: is in the folder given as {argument}; choose another --out")
    for path in paths:
        if path.suffix.lower() != ".hea":
            continue
        for signals in path.parent.glob(f"{escape(path.stem)}.*"):
            if out.exists() and out.samefile(signals):
                raise UserError(f"{out}: belongs to the recording {path}; choose another --out")


def _raw_layout(
    kind: str | None, dtype: str | None, width: int | None, channels: list[str] | None
) -> RawLayout | None:
    """Return the layout of a raw stream; None of one of rows."""
    if kind != "raw":
        if dtype is not None or width is not None:
            option = "--width" if dtype is None else "--dtype"
            raise UserError(f"{option} is for raw streams; leave it out, or add --kind raw")
        return None
    from seqbench.datasets.reading.stream import RawLayout

    if channels is None:
        return RawLayout(dtype or "float32", width)
    if width is None or not all(one.isdecimal() for one in channels):
        raise UserError("raw samples have no names; give --channels as numbers from 0, and --width")
    places = tuple(map(int, channels))
    if len(set(places)) < len(places):
        raise UserError("--channels names a number twice; name each channel once")
    return RawLayout(dtype or "float32", width, places)


def _predict_stream(
    model: Path,
    recording: str,
    out: Path | None,
    options: dict[str, Any],
    device: str,
    threads: int,
    idle_s: float | None,
) -> None:
    """Write the events of a stream; `options` are those of `predict_stream`."""
    from seqbench.datasets.reading.stream import GrowingFile
    from seqbench.prediction.event_finder import EventFinder, predict_stream
    from seqbench.tasks.detection.results import columns

    path = Path(recording)
    ends_itself = recording == "-" or path.is_fifo() or path.is_char_device()
    if ends_itself and idle_s is not None:
        raise UserError("--idle-s is for growing files; a pipe ends by itself")
    finder = EventFinder(model, device, threads)
    which = "an isolated" if finder.waits_for_the_period else "every"
    latency_ms = math.ceil(1000 * finder.latency_s - 1e-6)
    print(f"events follow at most {latency_ms} ms after {which} onset", file=sys.stderr)
    with ExitStack() as stack:
        handle: BinaryIO | RawIOBase = sys.stdin.buffer
        if not ends_itself:
            wait_s = IDLE_S if idle_s is None else idle_s
            handle = stack.enter_context(GrowingFile(path, wait_s))
        elif recording != "-":
            handle = stack.enter_context(path.open("rb", buffering=0))
        target: TextIO = sys.stdout
        if out is not None:
            stack.enter_context(_writable(out))
            out.parent.mkdir(parents=True, exist_ok=True)
            target = stack.enter_context(out.open("w", encoding="utf-8", newline=""))
        name = "stream" if recording == "-" else path.stem
        handle = stack.enter_context(Interruptible(handle))
        found = predict_stream(finder, handle, recording=name, **options)
        _write_events(target, found, columns(finder.header))


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{out}: cannot be written ({reason}); name another --out") from error


def _write_events(file: TextIO, events: Iterable[FoundEvent], columns: list[str]) -> None:
    """Write events as CSV, each as soon as it is there."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    file.flush()
    for event in events:
        writer.writerow([cell(name, getattr(event, name)) for name in columns])
        file.flush()
