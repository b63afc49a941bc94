"""Hybrid ground truth: known events added to real recordings at known times and strengths."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seqbench.config.options import (
    Gaps,
    LabelFiles,
    Level,
    NaturalNumber,
    Positive,
    Text,
    TimeOrigin,
    TimeUnit,
    Tolerance,
)
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import checksums, counted, explained, fault, listed
from seqbench.datasets.events import Event, label_columns
from seqbench.datasets.folder import folder
from seqbench.datasets.strike_schedules import poisson_strikes
from seqbench.storage.lazy_array import AnyArray, changed
from seqbench.storage.recordings import Recordings

FILE = "templates.npz"
FEWEST_EVENTS = 5  # of a type, to learn its template from
FADED = 0.1  # of a learned template at each end, so that adding it makes no step
NOISE_SAMPLES = 2**20  # of all recordings together, from which the noise is measured
TO_DEVIATION = 1.4826  # from the median absolute deviation of normal values


class _Templates(NamedTuple):
    """Names of types (K,), what an event adds (K, C, L) in units, and the sample of its onset."""

    types: list[str]
    values: NDArray[np.float32]
    onset: int


@DATASETS.register(
    "hybrid",
    task="detection",
    sample="series",
    reads="path",
    offers=("truth",),
    files=("templates.npz", "events.csv", "groups.csv", "recordings/*"),
)
def hybrid(
    cache: Path,
    *,
    path: Text,
    templates: Literal["labelled", "file"] = "labelled",
    length_ms: Positive = 60.0,
    before_ms: Level = 15.0,
    snr_db: Annotated[float, Field(ge=-60, le=120)] | None = None,
    amplitude_jitter: Annotated[float, Field(ge=0, le=2)] = 0.2,
    rate_hz: Positive = 0.25,
    refractory_s: Positive = 1.0,
    sampling_rate_hz: Positive | None = None,
    times: TimeOrigin | None = None,
    time_column: Text | None = None,
    time_unit: TimeUnit | None = None,
    header: bool | None = None,
    gaps: Gaps = "refuse",
    resample: bool = False,
    channels: tuple[Text, ...] | None = None,
    labels: LabelFiles | None = None,
    ungrouped: Literal["own"] | None = None,
    tolerance_ms: Tolerance = 5.0,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Add known events to real recordings, at known times and strengths.

    Parameters
    ----------
    cache
        Not used: nothing is downloaded.
    path
        Folder as `folder` reads it.
    templates
        labelled: the pointwise median of the events of each type in `events.csv`, faded to 0
        at both ends; recordings that hold some are left out, and the others get events.
        file: `templates.npz` in the folder, which holds `templates` (K, C, L) in the units of
        the recordings, `onset`, the sample where events begin, and, if types have names,
        `types` (K,); every recording gets events, and no label is read.
    length_ms
        labelled: length of a template in milliseconds.
    before_ms
        labelled: what of it lies before the onset.
    snr_db
        Scales every template: its highest peak over the standard deviation of the noise on the
        channel where that is greatest, as 20 log10. Empty: as given or learned.
    amplitude_jitter
        Standard deviation of the logarithm of the amplitude of an event, which is
        log-normal with median 1.
    rate_hz
        Mean events per second of each type.
    refractory_s
        Shortest time between two events of one type.
    sampling_rate_hz
        Samples per second; this and the options up to `ungrouped` are those of `folder`.
    times
        labelled: what the times of labels count from, "start" or "clock".
    time_column
        Tables: name of the time column.
    time_unit
        Unit of the time column.
    header
        Tables: whether the first row names the columns.
    gaps
        What to do with a recording that stops and goes on later: "refuse" or "split".
    resample
        Whether recordings of other rates are brought to `sampling_rate_hz`.
    channels
        Names of the channels to keep, in this order; empty keeps all.
    labels
        labelled: label files of another program in place of `events.csv`.
    ungrouped
        own: a recording that `groups.csv` does not name is a group of its own.
    tolerance_ms
        How far off an onset may be found in the headline of the report.
    seed
        Seed of times and amplitudes.

    Raises
    ------
    DataError
        In one sentence that names the file, the row or key, and the fix.

    Notes
    -----
    Onsets lie on whole samples. The noise of a channel is what a moving mean as long as a
    template leaves of it: 1.4826 times the median absolute deviation over the first samples of
    all recordings, 2^20 together. Real events that nobody labelled remain in the recordings and
    count as false alarms where a method finds them. The truth has ``templates`` and
    ``template_onset`` as `strikes_windows` has them; the noise is real, so nothing states it.

    References
    ----------
    Magland et al. (2020). SpikeForest, reproducible web-facing ground-truth validation of
    automated neural spike sorters. eLife 9:e55167, hybrid recordings.
    """
    root = Path(path).expanduser()
    is_learned = templates == "labelled"
    if labels is not None and not is_learned:
        raise fault(root, "no label is read with `templates: file`", "leave `labels` out")
    # With templates of a file no table of labels is read, as in forecasting.
    found = folder(
        cache, path=path, task="detection" if is_learned else "forecasting",
        sampling_rate_hz=sampling_rate_hz, times=times, time_column=time_column,
        time_unit=time_unit, header=header, gaps=gaps, resample=resample, channels=channels,
        labels=labels, ungrouped=ungrouped,
    )  # fmt: skip
    if not found.sampling_rate_hz:
        raise fault(root, "its recordings have no sampling rate", "set `sampling_rate_hz`")
    rate = found.sampling_rate_hz
    labelled = np.unique(found.label_recording)
    backgrounds = [i for i in range(len(found.names)) if i not in labelled]
    if not backgrounds:
        raise fault(
            root / "recordings", "every recording holds labelled events",
            "add recordings without, to which known events can be added",
        )  # fmt: skip
    if rate_hz * (refractory_s + 1 / rate) >= 1:
        raise fault(
            root, f"a `rate_hz` of {rate_hz:g} brings a type back within its `refractory_s`",
            f"give less than {1 / (refractory_s + 1 / rate):.3g}",
        )  # fmt: skip
    if not is_learned:
        known = _read(root / FILE, found)
    else:
        before, length = round(before_ms * rate / 1000), round(length_ms * rate / 1000)
        known = _learned(root, found, before=before, length=length)
    if snr_db is not None:
        noise_sd = _noise_sd([found.signals[i] for i in backgrounds], known.values.shape[2])
        known = _scaled(root, known, noise_sd, snr_db)
    n_taps = known.values.shape[2]
    generator = np.random.default_rng(seed)
    signals: list[AnyArray] = []
    events: list[list[Event]] = []
    amplitudes: list[NDArray[np.float64]] = []
    for i in backgrounds:
        n_samples = len(found.signals[i])
        if n_samples <= n_taps:
            problem = f"recording '{found.names[i]}' is no longer than a template"
            raise fault(root / "recordings", problem, f"give it more than {n_taps} samples")
        times_s, kinds = poisson_strikes(
            generator, (n_samples - n_taps) / rate, n_types=len(known.types), rate_hz=rate_hz,
            refractory_s=refractory_s + 1 / rate,  # rounding may bring two nearer by one
        )  # fmt: skip
        starts = np.floor(times_s * rate).astype(np.int64)
        order = np.lexsort((kinds, starts))  # as labels are stored
        starts, kinds = starts[order], kinds[order]
        factor = np.exp(amplitude_jitter * generator.standard_normal(len(starts)))
        signals.append(_with_events(found.signals[i], known.values, starts, kinds, factor))
        onsets = (starts + known.onset).tolist()
        stops = (starts + n_taps).tolist()
        events.append([Event(*row) for row in zip(kinds.tolist(), onsets, stops, strict=True)])
        amplitudes.append(factor)
    columns = label_columns(events)
    if len(np.unique(columns["label"])) < len(known.types):
        raise fault(
            root, "a type is added to no recording", "raise `rate_hz`, or record for longer"
        )
    return replace(
        found,
        task="detection",
        tolerance_ms=tolerance_ms,
        signals=signals,
        names=[found.names[i] for i in backgrounds],
        groups=[found.groups[i] for i in backgrounds],
        splits=[found.splits[i] for i in backgrounds],
        classes=known.types,
        **columns,
        known=found.whole_spans[backgrounds],
        refractory_s=refractory_s,
        truth={
            "templates": known.values,
            "template_onset": np.array(known.onset),
        },
        label_amplitude=np.concatenate(amplitudes),
        source=_source(root, found, known, backgrounds, templates),
    )


