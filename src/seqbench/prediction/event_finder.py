"""Events in new recordings, by a model that the pipeline left behind."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from seqbench.config.registry import TASKS
from seqbench.datasets.reading.clock import RATE_TOLERANCE, SampleTimes
from seqbench.datasets.reading.gaps import read_by_segment
from seqbench.datasets.reading.recording import open_recording
from seqbench.datasets.reading.source import Blocks, Source, same_unit
from seqbench.datasets.reading.stream import Stream, csv_stream, raw_stream
from seqbench.errors import FormatError, UserError
from seqbench.storage.cells import plain_cell
from seqbench.storage.detections import Decoding, DetectionTuning
from seqbench.storage.model_header import BaselineHeader, Header, ModelHeader
from seqbench.storage.models import StoredModel, read_model
from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.head import DetectionHead
from seqbench.tasks.detection.refractory import period_samples
from seqbench.tasks.detection.stream import Detector, Event, EventStream, OnlineSelection
from seqbench.training.model import load_model
from seqbench.training.reproducibility import choose_device

CHUNK_SAMPLES = 1 << 15
NO_OFFSETS = "float32 cannot hold the offsets of the model's channels together with their changes"


@dataclass(frozen=True)
class FoundEvent:
    """One event: onset in seconds on the clock of its recording, and where it may lie.

    A recording without a clock of its own starts at 0.

    The interval holds 95 % of the matched events of val; None where val had
    too few.
    """

    recording: str
    onset_s: float
    label: str
    score: float
    earliest_s: float | None
    latest_s: float | None

    def row(self) -> list[str]:
        """Return the event as cells of a CSV file; times to a microsecond."""
        times = (self.onset_s, self.earliest_s, self.latest_s)
        onset, earliest, latest = ("" if t is None else f"{t:.6f}" for t in times)
        return [plain_cell(self.recording), onset, plain_cell(self.label), f"{self.score:.4f}",
                earliest, latest]  # fmt: skip


COLUMNS = [field.name for field in fields(FoundEvent)]


@dataclass(frozen=True)
class RecordingEvents:
    """The events of one recording by onset, its number of samples, and when they were taken."""

    events: list[FoundEvent]
    n_samples: int
    times: SampleTimes


class EventFinder:
    """A detection model, ready for any number of recordings.

    Parameters
    ----------
    path
        A `model.safetensors` of a detection dataset.
    device
        auto, cpu, cuda or cuda:N.

    Raises
    ------
    UserError
        If the file is no trained detection model.
    """

    def __init__(self, path: Path, device: str = "auto") -> None:
        stored = read_model(path)
        header = stored.header
        labels = {name: TASKS.entry(name).tags.get("labels") for name in TASKS}
        if not isinstance(header, ModelHeader) or labels.get(header.task) != "events":
            raise UserError(
                f"{path}: holds {_content_of(header)}; name the model of an architecture trained"
                " for detection"
            )
        try:
            tuned = DetectionTuning.of_json(header.tuned)
            tuned.check(len(header.classes))
        except ValueError as error:
            raise FormatError(f"{path}: its header describes no model ({error})") from None
        if header.sampling_rate_hz is None:
            raise FormatError(f"{path}: its header describes no model (no sampling rate)")
        self.channels = list(header.channels)
        self.classes = list(header.classes)
        self.sampling_rate_hz = header.sampling_rate_hz
        self.units = [re.sub(r"(^| )less \S+$", "", unit) for unit in header.units]  # of the file
        self.subtracted = header.subtracted
        self.refractory_s = header.refractory_s
        self._decoding = Decoding.of(tuned)
        self._bounds_ms = tuned.timing_bounds_ms
        self._detector = _detector(StoredModel(stored.arrays, header), path, device)

    @property
    def latency_s(self) -> float:
        """Longest wait for an isolated event in a stream, in seconds after its onset."""
        layout = self._detector.layout
        # A peak waits for its window, stands up to 1.4 frames behind its time, and needs 3 more.
        samples = layout.window_samples + 5 * layout.hop_samples
        keeps_all = self._decoding.decoder == "threshold"
        period_s = 0.0 if keeps_all else self.refractory_s or 0.0
        return samples / self.sampling_rate_hz + period_s

    def events(
        self,
        chunks: Iterable[NDArray[np.float32]],
        recording: str = "recording",
        times: Callable[[], SampleTimes | None] = lambda: None,
    ) -> Iterator[FoundEvent]:
        """Yield the events of one recording in order of their certainty, then of time.

        Parameters
        ----------
        chunks
            Samples (n, C) in the units of the recordings the model was trained
            on, piece by piece.
        recording
            Name to give it.
        times
            Returns when the samples so far were taken; None: they start at 0,
            at the rate of the model.
        """
        decoder = self._decoding.decoder
        period = period_samples(self.refractory_s, self.sampling_rate_hz)
        selection = OnlineSelection(self._decoding.thresholds[decoder], period, decoder)
        stream = EventStream(self._detector, selection)
        for chunk in chunks:
            self.check_channels(chunk.shape[1], recording)
            yield from self._found(stream.push(chunk), recording, times)
        yield from self._found(stream.finish(), recording, times)

    def check_channels(self, n_channels: int, recording: str) -> None:
        """Refuse a recording of other channels than the model was trained on."""
        if n_channels != len(self.channels):
            raise UserError(
                f"{recording}: has {n_channels} channels, but the model was trained on"
                f" {len(self.channels)} ({', '.join(self.channels)}); name those to take"
            )

    def check_units(self, units: list[str], recording: str) -> None:
        """Refuse a recording in other units than the model was trained on, where both are known."""
        for name, unit, expected in zip(self.channels, units, self.units, strict=False):
            if unit and expected and not same_unit(unit, expected):
                raise UserError(
                    f"{recording}: channel '{name}' is in {unit}, but the model was trained on"
                    f" {expected}; convert the recording"
                )

    def check_rate(self, sampling_rate_hz: float | None, recording: str) -> None:
        """Refuse a recording of another sampling rate; one without a rate is accepted."""
        expected = self.sampling_rate_hz
        if sampling_rate_hz is not None and abs(sampling_rate_hz / expected - 1) > RATE_TOLERANCE:
            raise UserError(
                f"{recording}: has {sampling_rate_hz:g} Hz, but the model was trained at"
                f" {expected:g} Hz; resample the recording"
            )

    def _found(
        self, events: list[Event], recording: str, times: Callable[[], SampleTimes | None]
    ) -> Iterator[FoundEvent]:
        if not events:
            return
        clock = times() or SampleTimes.uniform(self.sampling_rate_hz)
        for place, kind, score in events:
            onset_s = clock.time_s_at(place)
            bounds = self._bounds_ms[kind]
            earliest, latest = (onset_s + b / 1000 for b in bounds) if bounds else (None, None)
            yield FoundEvent(recording, onset_s, self.classes[kind], score, earliest, latest)


def predict(
    model: Path | str,
    recording: Path | str | ArrayLike,
    *,
    channels: list[str] | None = None,
    device: str = "auto",
    progress: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Find the events of a recording of any length.

    Parameters
    ----------
    model
        A `model.safetensors` of a detection dataset.
    recording
        A file in any format of ``source: folder``, or an array (n_samples, C)
        at the sampling rate of the model.
    channels
        Names of the channels to take from a file, in the order of the model;
        None: those the model was trained on by their names, or all as they
        stand where the file or the model has no names.
    device
        auto, cpu, cuda or cuda:N.
    progress
        Show a bar.
    **options
        How the file is read: `header`, `time_column`, `time_unit` and `gaps`, as for
        ``source: folder``. Between gaps a recording is searched as one of its own.

    Returns
    -------
    DataFrame
        recording, onset_s, label, score, earliest_s, latest_s; by onset, which
        is on the clock of the file: a time column that starts at 5 s is kept.

    Raises
    ------
    UserError
        If model or recording cannot be read, or do not fit each other.
    """
    found = find_events(
        model, recording, channels=channels, device=device, progress=progress, **options
    )
    return pd.DataFrame([vars(event) for event in found.events], columns=COLUMNS)


