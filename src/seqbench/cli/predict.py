"""Find the events of a recording: in a file, or while its samples still arrive."""

from __future__ import annotations

import csv
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from glob import escape
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, TextIO, get_args

from seqbench.cli.arguments import refuse_overwriting
from seqbench.config.options import Gaps, TimeUnit
from seqbench.errors import UserError
from seqbench.storage.atomic import replacing

if TYPE_CHECKING:
    from seqbench.prediction.event_finder import FoundEvent

IDLE_S = 10.0
FORMATS = ("csv", "audacity", "bids", "label_studio", "textgrid", "wfdb")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the model, the recording and how it is read."""
    parser.add_argument("--model", type=Path, required=True, help="a model.safetensors")
    parser.add_argument(
        "--recording", required=True, metavar="FILE", help="a recording, or - for standard input"
    )
    parser.add_argument("--out", type=Path, help="file of the events; without, on standard output")
    parser.add_argument(
        "--format", dest="out_format", choices=FORMATS, default="csv",
        help="of --out: csv (the default), or a label file that the program of that name opens",
    )  # fmt: skip
    parser.add_argument(
        "--channels", nargs="+", metavar="NAME", help="channels to take, in the model's order"
    )
    parser.add_argument(
        "--header", choices=("yes", "no"), help="whether the first row of a table names its columns"
    )
    parser.add_argument("--time-column", metavar="NAME", help="of a table; else by its name")
    parser.add_argument(
        "--time-unit", choices=get_args(TimeUnit), help="of the time column; else by name or values"
    )
    parser.add_argument(
        "--gaps", choices=get_args(Gaps), default="refuse",
        help="of a recording that stops and goes on later: refuse it (the default), or split it",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--stream", action="store_true", help="give events as they become certain")
    parser.add_argument(
        "--kind", choices=("csv", "raw"),
        help="of a stream: rows of numbers (csv, the default), or float32 sample after sample",
    )  # fmt: skip
    parser.add_argument(
        "--idle-s", type=float, metavar="S",
        help=f"a growing file has ended when it has not grown for so long; {IDLE_S:g} by default",
    )  # fmt: skip


def run(
    model: Path,
    recording: str,
    out: Path | None,
    out_format: str,
    channels: list[str] | None,
    header: str | None,
    time_column: str | None,
    time_unit: TimeUnit | None,
    gaps: Gaps,
    device: str,
    stream: bool,
    kind: str | None,
    idle_s: float | None,
) -> None:
    """Write the events of a file, or of a stream each as soon as it is certain."""
    if out is not None:
        _refuse_out(out, model, recording)
    elif out_format != "csv":
        raise UserError(f"--format {out_format} is for files; name one with --out")
    if stream and out_format != "csv":
        raise UserError(f"a file of {out_format} is written at the end; leave --stream out")
    table: dict[str, object] = {
        "header": header and header == "yes",
        "time_column": time_column,
        "time_unit": time_unit,
    }
    if stream and gaps != "refuse":
        raise UserError("--gaps split is for files; leave it or --stream out")
    if stream:
        _predict_stream(model, recording, out, channels, table, device, kind or "csv", idle_s)
        return
    if recording == "-":
        raise UserError("standard input is read with --stream; else name a file")
    if kind is not None or idle_s is not None:
        option = "--idle-s" if kind is None else "--kind"
        raise UserError(f"{option} is for streams; leave it out, or add --stream")
    from seqbench.prediction.event_finder import find_events

    found = find_events(
        model,
        Path(recording),
        channels=channels,
        device=device,
        progress=sys.stderr.isatty(),
        gaps=gaps,
        **table,
    )
    if out is None:
        _write_events(sys.stdout, found.events)
        return
    with replacing(out) as temporary:
        if out_format == "csv":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                _write_events(file, found.events)
        else:
            from seqbench.prediction.label_files import write_label_file

            write_label_file(temporary, out_format, found, Path(recording).name)
    print(f"{out}: {len(found.events)} events")


def _refuse_out(out: Path, model: Path, recording: str) -> None:
    """Refuse to write where the model or the recording is, or the signals of a WFDB record."""
    if recording == "-":
        refuse_overwriting(out, ("--model", model))
        return
    path = Path(recording)
    refuse_overwriting(out, ("--model", model), ("--recording", path))
    if path.suffix.lower() == ".hea":
        for signals in path.parent.glob(f"{escape(path.stem)}.*"):
            if out.exists() and out.samefile(signals):
                raise UserError(f"{out}: belongs to the recording {path}; choose another --out")


def _predict_stream(
    model: Path,
    recording: str,
    out: Path | None,
    channels: list[str] | None,
    table: dict[str, object],
    device: str,
    kind: str,
    idle_s: float | None,
) -> None:
    from seqbench.datasets.reading.stream import GrowingFile
    from seqbench.prediction.event_finder import EventFinder, predict_stream

    if kind == "raw" and channels is not None:
        raise UserError("--channels needs names, which raw samples have none of; send a csv stream")
    path = Path(recording)
    ends_itself = recording == "-" or path.is_fifo() or path.is_char_device()
    if ends_itself and idle_s is not None:
        raise UserError("--idle-s is for growing files; a pipe ends by itself")
    finder = EventFinder(model, device)
    print(
        f"events follow at most {finder.latency_s:.3g} s after an isolated onset", file=sys.stderr
    )
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
        found = predict_stream(
            finder, handle, kind=kind, recording=name, channels=channels, **table
        )
        _write_events(target, found)


class Interruptible(RawIOBase):
    """A stream in which an interrupt from the keyboard strikes while it waits, and only then.

    As a context manager it takes interrupts over: one that comes while samples
    are at work is kept until the next read, so that none is lost half way. The
    second strikes at once.
    """

    def __init__(self, handle: BinaryIO | RawIOBase) -> None:
        self.name = getattr(handle, "name", "<stream>")
        self._read = getattr(handle, "read1", handle.read)
        self._is_waiting = self._is_interrupted = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def read(self, size: int = -1, /) -> bytes:
        """Return what has arrived, as soon as there is anything."""
        self._is_waiting = True
        try:
            if self._is_interrupted:
                raise KeyboardInterrupt
            arrived: bytes = self._read(size)
            return arrived
        finally:
            self._is_waiting = False

    def _interrupt(self, number: int, frame: object) -> None:
        if self._is_waiting or self._is_interrupted:
            raise KeyboardInterrupt
        self._is_interrupted = True


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{out}: cannot be written ({reason}); name another --out") from error


def _write_events(file: TextIO, events: Iterable[FoundEvent]) -> None:
    """Write events as CSV, each as soon as it is there."""
    from seqbench.prediction.event_finder import COLUMNS

    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    file.flush()
    for event in events:
        writer.writerow(event.row())
        file.flush()
