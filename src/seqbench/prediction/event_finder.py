"""Events in recordings that still run, each as soon as it is certain."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from seqbench.prediction.predictor import read_models
from seqbench.prediction.scale import ScaleWatch
from seqbench.storage.detections import Decoding, DetectionTuning
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.normalization import Normalization
from seqbench.storage.onnx_model import OnnxModel
from seqbench.tasks.detection.averaging import averaged
from seqbench.tasks.detection.latency import longest_wait
from seqbench.tasks.detection.refractory import period_samples, wait_samples
from seqbench.tasks.detection.results import FoundEvent, found_event
from seqbench.tasks.detection.stream import Detector, Event, EventStream, OnlineSelection


class EventFinder:
    """A detection model, ready for any number of recordings.

    Parameters
    ----------
    path
        A `model.safetensors` of a detection dataset, what was exported from one, or
        `results/best/DATASET`, whose models are averaged frame by frame.
    device
        auto, cpu, cuda or cuda:N.
    threads
        Of the network, 1 in the benchmark; None: as many as torch or ONNX Runtime takes.

    Raises
    ------
    UserError
        If the file is no trained detection model.
    """

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        files, stored, header = read_models([path])
        self._path = files[0]
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
        networks = [
            StoredModel(one.arrays, one.header)
            for one in stored
            if isinstance(one, StoredModel) and isinstance(one.header, ModelHeader)
        ]  # all, or none that is exported: no baseline is averaged
        exported = [one for one in stored if isinstance(one, OnnxModel)]
        self._detector = (
            _exported(exported[0], files[0], device, threads)
            if exported
            else _detector(networks, files, device, threads)
        )

    @property
    def waits_for_the_period(self) -> bool:
        """Whether an event may wait for a likelier one until the refractory period is over."""
        return bool(self.header.refractory_s) and self._decoding.decoder in ("greedy", "optimal")

    @property
    def latency_s(self) -> float:
        """Longest wait for an event in a stream, an isolated one if it waits for the period.

        In seconds after its onset, by the samples that must come; computing takes its own time.
        """
        decoding, rate_hz = self._decoding, self._rate_hz
        period = period_samples(self.header.refractory_s, rate_hz)
        wait = wait_samples(decoding.wait_ms, rate_hz)
        return longest_wait(self._detector.scoring.pace, decoding.decoder, period, wait) / rate_hz

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
        wait = wait_samples(self._decoding.wait_ms, self._rate_hz)
        selection = OnlineSelection(self._decoding.thresholds[decoder], period, decoder, wait)
        try:
            stream, watch = (
                EventStream(self._detector, selection),
                ScaleWatch(self.header, recording),
            )
            for chunk in chunks:
                check_channels(self.header, chunk.shape[1], recording)
                watch.look_at(chunk)
                yield from self._found(stream.push(chunk), recording, times)
            watch.finish()
            yield from self._found(stream.finish(), recording, times)
        except FloatingPointError as error:
            raise FormatError(f"{self._path}: its weights give {error}") from None

    def _found(
        self, events: list[Event], recording: str, times: Callable[[], SampleTimes | None]
    ) -> Iterator[FoundEvent]:
        clock = times() if events else None
        for event in events:
            yield found_event(self.header, self._tuned, recording, clock, *event)


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


def _detector(
    stored: Sequence[StoredModel[ModelHeader]],
    paths: Sequence[Path],
    device: str,
    threads: int | None,
) -> Detector:
    """Return the models behind headers as what turns samples into candidates."""
    from seqbench.tasks.detection.head import DetectionHead
    from seqbench.training.model import load_model
    from seqbench.training.reproducibility import choose_device, prepare

    header = stored[0].header
    where = choose_device(device)
    prepare(threads, where)
    scorings = []
    for one, path in zip(stored, paths, strict=True):
        model = load_model(one, path).to(where)
        head = model.head
        if not isinstance(head, DetectionHead):
            raise TypeError("only the head of detection finds events")
        try:
            scorings.append(head.scoring(model, where, one.header.window_samples))
        except UserError as error:
            raise FormatError(f"{path}: its header describes no model ({error})") from None
    scoring = averaged(scorings)
    return Detector(scoring, Normalization.of(header.normalization), len(header.classes))


def _exported(stored: OnnxModel, path: Path, device: str, threads: int | None) -> Detector:
    """Return an exported model, which normalises samples itself; see `_detector`."""
    from seqbench.prediction.onnx_model import OnnxNetwork, scoring

    header = stored.header
    network = OnnxNetwork(stored, path, device, threads)
    neutral = Normalization.neutral(len(header.channels))
    return Detector(scoring(network), neutral, len(header.classes))
