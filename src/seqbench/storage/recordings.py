"""`recordings.h5`: what `ingest` leaves, the same for every source.

Layout, version 5. All recordings of a dataset stand end to end:

====================  =======================================================
``signal``            (n_samples, C) float32, in the units of ``channels/unit``;
                      of tokens (n_samples, 1), Unicode code points; of video
                      (n_samples, C, H, W), a frame for each sample
``recordings/name``   (R,) text; also ``group`` (subject, session, ...) and
                      ``split`` (official one: train, val, test, or empty)
``recordings/start``  (R,) int64, first row of the recording in ``signal``
``recordings/length`` (R,) int64, samples
``recordings/known``  (R, 2) int64, samples between which every event is labelled
``channels/name``     (C,) text; also ``unit``, empty where unknown
``classes``           (K,) text
``labels/recording``  (L,) int64; also ``label`` (index into classes), ``start``
                      and ``stop`` (samples from the start of the recording), and
                      where a generator knows it ``amplitude``
``targets/values``    (n_samples, D) float32, targets of every sample, NaN
                      where unknown; also ``name`` and ``unit``, (D,) text; only
                      where there are any
``truth/..``          arrays that only a generator knows, such as templates
``checksums/..``      of ``signal`` and ``targets/values``; see `signals`
====================  =======================================================

Attributes: ``task``, ``sample``, ``sampling_rate_hz``, ``refractory_s`` and
``tolerance_ms`` (NaN where unknown), and ``source``, a JSON object with origin,
licence, citation, checksums and notes.
"""

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.lazy_array import AnyArray, changed, span
from seqbench.storage.mapping import read_record, write_record
from seqbench.storage.signals import open_signal, write_signal