def _source(
    root: Path, found: Recordings, known: _Templates, backgrounds: list[int], templates: str
) -> dict[str, Any]:
    """Return the source of the folder, with what was added."""
    source = {name: value for name, value in found.source.items() if name != "segments"}
    segments = found.source.get("segments", {})
    kept = {found.names[i] for i in backgrounds}
    if segments := {name: of for name, of in segments.items() if name in kept}:
        source["segments"] = segments
    if templates == "file":
        source["files"] = source["files"] | checksums(root, [root / FILE])
    n_left = len(found.names) - len(backgrounds)
    notes = [
        f"Events of {counted(len(known.types), 'type')} are added to"
        f" {counted(len(backgrounds), 'real recording')}: real events that nobody labelled count"
        " as false alarms.",
    ]
    if n_left:
        notes.append(f"Left out: {counted(n_left, 'recording')} with labelled events.")
    return source | {"origin": "hybrid", "notes": [*source.get("notes", ()), *notes]}


def _read(path: Path, found: Recordings) -> _Templates:
    """Read templates from a file, and hold them against the recordings."""
    with explained(path, "write it with `numpy.savez(path, templates=…, onset=…)`"):
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        problem = _problem(arrays, len(found.channels))
        if problem:
            raise fault(path, problem, "correct the file")
        values = arrays["templates"].astype(np.float32)
        types = arrays.get("types", np.array([f"e{k:02d}" for k in range(len(values))]))
        return _Templates([str(one) for one in types], values, int(arrays["onset"]))


