"""New recordings as a model takes them: from files, folders, arrays, text or standard input."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.datasets.base import DataErrors, counted, explained, fault
from seqbench.datasets.reading.clock import RATE_TOLERANCE, SampleTimes
from seqbench.datasets.reading.files import recording_files
from seqbench.datasets.reading.lazy_recording import read_recordings
from seqbench.datasets.reading.source import ReadOptions, same_unit, select_channels
from seqbench.datasets.reading.stream import Stream, Times, csv_stream
from seqbench.datasets.segments import segments_of
from seqbench.errors import UserError
from seqbench.storage.lazy_array import AnyArray, LazyArray, span
from seqbench.storage.model_header import PredictorHeader
from seqbench.storage.recordings import Recordings

NO_OFFSETS = "float32 cannot hold the offsets of the model's channels together with their changes"
TEXT_HINT = "save it as UTF-8 text, a sequence in each line"
OF_TEXT = (".txt", ".csv", "")  # suffixes of files that hold a sequence of tokens in each line


@dataclass(frozen=True)
class NewRecordings:
    """Recordings without labels.

    Parameters
    ----------
    recordings
        As a dataset has them; a file with gaps is several.
    names
        Of the file or array that each is from, (R,).
    times
        When the samples of each were taken, (R,); None where nothing says so.
    """

    recordings: Recordings
    names: list[str]
    times: list[SampleTimes | None]


def check_channels(header: PredictorHeader, n_channels: int, recording: str) -> None:
    """Refuse a recording of other channels than the model was trained on."""
    if n_channels != len(header.channels):
        raise UserError(
            f"{recording}: has {n_channels} channels, but the model was trained on"
            f" {len(header.channels)} ({', '.join(header.channels)}); name those to take"
        )


def check_units(header: PredictorHeader, units: Sequence[str], recording: str) -> None:
    """Refuse a recording in other units than the model was trained on, where both are known."""
    expected_units = [re.sub(r"(^| )less \S+$", "", unit) for unit in header.units]
    for name, unit, expected in zip(header.channels, units, expected_units, strict=False):
        if unit and expected and not same_unit(unit, expected):
            raise UserError(
                f"{recording}: channel '{name}' is in {unit}, but the model was trained on"
                f" {expected}; convert the recording"
            )


def check_rate(header: PredictorHeader, sampling_rate_hz: float | None, recording: str) -> None:
    """Refuse a recording of another sampling rate; one without a rate is accepted."""
    expected = header.sampling_rate_hz
    if sampling_rate_hz is None or expected is None:
        return
    if abs(sampling_rate_hz / expected - 1) > RATE_TOLERANCE:
        raise UserError(
            f"{recording}: has {sampling_rate_hz:g} Hz, but the model was trained at"
            f" {expected:g} Hz; bring it to that with `resample`"
        )


def from_files(
    header: PredictorHeader, paths: Sequence[Path], channels: list[str] | None, /, **options: Any
) -> NewRecordings:
    """Read recordings from files and folders of them; see `Predictor.predict`."""
    try:
        return _from_files(header, paths, channels, **options)
    except DataErrors as errors:  # their hint is for datasets
        n_others = len(errors.faults) - 1
        raise UserError(f"{errors.faults[0]} ({counted(n_others, 'more file')} at fault)") from None


def _from_files(
    header: PredictorHeader, paths: Sequence[Path], channels: list[str] | None, /, **options: Any
) -> NewRecordings:
    files = _named_files(paths)
    if header.sample == "tokens":
        return from_texts(header, _lines(files), channels, **options)
    if header.sample == "video":
        frames = {name: _frames(path) for name, path in files.items()}
        return from_arrays(header, frames, channels, **options)
    if options.get("resample") and header.sampling_rate_hz is None:
        raise UserError("the model has no sampling rate to bring files to; leave `resample` out")
    found = read_recordings(
        files,
        channels,
        # A file may have the channels of the model in another order, or among others.
        preferred=tuple(header.channels),
        sampling_rate_hz=header.sampling_rate_hz,
        subtracted=header.subtracted,
        **options,
    )
    for name, one in found.items():
        where = str(files[name])
        check_rate(header, one.sampling_rate_hz, where)
        check_channels(header, len(one.channels), where)
        check_units(header, one.units, where)
    # Between gaps a recording is one of its own, whose rows have the name of the file.
    segments = segments_of(found)
    signals = {one.name: span(found[one.recording].signal, one.start, one.stop) for one in segments}
    times = [
        of_segment
        for one in found.values()
        for of_segment in (one.times.segments if one.times else [None])
    ]
    return _new(header, signals, times, [one.recording for one in segments])


def from_stream(
    header: PredictorHeader, handle: Stream, channels: list[str] | None, /, **options: Any
) -> NewRecordings:
    """Read one recording from rows of numbers, or sequences of tokens from lines, to the end."""
    if header.sample == "tokens":
        source = Path("the stream")
        with explained(source, TEXT_HINT):
            read = handle.read() or b""
            text = read if isinstance(read, str) else read.decode("utf-8-sig")
        texts = {f"line {i}": t for i, t in _numbered(source, text)}
        return from_texts(header, texts, channels, **options)
    if header.sample == "video":
        raise UserError("frames of video are read from .npy files, not from standard input")
    clocks: list[Times] = []
    chunks = csv_stream(
        handle,
        len(header.channels),
        channels=channels,
        default_channels=list(header.channels),
        sampling_rate_hz=header.sampling_rate_hz,
        started=clocks.append,
        subtracted=header.subtracted,
        **options,
    )
    signal = np.concatenate(list(chunks))
    times = clocks[-1]() if clocks else _uniform(header)
    return _new(header, {"stream": signal}, [times])


def from_arrays(
    header: PredictorHeader,
    arrays: dict[str, Any],
    channels: list[str] | None = None,
    /,
    **options: Any,
) -> NewRecordings:
    """Take arrays (n_samples, C), of video (n_frames, C, H, W), at the rate of the model.

    Of a DataFrame the columns are taken by their names, as those of a file are.
    """
    if header.sample == "tokens":
        raise UserError("the model reads text: pass a string, or a list of them")
    _refuse_set(options, "arrays")
    signals = {name: _signal(header, name, one, channels) for name, one in arrays.items()}
    return _new(header, signals, [_uniform(header)] * len(signals))


def from_texts(
    header: PredictorHeader, texts: dict[str, str], channels: list[str] | None = None, /,
    **options: Any,
) -> NewRecordings:  # fmt: skip
    """Take sequences of characters."""
    _refuse_set({"channels": channels, **options}, "text")
    for name, text in texts.items():
        if not text:
            raise UserError(f"{name}: holds no character; leave it out")
    signals = {
        name: np.array([[ord(c)] for c in text], dtype=np.float32) for name, text in texts.items()
    }
    return _new(header, signals, [None] * len(signals))


def _refuse_set(options: dict[str, Any], given: str) -> None:
    """Refuse options of files of samples, where they are not left as they are."""
    for name, value in options.items():
        if value not in (None, False, "refuse"):
            raise UserError(f"`{name}` is for files of samples, not for {given}; leave it out")


def _uniform(header: PredictorHeader) -> SampleTimes | None:
    """Return the times of samples at the rate of the model; None where it has none."""
    rate_hz = header.sampling_rate_hz
    return None if rate_hz is None else SampleTimes.uniform(rate_hz)


def _new(
    header: PredictorHeader,
    signals: dict[str, AnyArray] | dict[str, NDArray[np.float32]],
    times: Sequence[SampleTimes | None],
    names_of_files: list[str] | None = None,
) -> NewRecordings:
    if not signals:
        raise UserError("there are no recordings to predict")
    names = list(signals)
    targets = None
    if TASKS.entry(header.task).tags.get("labels") == "values" and header.targets:
        row = (len(header.targets.names),)
        targets = [_unknown_targets(signal, row) for signal in signals.values()]
    none = np.zeros(0, dtype=np.int64)
    is_text = header.sample == "tokens"
    made = Recordings(
        task=header.task,
        sample=header.sample,
        signals=list(signals.values()),
        names=names,
        groups=names,
        splits=[""] * len(names),
        channels=["character"] if is_text else list(header.channels),
        units=[""] if is_text else list(header.units or [""] * len(header.channels)),
        classes=list(header.classes),
        targets=targets,
        target_names=list(header.targets.names) if targets and header.targets else [],
        target_units=list(header.targets.units) if targets and header.targets else [],
        sampling_rate_hz=header.sampling_rate_hz,
        refractory_s=header.refractory_s,
        tolerance_ms=header.tolerance_ms,
        label_recording=none,
        label=none,
        label_start=none,
        label_stop=none,
    )
    return NewRecordings(made, names_of_files or names, list(times))


def _unknown_targets(signal: AnyArray, row: tuple[int, ...]) -> AnyArray:
    shape = (len(signal), *row)
    if not isinstance(signal, LazyArray):
        return np.broadcast_to(np.float32(np.nan), shape)
    return LazyArray(shape, lambda a, b: np.full((b - a, *row), np.nan, dtype=np.float32))


def _named_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the files that paths name, those of folders too, by the names of their recordings."""
    files: dict[str, Path] = {}
    for path in paths:
        with explained(path, "correct the name or make it readable"):
            inside = path / "recordings" if (path / "recordings").is_dir() else path
            found = recording_files(inside) if path.is_dir() else {path.stem: path}
        for name, file in found.items():
            known = files.setdefault(name, file)
            if known is not file and known == file:
                raise UserError(f"{file}: is named twice; name each recording once")
            if known is not file:
                raise UserError(
                    f"{file}: recording '{name}' is also {known}; rename one, or predict them"
                    " one after the other"
                )
    return files


