"""`windows.h5`: what `window` leaves and every later stage reads.

Layout, version 7. One signal array; windows are rows of a table that point
into it, so overlapping windows are never copies. The recordings of a split
stand together: reading a split never touches the bytes of another.

======================  =====================================================
``signal``              (n_samples, C) float32, normalised unless per window; of
                        tokens (n_samples, 1), ids that index ``channels``; of
                        video (n_samples, C, H, W)
``slabs/{split}``       (2,) int64, first and past-the-last row of the split
``windows/{split}/..``  (N,) int64: ``start`` (from the slab's first row),
                        ``length``, ``label`` (-1: none), ``recording``
``timeline/{split}/..`` recordings and events, for detection; see `timeline`
``targets/..``          targets of single samples; see `targets`
``truth/..``            arrays that only a generator knows
``recordings/..``       ``name`` and ``group``, (R,) text
``channels``            (C,) text; of tokens the vocabulary, from train
``units``               (C,) text, empty where unknown; of tokens none
``classes``             (K,) text
``normalization``       ``centre`` and ``scale``, (C,) float64, from train;
                        attribute ``mode``
``checksums/..``        of ``signal`` and ``targets/values``; see `signals`
======================  =====================================================

The attribute ``source`` is that of `recordings.h5`; ``cutting``, a JSON object,
holds the settings that windows were cut by; ``official_splits``, a JSON list, names
the splits that are the source's own; ``leakcheck``, a JSON object, is what the
splits share, and stands where `window` made the file.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.stages import WindowSettings
from seqbench.errors import FormatError, UserError
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.lazy_array import AnyArray, LazyArray, changed
from seqbench.storage.mapping import read_record, write_record
from seqbench.storage.normalization import Normalization
from seqbench.storage.signals import open_signal, signal_ranges, write_signal
from seqbench.storage.targets import PATHS as TARGET_PATHS
from seqbench.storage.targets import Targets
from seqbench.storage.timeline import Timeline, read_timeline

if TYPE_CHECKING:
    import h5py

KIND, VERSION = "windows", 7
Split = Literal["train", "val", "test"]
UNLABELLED = -1
COLUMNS = ("start", "length", "label", "recording")
PATHS = {"names": "recordings/name", "groups": "recordings/group"}
OF_SPLIT = {"split", "signal", "timeline", "targets", "official_splits", *COLUMNS}
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class WindowSet:
    """The windows of one split and what is known about them.

    Parameters
    ----------
    signal
        The split's recordings end to end, (n_samples, C) float32, in memory or a
        `LazyArray`; of tokens
        (n_samples, 1), and each sample is an index into `channels`; of video
        (n_samples, C, H, W).
    start, length
        First sample and number of samples of each window, (N,) int64.
    label
        Index of the class of each window, (N,) int64; -1 without a label. In
        detection a stratum for drawing labels: the type of the first event, or
        K for none.
    recording
        Index of the recording each window was cut from, (N,) int64.
    names, groups
        Of all recordings of the dataset, (R,).
    channels
        Names of the channels; of tokens the vocabulary, whose first entry
        stands for every token that train does not hold.
    cutting
        How recordings became windows.
    units
        Of the channels as they were recorded, "" where unknown; none of tokens.
    official_splits
        Splits that the source itself names and nothing in the configuration replaced.
    timeline
        Whole recordings and their events; detection alone has one.
    targets
        Targets of single samples; of tasks that have them.
    truth, source
        As in `Recordings`; the notes also name what the step `window` left out.
    """

    task: str
    sample: str
    split: Split
    signal: AnyArray
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    label: NDArray[np.int64]
    recording: NDArray[np.int64]
    names: list[str]
    groups: list[str]
    channels: list[str]
    classes: list[str]
    normalization: Normalization
    sampling_rate_hz: float | None
    timeline: Timeline | None = None
    targets: Targets | None = None
    truth: dict[str, NDArray[Any]] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    cutting: WindowSettings = field(default_factory=WindowSettings)
    units: list[str] = field(default_factory=list)
    official_splits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.start) and int((self.start + self.length).max()) > len(self.signal):
            raise ValueError("a window reaches past the end of the signal")

    def __len__(self) -> int:
        return len(self.start)

    @property
    def frame_size(self) -> tuple[int, ...]:
        """Rows and columns (H, W) of a frame of video; () of other samples."""
        return self.signal.shape[2:]

    @property
    def required_targets(self) -> Targets:
        """Targets of single samples.

        Raises
        ------
        ValueError
            Of tasks without such targets.
        """
        if self.targets is None:
            raise ValueError(f"windows of {self.task} have no targets")
        return self.targets

    @property
    def events(self) -> Timeline:
        """Whole recordings and their events.

        Raises
        ------
        ValueError
            Of tasks without events.
        """
        if self.timeline is None:
            raise ValueError(f"windows of {self.task} have no events")
        return self.timeline

    @property
    def required_rate_hz(self) -> float:
        """Samples per second, which every dataset with events has.

        Raises
        ------
        ValueError
            Of windows without one.
        """
        if self.sampling_rate_hz is None:
            raise ValueError(f"windows of {self.task} have no sampling rate")
        return self.sampling_rate_hz

    @property
    def horizon_samples(self) -> int:
        """Samples behind each window that are its target; 0 where targets lie inside."""
        return self.targets.horizon_samples if self.targets is not None else 0

    def rows(self) -> NDArray[np.int64]:
        """Return the row in the signal of every sample of every window, in order, (S,)."""
        window = np.repeat(np.arange(len(self)), self.length)
        begin = np.cumsum(self.length) - self.length
        rows: NDArray[np.int64] = np.arange(len(window)) + (self.start - begin)[window]
        return rows

    def rows_around_end(self, first: int, stop: int) -> NDArray[np.int64]:
        """Return rows relative to the one behind each window, (N, stop - first); -1 is its last."""
        rows: NDArray[np.int64] = (self.start + self.length)[:, None] + np.arange(first, stop)
        return rows

    def check_in_memory(self, what: str) -> None:
        """Refuse a lazy signal for a method that needs all of it at once.

        Raises
        ------
        UserError
            With what to change.
        """
        if isinstance(self.signal, LazyArray):
            raise UserError(
                f"{what} needs all of {self.split} in memory, {self.signal.nbytes / 1e9:.3g} GB,"
                " which is kept on disk by `memory_limit`; raise it, or leave this baseline out"
            )

    def window(self, index: int) -> NDArray[np.float32]:
        """Return one window, (T, C) or of video (T, C, H, W), as it stands in the signal."""
        start = self.start[index]
        return self.signal[start : start + self.length[index]]


@dataclass(frozen=True, kw_only=True)
class LeakCheck:
    """What train, val and test of a dataset share; what none may have is refused before.

    Parameters
    ----------
    by
        What splits never share: "group", "recording", or "time", a span of a recording.
    n_shared_groups
        Groups with windows in two splits or more; 0 unless the configuration allows it.
    n_windows
        Windows of val and test that were compared with those of train, by split.
    n_repeated
        Those that stand in train too, sample by sample.
    n_same_target
        Of the repeated ones, those with the same label, targets or events there.
    order_agreement
        How often recordings next to each other in the list have the same
        label, beyond chance: 0 as by chance, 1 sorted by label; None where
        recordings have no label, are too few, or are cut in time.
    """

    by: str
    n_shared_groups: int
    n_windows: dict[str, int]
    n_repeated: dict[str, int]
    n_same_target: dict[str, int]
    order_agreement: float | None


def write_windows(
    path: Path, splits: dict[Split, WindowSet], leakcheck: LeakCheck | None = None
) -> None:
    """Write the windows of all splits atomically, and what they share if that was looked for."""
    first = next(iter(splits.values()))
    with writing(path, KIND, VERSION) as file:
        write_record(file, first, paths=PATHS, skip=OF_SPLIT)
        file.attrs["official_splits"] = json.dumps(first.official_splits)
        if leakcheck is not None:
            file.attrs["leakcheck"] = json.dumps(asdict(leakcheck))
        n_samples = sum(len(windows.signal) for windows in splits.values())
        signals = [windows.signal for windows in splits.values()]
        write_signal(file, "signal", signals, (n_samples, *first.signal.shape[1:]))
        begin = 0
        for split, windows in splits.items():
            end = begin + len(windows.signal)
            file[f"slabs/{split}"] = np.array([begin, end])
            for column in COLUMNS:
                file[f"windows/{split}/{column}"] = getattr(windows, column)
            if windows.timeline is not None:
                write_record(file.create_group(f"timeline/{split}"), windows.timeline)
            begin = end
        if first.targets is not None:
            group = file.create_group("targets")
            write_record(group, first.targets, paths=TARGET_PATHS, skip={"values"})
            if not (first.sample == "video" and first.targets.horizon_samples):
                values = [windows.required_targets.values for windows in splits.values()]
                shape = (n_samples, *values[0].shape[1:])
                write_signal(file, "targets/values", values, shape)


def read_windows(
    path: Path,
    split: Split,
    *,
    labels: bool = True,
    signal: bool = True,
    memory_limit_bytes: float = math.inf,
) -> WindowSet:
    """Read one split.

    Parameters
    ----------
    path
        A `windows.h5`.
    split
        The only split whose signal and table are read.
    labels
        False leaves labels, events and truth in the file: all are -1 or none.
    signal
        False leaves the signal in the file: it reads as 0 everywhere and takes
        no memory, and so do targets that are the signal itself, as NaN.
    memory_limit_bytes
        Of a file whose signal and targets take more, both are lazy.

    Raises
    ------
    FormatError
        If the file is missing, damaged or no `windows.h5`.
    """
    with reading(path, KIND, VERSION) as file:
        if f"slabs/{split}" not in file:
            raise FormatError(f"{path}: no split '{split}' in it")
        begin, end = file[f"slabs/{split}"][:]
        table, of_split = file[f"windows/{split}"], file.get(f"timeline/{split}")
        start, stored = table["start"][:], open_signal(path, file, "signal").span(begin, end)
        fits = sum(n_bytes for _, n_bytes in signal_ranges(file)) <= memory_limit_bytes
        rows: AnyArray = np.broadcast_to(np.float32(0), stored.shape)
        if signal:
            rows = stored[:] if fits else stored
        return read_record(
            file,
            WindowSet,
            paths=PATHS,
            split=split,
            signal=rows,
            start=start,
            length=table["length"][:],
            label=table["label"][:] if labels else np.full(len(start), UNLABELLED),
            recording=table["recording"][:],
            official_splits=json.loads(file.attrs["official_splits"]),
            timeline=read_timeline(of_split, events=labels) if of_split else None,
            targets=_read_targets(path, file, rows, begin, is_known=signal, fits=fits)
            if labels and "targets" in file
            else None,
            **({} if labels else {"truth": {}}),
        )


def read_leakcheck(path: Path) -> LeakCheck | None:
    """Return what the splits of a file share; None where nobody looked."""
    with reading(path, KIND, VERSION) as file:
        if "leakcheck" not in file.attrs:
            return None
        return LeakCheck(**json.loads(file.attrs["leakcheck"]))


def _read_targets(
    path: Path, file: h5py.File, signal: AnyArray, begin: int, *, is_known: bool, fits: bool
) -> Targets:
    """Return the targets of the rows of a split, which are its signal where none are stored."""
    group, values = file["targets"], signal
    if "values" in group:
        stored = open_signal(path, file, "targets/values").span(begin, begin + len(signal))
        values = stored[:] if fits else stored
    elif is_known:
        normalization = read_record(group["normalization"], Normalization)
        values = changed(signal, lambda rows, _: normalization.undone(rows))
    else:
        values = np.broadcast_to(np.float32(np.nan), signal.shape)
    return read_record(group, Targets, paths=TARGET_PATHS, values=values)