def _problem(arrays: dict[str, NDArray[Any]], n_channels: int) -> str | None:
    """Return what is wrong with the arrays of a file of templates; None: nothing."""
    missing = [name for name in ("templates", "onset") if name not in arrays]
    if missing:
        return f"it holds no array {' and no array '.join(f'`{name}`' for name in missing)}"
    values, onset = arrays["templates"], arrays["onset"]
    if values.ndim != 3 or values.dtype.kind not in "fiu" or not values.size:
        return f"`templates` has shape {values.shape}; it must be types by channels by samples"
    if values.shape[1] != n_channels:
        return f"`templates` has {counted(values.shape[1], 'channel')}, recordings {n_channels}"
    if not np.isfinite(values).all():
        return "`templates` holds a value that is not finite"
    silent = [str(k) for k in np.flatnonzero(~values.any(axis=(1, 2)))]
    if silent:
        return f"`templates` is 0 throughout for type {listed(silent)}"
    if onset.ndim or onset.dtype.kind not in "iu" or not 0 <= int(onset) < values.shape[2]:
        return f"`onset` must be one whole number from 0 to {values.shape[2] - 1}"
    types = arrays.get("types")
    if types is not None and (types.dtype.kind != "U" or types.shape != values.shape[:1]):
        return f"`types` must be {counted(len(values), 'name')}, an array of text"
    if types is not None and len(np.unique(types)) < len(types):
        return "`types` holds a name twice"
    return None