def _lines(files: dict[str, Path]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, path in files.items():
        if path.suffix.lower() not in OF_TEXT:
            raise UserError(f"{path}: sequences of characters are read from text, .txt")
        with explained(path, TEXT_HINT):
            lines = _numbered(path, path.read_text(encoding="utf-8-sig"))
        prefix = "" if len(files) == 1 else f"{name} "
        texts |= {f"{prefix}line {i}": text for i, text in lines}
    return texts


def _numbered(source: Path, text: str) -> list[tuple[int, str]]:
    """Return the lines of a text that hold anything, with their numbers."""
    lines = re.split("\r\n|\n|\r", text)  # not at other characters that Unicode breaks lines at
    found = [(i, line) for i, line in enumerate(lines, start=1) if line]
    if not found:
        raise fault(source, "it holds no text", "write a sequence in each line")
    return found


def _frames(path: Path) -> NDArray[Any]:
    if path.suffix.lower() != ".npy":
        raise UserError(f"{path}: frames of video are read from .npy files")
    with explained(path, "save frames with numpy.save, (n_frames, C, rows, columns)"):
        frames: NDArray[Any] = np.load(path, allow_pickle=False)
    return frames


def _signal(
    header: PredictorHeader, name: str, given: Any, channels: list[str] | None
) -> NDArray[np.float32]:
    """Return an array as a recording, less what the model subtracts."""
    n_dimensions = 4 if header.sample == "video" else 2
    try:
        with np.errstate(over="ignore"):  # infinity is refused below
            array = _named_columns(header, name, given, channels)
            is_number = array.dtype.kind in "biufO" and not np.ma.is_masked(given)
            signal = np.asarray(array, dtype=np.float32) if is_number else np.zeros(0, np.float32)
    except UserError:
        raise
    except (TypeError, ValueError):  # rows of unequal length, text
        array = signal = np.zeros(0, dtype=np.float32)
    if signal.ndim != n_dimensions or not len(signal) or not np.isfinite(signal).all():
        form = "(n_frames, C, rows, columns)" if header.sample == "video" else "(n_samples, C)"
        raise UserError(f"{name}: must be an array {form} of finite numbers")
    check_channels(header, signal.shape[1], name)
    if signal.shape[2:] != tuple(header.frame_size):
        expected = " x ".join(map(str, header.frame_size))
        raise UserError(f"{name}: has frames of {signal.shape[2:]}, the model of {expected}")
    if not any(header.subtracted):
        return signal
    if np.can_cast(array.dtype, np.float32):
        raise UserError(f"{name}: {NO_OFFSETS}; pass float64 instead of {array.dtype}")
    return (array - np.array(header.subtracted)).astype(np.float32)


def _named_columns(
    header: PredictorHeader, name: str, given: Any, channels: list[str] | None
) -> NDArray[Any]:
    """Return an array, of a DataFrame the columns that the model was trained on."""
    array, columns = np.asarray(given), list(getattr(given, "columns", ()))
    if array.ndim != 2 or columns == list(range(len(columns))):  # no names
        if channels is not None:
            raise UserError(f"{name}: its channels have no names; leave `channels` out")
        return array
    where, names = Path(name), [str(one) for one in columns]
    named = None if channels is None else tuple(channels)
    options = ReadOptions(channels=named, preferred=tuple(header.channels)).among(where, names)
    return array[:, select_channels(where, names, options.channels)]