def find_events(
    model: Path | str,
    recording: Path | str | ArrayLike,
    *,
    channels: list[str] | None = None,
    device: str = "auto",
    progress: bool = False,
    **options: Any,
) -> RecordingEvents:
    """Return the events of a recording; see `predict`."""
    finder = EventFinder(Path(model), device)
    n_samples, times = 0, None

    def counted(chunks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        nonlocal n_samples
        for chunk in chunks:
            n_samples += len(chunk)
            yield chunk

    if isinstance(recording, Path | str):
        name = Path(recording).stem
        with _opened(finder, Path(recording), channels, progress, options) as opened:
            found = [
                event
                for times_so_far, chunks in read_by_segment(opened)
                for event in finder.events(counted(chunks), name, times_so_far)
            ]
            times = opened.sample_times()
    else:
        name = "recording"
        signal = _signal(recording, finder)
        pieces = range(0, len(signal), CHUNK_SAMPLES)
        found = list(finder.events(counted(signal[i : i + CHUNK_SAMPLES] for i in pieces), name))
    found.sort(key=lambda event: (event.onset_s, event.label))
    return RecordingEvents(found, n_samples, times or SampleTimes.uniform(finder.sampling_rate_hz))


@contextmanager
def _opened(
    finder: EventFinder,
    path: Path,
    channels: list[str] | None,
    progress: bool,
    options: dict[str, Any],
) -> Iterator[Source]:
    """Open a recording, and check that it fits the model; reading it moves a bar."""
    with ExitStack() as stack:
        # The file may have the channels of the model in another order, or among others.
        known: dict[str, Any] = {
            "preferred": tuple(finder.channels),
            "sampling_rate_hz": finder.sampling_rate_hz,
            "subtracted": finder.subtracted,
        }
        opened = stack.enter_context(open_recording(path, channels, **known, **options))
        finder.check_rate(opened.sampling_rate_hz, str(path))
        finder.check_channels(len(opened.channels), str(path))
        finder.check_units(opened.units, str(path))
        total = opened.n_samples and opened.n_samples / finder.sampling_rate_hz
        bar: Any = stack.enter_context(
            tqdm(total=total, unit="s", unit_scale=True, desc=path.name, disable=not progress)
        )

        def counted(blocks: Blocks) -> Blocks:
            for block in blocks:
                yield block
                bar.update(len(block) / finder.sampling_rate_hz)

        yield replace(opened, blocks=counted(opened.blocks))


def predict_stream(
    finder: EventFinder,
    handle: Stream,
    *,
    kind: str = "csv",
    recording: str = "stream",
    channels: list[str] | None = None,
    **options: Any,
) -> Iterator[FoundEvent]:
    """Yield events as they become certain, from samples that are still coming.

    Parameters
    ----------
    finder
        The model.
    handle
        Standard input, or a growing file.
    kind
        csv: a row of numbers for each sample, with or without a header and a
        time column. raw: float32, little-endian, sample after sample.
    recording
        Name to give it.
    channels
        Names of the columns to take, for csv with a header; None: those the
        model was trained on, or all as they stand where there are no names.

    Notes
    -----
    An interrupt from the keyboard while samples are awaited ends the stream:
    what is certain without more of them is still yielded.
    """
    clocks: list[Callable[[], SampleTimes | None]] = [lambda: None]
    if kind == "raw":
        if any(finder.subtracted):
            raise UserError(f"{recording}: {NO_OFFSETS}; send csv")
        chunks = raw_stream(handle, len(finder.channels))
    else:
        chunks = csv_stream(
            handle,
            len(finder.channels),
            channels=channels,
            default_channels=finder.channels,
            sampling_rate_hz=finder.sampling_rate_hz,
            started=clocks.append,
            subtracted=finder.subtracted,
            **options,
        )
    yield from finder.events(_until_interrupted(chunks), recording, lambda: clocks[-1]())


def _until_interrupted(chunks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield chunks until there are no more, or nobody wants to wait for the next one."""
    with suppress(KeyboardInterrupt):
        yield from chunks


def _content_of(header: Header) -> str:
    if isinstance(header, BaselineHeader):
        return header.baseline
    return header.task if isinstance(header, ModelHeader) else f"an {header.kind} without a head"


def _detector(stored: StoredModel[ModelHeader], path: Path, device: str) -> Detector:
    """Return the model behind a header as what turns samples into candidates."""
    header = stored.header
    where = choose_device(device)
    model = load_model(stored, path).to(where)
    head = model.head
    if not isinstance(head, DetectionHead):
        raise TypeError("only the head of detection finds events")
    try:
        layout = head.layout(header.window_samples)
    except UserError as error:
        raise FormatError(f"{path}: its header describes no model ({error})") from None
    score = head.scoring(model, where)

    def finite_score(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = score(windows)
        if not np.isfinite(scores).all():
            raise FormatError(f"{path}: its weights give scores that are no numbers")
        return scores

    normalization = Normalization.of(header.normalization)
    return Detector(finite_score, layout, normalization, len(header.classes))


def _signal(recording: ArrayLike, finder: EventFinder) -> NDArray[np.float32]:
    """Return an array as a recording, (n_samples, C), less what the model subtracts."""
    try:
        given = np.asarray(recording)
        signal = np.asarray(given, dtype=np.float32)
    except (TypeError, ValueError):  # rows of unequal length, text
        given = signal = np.zeros(0, dtype=np.float32)
    if signal.ndim != 2 or not len(signal) or not np.isfinite(signal).all():
        raise UserError("the recording must be an array (n_samples, C) of finite numbers")
    if not any(finder.subtracted):
        return signal
    finder.check_channels(signal.shape[1], "recording")
    if np.can_cast(given.dtype, np.float32):
        raise UserError(f"recording: {NO_OFFSETS}; pass float64 instead of {given.dtype}")
    return (given - np.array(finder.subtracted)).astype(np.float32)
