"""Events in recordings that still run, each as soon as it is certain."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.stream import RawLayout, Stream, Times, csv_stream, raw_stream
from seqbench.errors import FormatError, UserError
from seqbench.prediction.inputs import NO_OFFSETS, check_channels
from seqbench.prediction.predictor import read_predictor
from seqbench.storage.detections import Decoding, DetectionTuning
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.head import DetectionHead
from seqbench.tasks.detection.refractory import period_samples
from seqbench.tasks.detection.results import FoundEvent, found_event
from seqbench.tasks.detection.stream import Detector, Event, EventStream, OnlineSelection
from seqbench.training.model import load_model
from seqbench.training.reproducibility import choose_device


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
        stored = read_predictor(path)
        header = stored.header
        labels = TASKS.entry(header.task).tags.get("labels")
        if not isinstance(header, ModelHeader) or labels != "events":
            held = header.task if isinstance(header, ModelHeader) else header.baseline
            raise UserError(
                f"{path}: holds {held}, which reads no streams; name the model of an architecture"
                " trained for detection, or leave --stream out"
            )
        self.header = header
        self._tuned = DetectionTuning.of_json(header.tuned)
        self._rate_hz = header.sampling_rate_hz or 1.0
        self._decoding = Decoding.of(self._tuned)
        self._detector = _detector(StoredModel(stored.arrays, header), path, device)

    @property
    def latency_s(self) -> float:
        """Longest wait for an isolated event in a stream, in seconds after its onset."""
        layout = self._detector.layout
        # A peak waits for its window, stands up to 1.4 frames behind its time, and needs 3 more.
        samples = layout.window_samples + 5 * layout.hop_samples
        keeps_all = self._decoding.decoder == "threshold"
        period_s = 0.0 if keeps_all else self.header.refractory_s or 0.0
        return samples / self._rate_hz + period_s

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
        period = period_samples(self.header.refractory_s, self._rate_hz)
        selection = OnlineSelection(self._decoding.thresholds[decoder], period, decoder)
        stream = EventStream(self._detector, selection)
        for chunk in chunks:
            check_channels(self.header, chunk.shape[1], recording)
            yield from self._found(stream.push(chunk), recording, times)
        yield from self._found(stream.finish(), recording, times)

    def _found(
        self, events: list[Event], recording: str, times: Callable[[], SampleTimes | None]
    ) -> Iterator[FoundEvent]:
        clock = times() if events else None
        for place, kind, score in events:
            yield found_event(self.header, self._tuned, recording, clock, place, kind, score)


def predict_stream(
    finder: EventFinder,
    handle: Stream,
    *,
    raw: RawLayout | None = None,
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
    raw
        Layout of plain numbers, sample after sample; None: a row of text for each sample, with
        or without a header and a time column.
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
    clocks: list[Times] = [lambda: None]
    header = finder.header
    if raw is not None:
        if any(header.subtracted) and raw.dtype == "float32":
            raise UserError(f"{recording}: {NO_OFFSETS}; send csv, or float64")
        chunks = raw_stream(handle, len(header.channels), raw, header.subtracted)
    else:
        chunks = csv_stream(
            handle,
            len(header.channels),
            channels=channels,
            default_channels=header.channels,
            sampling_rate_hz=header.sampling_rate_hz,
            started=clocks.append,
            subtracted=header.subtracted,
            **options,
        )
    yield from finder.events(_until_interrupted(chunks), recording, lambda: clocks[-1]())


def _until_interrupted(chunks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield chunks until there are no more, or nobody wants to wait for the next one."""
    with suppress(KeyboardInterrupt):
        yield from chunks


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