KIND, VERSION = "recordings", 5
SIGNALS = ("signal", "targets/values")
LABEL_COLUMNS = ("label_recording", "label", "label_start", "label_stop")
PATHS = {
    "names": "recordings/name",
    "groups": "recordings/group",
    "splits": "recordings/split",
    "channels": "channels/name",
    "units": "channels/unit",
    "label_recording": "labels/recording",
    "label": "labels/label",
    "label_start": "labels/start",
    "label_stop": "labels/stop",
    "label_amplitude": "labels/amplitude",
    "target_names": "targets/name",
    "target_units": "targets/unit",
}


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """All recordings of one dataset and what is known about them.

    Parameters
    ----------
    task, sample
        Registered task, and kind of sample: "series", "tokens" or "video".
    signals
        One array per recording, (n_samples, C) float32, in memory or a `LazyArray`.
        Tokens are Unicode code points in a single channel; float32 holds all of
        them exactly. A sample of video is a frame of C planes, (n_samples, C, H, W),
        H and W the same in all recordings; an image is a video of one frame.
    names, groups, splits
        One per recording, names unique. A group is what a split must not cut
        through; a split is the official one or "" where the source has none.
    channels, units
        One per channel.
    classes
        Names of the classes, in the order of their indices.
    label_recording, label, label_start, label_stop
        One entry per label, (L,): index of the recording, index of the class,
        and the samples [start, stop) it covers; an event starts at its onset,
        and covers one sample where its end is unknown. No label: pretraining only.
    label_amplitude
        Factor of the template of each event, above 0, (L,); None: not known.
    targets, target_names, target_units
        Regression: values of every sample of each recording, (n_samples, D)
        float32, NaN where unknown, and what they are; None for other tasks.
    sampling_rate_hz
        Samples per second; None where the source does not state them. Detection needs it.
    known
        Samples [start, stop) of each recording in which every event is labelled,
        (R, 2); None: all of a recording that has labels, nothing of the others.
    refractory_s
        Shortest time between two events of one type, in seconds; None: none known.
    tolerance_ms
        Detection: tolerance of the headline and of the choice of thresholds, one
        of `seqbench.config.tolerances.TOLERANCES_MS`.
    ranked_types
        Detection: classes whose mean F1 is the headline and for each of which a threshold is
        chosen; None: F1 over all events is.
    truth
        Arrays that only a generator knows, for oracles; by name.
    source
        Origin, licence, citation, checksums; anything JSON can hold. Sentences
        under ``notes`` are shown in the report. ``subtracted`` holds a number for
        each channel that was subtracted from it, as its unit states. ``ecg`` names
        the channel that is an electrocardiogram, where it is not the first one.
        ``physiology`` says what channels measure, by their names: one of
        `seqbench.config.options.PhysiologyKind`.
        ``segments`` holds the name of the recording that was split at gaps by the
        names of its segments.
    """

    task: str
    sample: str
    signals: Sequence[AnyArray]
    names: list[str]
    groups: list[str]
    splits: list[str]
    channels: list[str]
    units: list[str]
    classes: list[str]
    label_recording: NDArray[np.int64]
    label: NDArray[np.int64]
    label_start: NDArray[np.int64]
    label_stop: NDArray[np.int64]
    label_amplitude: NDArray[np.float64] | None = None
    targets: Sequence[AnyArray] | None = None
    target_names: list[str] = field(default_factory=list)
    target_units: list[str] = field(default_factory=list)
    sampling_rate_hz: float | None = None
    known: NDArray[np.int64] | None = None
    refractory_s: float | None = None
    tolerance_ms: float | None = None
    ranked_types: list[str] | None = None
    truth: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.signals)
        if not n:
            raise ValueError("the dataset holds no recordings")
        if not len(self.names) == len(self.groups) == len(self.splits) == n:
            raise ValueError("names, groups and splits must have one entry per recording")
        if len(set(self.names)) != n:
            raise ValueError("two recordings have the same name")
        n_dimensions = 4 if self.sample == "video" else 2
        shape = (len(self.channels), *self.signals[0].shape[2:])
        targets: Sequence[AnyArray | None] = self.targets or [None] * n
        for name, signal, values in zip(self.names, self.signals, targets, strict=True):
            if signal.ndim != n_dimensions or signal.shape[1:] != shape:
                expected = ", ".join(["n_samples", *map(str, shape)])
                raise ValueError(
                    f"recording '{name}' has shape {signal.shape}, {self.sample} has ({expected})"
                )
            if values is not None and values.shape[:2] != (len(signal), len(self.target_names)):
                raise ValueError(
                    f"recording '{name}' has targets of shape {values.shape},"
                    f" not ({len(signal)}, {len(self.target_names)})"
                )
        if self.sample == "tokens" and len(self.channels) != 1:
            raise ValueError(f"tokens have one channel, not {len(self.channels)}")
        labels = TASKS.entry(self.task).tags.get("labels", "classes")
        if labels == "values" and self.targets is None:
            raise ValueError(f"{self.task} needs targets")
        stops = self.lengths[self.label_recording]
        if (self.label_start < 0).any() or (self.label_stop > stops).any():
            raise ValueError("a label reaches past its recording")
        if (self.label_start >= self.label_stop).any():
            raise ValueError("a label covers no sample")
        amplitude = self.label_amplitude
        if amplitude is not None and (
            len(amplitude) != len(self.label) or not (amplitude > 0).all()
        ):
            raise ValueError("every event has one amplitude above 0, or none has one")
        if labels == "events" and (self.sampling_rate_hz is None or not self.tolerance_ms):
            raise ValueError(f"{self.task} needs a sampling rate and a tolerance")
        if unknown := [name for name in self.ranked_types or () if name not in self.classes]:
            raise ValueError(f"ranked type '{unknown[0]}' is none of the classes")
        if len(set(self.ranked_types or ())) < len(self.ranked_types or ()):
            raise ValueError("a ranked type is named twice")

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Samples of each recording, (R,)."""
        return np.array([len(signal) for signal in self.signals], dtype=np.int64)

    @property
    def origins(self) -> list[str]:
        """Name of each recording before it was split at gaps, (R,)."""
        of_segment = self.source.get("segments", {})
        return [of_segment.get(name, name) for name in self.names]

    @property
    def whole_spans(self) -> NDArray[np.int64]:
        """Samples [0, n) of each recording, (R, 2)."""
        return np.stack([np.zeros_like(self.lengths), self.lengths], axis=1)

    @property
    def known_spans(self) -> NDArray[np.int64]:
        """Samples [start, stop) of each recording in which every event is labelled, (R, 2)."""
        if self.known is not None:
            return self.known
        is_labelled = np.isin(np.arange(len(self.signals)), self.label_recording)
        return self.whole_spans * is_labelled[:, None]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether each label begins where every event is labelled, (L,)."""
        start, stop = self.known_spans[self.label_recording].T
        return (start <= self.label_start) & (self.label_start < stop)

    def without_labels(self, indices: Sequence[int]) -> "Recordings":
        """Return the recordings as if nothing were known of those at `indices`."""
        if not len(indices):
            return self
        kept = ~np.isin(self.label_recording, indices)
        known = self.known_spans.copy()
        known[list(indices)] = 0
        targets = self.targets and [
            changed(values, _unknown) if i in indices else values
            for i, values in enumerate(self.targets)
        ]
        labels = {column: getattr(self, column)[kept] for column in LABEL_COLUMNS}
        if self.label_amplitude is not None:
            labels["label_amplitude"] = self.label_amplitude[kept]
        return replace(self, known=known, targets=targets, **labels)

    @classmethod
    def one_label_each(
        cls,
        labels: list[str],
        signals: Sequence[AnyArray],
        *,
        names: list[str],
        sample: str = "series",
        **rest: Any,
    ) -> "Recordings":
        """Make recordings that carry one label from beginning to end.

        Each is a group of its own unless `groups` are given.
        """
        classes = sorted(set(labels), key=natural_order)
        index = {name: i for i, name in enumerate(classes)}
        n = len(signals)
        return cls(
            **{"task": "classification", "groups": names} | rest,
            sample=sample,
            signals=signals,
            names=names,
            classes=classes,
            label_recording=np.arange(n),
            label=np.array([index[name] for name in labels], dtype=np.int64),
            label_start=np.zeros(n, dtype=np.int64),
            label_stop=np.array([len(signal) for signal in signals], dtype=np.int64),
        )

    @classmethod
    def without_classes(
        cls,
        signals: Sequence[AnyArray],
        *,
        names: list[str],
        splits: Sequence[str] | None = None,
        sample: str = "series",
        **rest: Any,
    ) -> "Recordings":
        """Make recordings that carry no label, each a group of its own; None: no official split."""
        rest |= dict.fromkeys(LABEL_COLUMNS, np.zeros(0, dtype=np.int64))
        return cls(
            sample=sample,
            signals=signals,
            names=names,
            groups=names,
            splits=[""] * len(names) if splits is None else list(splits),
            classes=[],
            **rest,
        )