def _learned(root: Path, found: Recordings, *, before: int, length: int) -> _Templates:
    """Return the median of the labelled events of each type that lie inside their recordings."""
    if before >= length:
        raise fault(root, "`before_ms` reaches past `length_ms`", "give less")
    if not len(found.label):
        problem = "no event is labelled, so there is no template to learn"
        raise fault(root, problem, f"label some in `events.csv`, or write {FILE}")
    values = np.zeros((len(found.classes), len(found.channels), length), dtype=np.float32)
    fade = max(1, round(FADED * length))
    ramp = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade) ** 2
    weight = np.ones(length)
    weight[:fade] *= ramp
    weight[-fade:] *= ramp[::-1]
    for k, name in enumerate(found.classes):
        cut = []
        for event in np.flatnonzero(found.label == k):
            signal, start = found.signals[found.label_recording[event]], found.label_start[event]
            if start >= before and start - before + length <= len(signal):
                cut.append(signal[start - before : start - before + length])
        if len(cut) < FEWEST_EVENTS:
            problem = f"type '{name}' has {counted(len(cut), 'labelled event')} inside recordings"
            raise fault(root, problem, f"label {FEWEST_EVENTS} or more, or write {FILE}")
        events = np.stack(cut)
        level = np.median(events, axis=1, keepdims=True)  # of each event: sway moves it
        values[k] = (np.median(events - level, axis=0) * weight[:, None]).T
    return _Templates(found.classes, values, before)


def _noise_sd(signals: Sequence[AnyArray], length: int) -> NDArray[np.float64]:
    """Return the standard deviation of the noise of each channel, (C,)."""
    left = []
    n_each = max(NOISE_SAMPLES // len(signals), 2 * length)
    for signal in signals:
        rows = np.asarray(signal[:n_each], dtype=np.float64)
        if len(rows) > length:
            sums = np.cumsum(np.pad(rows, [(1, 0), (0, 0)]), axis=0)
            mean = (sums[length:] - sums[:-length]) / length
            left.append(rows[length // 2 : length // 2 + len(mean)] - mean)
    if not left:
        return np.zeros(signals[0].shape[1])
    together = np.concatenate(left)
    deviation = np.abs(together - np.median(together, axis=0))
    return np.asarray(TO_DEVIATION * np.median(deviation, axis=0))


def _scaled(
    root: Path, known: _Templates, noise_sd: NDArray[np.float64], snr_db: float
) -> _Templates:
    """Return templates of one ratio; a channel without noise decides nothing."""
    noisy = noise_sd > 0
    if not noisy.any():
        raise fault(root / "recordings", "no channel holds noise", "leave `snr_db` empty")
    ratio = (np.abs(known.values).max(axis=2)[:, noisy] / noise_sd[noisy]).max(axis=1)
    silent = [name for name, one in zip(known.types, ratio, strict=True) if not one]
    if silent:
        problem = f"the template of type {listed(silent)} is 0 wherever there is noise"
        raise fault(root, problem, "leave `snr_db` empty")
    factor = 10 ** (snr_db / 20) / ratio
    return known._replace(values=(known.values * factor[:, None, None]).astype(np.float32))


def _with_events(
    signal: AnyArray,
    templates: NDArray[np.float32],
    starts: NDArray[np.int64],
    kinds: NDArray[np.int64],
    amplitudes: NDArray[np.float64],
) -> AnyArray:
    """Return a recording with events whose templates start at sorted samples, as lazy as it is."""
    shapes = templates.transpose(0, 2, 1)
    length = shapes.shape[1]

    def added(rows: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        result = rows.copy()
        low = np.searchsorted(starts, first - length, side="right")
        high = np.searchsorted(starts, first + len(rows), side="left")
        for event in range(int(low), int(high)):
            start = int(starts[event]) - first
            begin, stop = max(start, 0), min(start + length, len(rows))
            shape = shapes[kinds[event], begin - start : stop - start]
            result[begin:stop] += np.float32(amplitudes[event]) * shape
        return result

    return changed(signal, added)