def _unknown(values: NDArray[np.float32], _: int) -> NDArray[np.float32]:
    return np.full_like(values, np.nan)


def natural_order(name: str) -> tuple[int, float, list[str | int], str]:
    """Sort key: numbers by value first, then words, numbers inside them by value."""
    with contextlib.suppress(ValueError):
        if math.isfinite(number := float(name)):
            return 0, number, [], name
    parts = re.split(r"(\d+)", name)
    return 1, 0.0, [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def write_recordings(path: Path, recordings: Recordings) -> None:
    """Write `recordings` atomically."""
    lengths = recordings.lengths
    with writing(path, KIND, VERSION) as file:
        skipped = {"signals", "targets", "known"}
        if recordings.targets is None:
            skipped |= {"target_names", "target_units"}
        write_record(file, recordings, paths=PATHS, skip=skipped)
        n_samples = int(lengths.sum())
        row = recordings.signals[0].shape[1:]
        write_signal(file, "signal", recordings.signals, (n_samples, *row))
        file["recordings/start"] = np.cumsum(lengths) - lengths
        file["recordings/length"] = lengths
        file["recordings/known"] = recordings.known_spans
        if (targets := recordings.targets) is not None:
            write_signal(file, "targets/values", targets, (n_samples, *targets[0].shape[1:]))


def read_recordings(path: Path, *, memory_limit_bytes: float = math.inf) -> Recordings:
    """Read what `write_recordings` wrote; signals and targets larger than a limit are lazy."""
    with reading(path, KIND, VERSION) as file:
        table = file["recordings"]
        starts, lengths = table["start"][:].tolist(), table["length"][:].tolist()
        stored = {name: open_signal(path, file, name) for name in SIGNALS if name in file}
        fits = sum(values.nbytes for values in stored.values()) <= memory_limit_bytes
        arrays = {name: values[:] if fits else values for name, values in stored.items()}
        split = {
            name: [span(array, a, a + n) for a, n in zip(starts, lengths, strict=True)]
            for name, array in arrays.items()
        }
        given: dict[str, Any] = {"targets": split.get("targets/values")}
        if given["targets"] is None:
            given |= {"target_names": [], "target_units": []}
        return read_record(
            file,
            Recordings,
            paths=PATHS,
            signals=split["signal"],
            known=table["known"][:],
            **given,
        )
