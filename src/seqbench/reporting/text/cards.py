"""Text of the page on the data of a dataset, whatever models make of them: its card."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqbench.config.datasets import DatasetEntry
from seqbench.config.registry import DATASETS, TASK_PROFILES
from seqbench.config.stages import SplitSettings, WindowSettings
from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.read.split_sizes import SplitSize
from seqbench.reporting.scores import formats
from seqbench.reporting.text.leaks import leak_fact
from seqbench.windowing.split import DEFAULT_TEST

NOT_STATED, NOTHING_TO_LICENSE = "not stated", "none needed"
N_NAMED, N_FILES = 12, 60  # what is listed one by one
SAMPLES = {"video": "frame", "tokens": "character"}
NORMALIZATIONS = {
    "zscore": "z-score: each channel less its mean over train, divided by its deviation there",
    "robust": "robust: each channel less its median over train, divided by its quartiles' range",
    "per_recording": "each channel of a recording less its own mean, divided by its own deviation",
    "per_window": "each channel of a window less its own mean, divided by its own deviation",
    "none": "none",
}


@dataclass(frozen=True)
class Fact:
    """One line of a card, left out without a text; `url` is where the text leads, if anywhere."""

    name: str
    text: str
    url: str | None = None


@dataclass(frozen=True)
class ClassCount:
    """Labels of one class by split, and their fraction of the split; None in an empty one."""

    name: str
    counts: list[int]
    shares: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a dataset before anything is trained.

    Parameters
    ----------
    about
        Summary of its source; "" if options may change that.
    glance
        The facts that a reader needs first.
    chapters
        All others, by heading.
    splits
        Train, val and test, of the fold shown where there are folds.
    has_look_back
        Whether samples of val and test count what windows look back at.
    duration_unit, durations, known_durations
        Of the splits; none without a sampling rate, or where all is labelled.
    counts_of
        What is counted by class.
    classes
        None where values are predicted.
    files
        SHA-256 by name of the first files that were read.
    n_files
        Number of all files.
    sums_digest
        SHA-256 of the list of all checksums, by which two runs compare their data.
    """

    about: str
    glance: list[Fact]
    chapters: dict[str, list[Fact]]
    splits: list[SplitSize]
    has_look_back: bool
    duration_unit: str
    durations: list[str]
    known_durations: list[str]
    counts_of: str
    classes: list[ClassCount]
    files: list[tuple[str, str]]
    n_files: int
    sums_digest: str

    @property
    def largest_share(self) -> float:
        """Of all classes and splits; bars are drawn against it."""
        return max((s for one in self.classes for s in one.shares if s is not None), default=1.0)


def card(plan: Plan, material: Material) -> Card:
    """Return the card of a dataset."""
    entry, windows = plan.benchmark.all_datasets[material.dataset], material.windows
    splits, source, rate_hz = material.splits, windows.source, windows.sampling_rate_hz
    task = TASK_PROFILES[material.board.task]
    files = dict(sorted((source.get("files") or {}).items()))
    seconds = [split.seconds for split in splits if split.seconds is not None]
    known_s = [split.known_s for split in splits if split.known_s is not None]
    durations, unit = formats.durations([*seconds, *known_s])
    return Card(
        # With options of its own a dataset may differ from the summary of its source.
        about="" if entry.source_options else DATASETS.entry(entry.source).summary,
        glance=_glance(material, entry),
        chapters={
            "Source": _source_facts(entry, source),
            "What was measured": [
                *_sample(material),
                Fact("sampling rate", NOT_STATED if rate_hz is None else f"{rate_hz:g} Hz"),
                *_targets(material),
            ],
            "Split": [
                Fact("how", split_words(entry.split, material.windows.official_splits)),
                *_folds(material),
                Fact("labels put aside", _shortened(entry.split.unlabelled)),
                Fact("leak check", leak_fact(material.leakchecks)),
            ],
            "Preparation": _prepared(material, entry),
        },
        splits=splits,
        has_look_back=entry.split.by == "time" and task.looks_back,
        duration_unit=unit,
        durations=durations[: len(seconds)],
        known_durations=durations[len(seconds) :] if known_s != seconds else [],
        counts_of=task.counted,
        classes=class_counts(windows.classes, splits),
        files=list(files.items())[:N_FILES],
        n_files=len(files),
        sums_digest=sums_digest(files),
    )


def class_counts(classes: Sequence[str], splits: Sequence[SplitSize]) -> list[ClassCount]:
    """Return how often each class occurs in each split."""
    found, totals = [], [split.n_labelled for split in splits]
    for k, name in enumerate(classes):
        counts = [int(split.counts[k]) for split in splits]
        shares = [n / total if total else None for n, total in zip(counts, totals, strict=True)]
        found.append(ClassCount(name, counts, shares))
    return found


def sums_digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of a list of checksums as `sha256sum` prints it, sorted by name."""
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest() if files else ""


def split_words(settings: SplitSettings, official: Sequence[str]) -> str:
    """Return in words how recordings became train, val and test.

    Parameters
    ----------
    settings
        As in the config.
    official
        Parts that are the source's own.
    """
    units = f"{settings.by}s"
    drawn = f"drawn by class with seed {settings.seed}"
    test = DEFAULT_TEST if settings.test is None else settings.test
    if settings.folds is not None:
        times = f", {settings.repeats} times anew" if settings.repeats > 1 else ""
        return (
            f"{settings.folds} folds of whole {units}{times}, {drawn}; each is test in turn, and"
            f" val is {_requested(settings.val)} of the rest"
        )
    if settings.by == "time":
        val, last = (fraction for fraction in (settings.val, test) if isinstance(fraction, float))
        return (
            f"cut in time: of every recording the first {formats.percent(1 - val - last)} are"
            f" train, the next {formats.percent(val)} val, the last {formats.percent(last)} test"
        )
    if not official:
        named = isinstance(settings.val, list) and isinstance(test, list)
        how = "" if named else f"; {drawn}"
        return f"whole {units}: val {_requested(settings.val)}, test {_requested(test)}{how}"
    own = f"the source's own {', '.join(official[:-1])} and {official[-1]}"
    if "val" in official:
        return own
    how = "" if isinstance(settings.val, list) else f", {drawn}"
    return f"{own}; val is {_requested(settings.val)} of the {units} of train{how}"


def _requested(split: float | list[str]) -> str:
    return _shortened(split) if isinstance(split, list) else formats.percent(split)


def _shortened(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many there are beside them."""
    rest = len(names) - N_NAMED
    shown = ", ".join(names[:N_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _glance(material: Material, entry: DatasetEntry) -> list[Fact]:
    return [
        Fact("task", material.board.task),
        *_targets(material),
        _sample_size(material),
        *_sizes(material),
        *_folds(material),
        *_rules(material),
        Fact("licence", _stated(entry.licence, material.windows.source, "licence")),
    ]


def _sample_size(material: Material) -> Fact:
    """Return how large a sample is, without names."""
    if material.windows.sample == "series":
        return Fact("channels", f"{len(material.windows.channels)}")
    return _sample(material)[0]


def _sizes(material: Material) -> list[Fact]:
    """Return the size of each split, in what the task predicts for."""

    def fact(name: str, count: str) -> Fact:
        each = (f"{formats.amount(getattr(p, count))} {p.split}" for p in material.splits)
        return Fact(name, " · ".join(each))

    if material.windows.timeline is None:
        return [fact("windows", "n_windows")]
    return [fact("recordings", "n_recordings"), fact("labelled events", "n_labelled")]


def _source_facts(entry: DatasetEntry, source: Mapping[str, object]) -> list[Fact]:
    options = ", ".join(f"{key} {value}" for key, value in entry.source_options.items())
    origin = str(source.get("origin") or NOT_STATED)
    is_address = re.fullmatch(r"https?://\S+", origin) is not None
    licence = _stated(entry.licence, source, "licence")
    citation = _stated(entry.citation, source, "citation")
    if licence == NOTHING_TO_LICENSE and citation == NOT_STATED:
        citation = NOTHING_TO_LICENSE
    return [
        Fact("source", f"{entry.source} ({options})" if options else entry.source),
        Fact("origin", origin, origin if is_address else None),
        Fact("version", str(source.get("version") or "")),
        Fact("citation", citation),
        Fact("licence", licence),
    ]


def _stated(own: str | None, source: Mapping[str, object], key: str) -> str:
    """Return the entry of the config, else that of the source; nothing is guessed."""
    return own or str(source.get(key) or NOT_STATED)


def _sample(material: Material) -> list[Fact]:
    """Return what a sample is made of."""
    windows = material.windows
    n = len(windows.channels)
    if windows.sample == "tokens":
        return [Fact("vocabulary", f"{counted(n - 1, 'character')} of train, and one for all else")]
    if windows.sample == "video":
        rows, columns = windows.frame_size
        size = f"{rows} x {columns} pixels, {counted(n, 'plane')}"
        return [Fact("frame", size), *_units(windows.units)]
    return [Fact("channels", f"{n}: {_shortened(windows.channels)}"), *_units(windows.units)]


def _units(units: Sequence[str]) -> list[Fact]:
    different = list(dict.fromkeys(units))
    if not any(different):
        return [Fact("unit", NOT_STATED)]
    if len(different) == 1:
        return [Fact("unit", different[0])]
    return [Fact("units", _shortened([unit or NOT_STATED for unit in units]))]


def _targets(material: Material) -> list[Fact]:
    """Return what is predicted."""
    windows, targets = material.windows, material.windows.targets
    n_classes = len(windows.classes)
    if windows.timeline is not None:
        return [Fact("event types", f"{n_classes}")]
    if targets is None or windows.classes:
        return [Fact("classes", f"{n_classes}")]
    named = zip(targets.names, targets.units, strict=True)
    names = _shortened([f"{name} ({unit})" if unit else name for name, unit in named])
    horizon = counted(targets.horizon_samples, SAMPLES.get(windows.sample, "sample"))
    return [Fact("values", names), Fact("horizon", horizon if targets.horizon_samples else "")]


def _rules(material: Material) -> list[Fact]:
    timeline = material.windows.timeline
    if timeline is None:
        return []
    period = timeline.refractory_s
    return [
        Fact("refractory period", "none known" if period is None else formats.seconds(period)),
        Fact("tolerance", f"{timeline.tolerance_ms:g} ms"),
        Fact("ranked types", _shortened(timeline.ranked_types or [])),
    ]


def _folds(material: Material) -> list[Fact]:
    """Return how many folds there are, and which one is shown; nothing where there are none."""
    folds = {result.fold for result in material.results} - {None}
    if not folds:
        return []
    n_repeats = len({fold.repeat for fold in folds if fold})
    return [
        Fact("folds", f"{len(folds)} in {counted(n_repeats, 'draw')}"),
        Fact("fold shown", material.shown),
    ]


def _prepared(material: Material, entry: DatasetEntry) -> list[Fact]:
    windows, targets = material.windows, material.windows.targets
    settings = TASK_PROFILES[material.board.task]().with_defaults(entry.window)
    transform = ""
    if targets is not None and targets.horizon_samples:
        steps = ["logarithm"] if targets.transform.log else []
        steps += [f"difference over {lag}" for lag in targets.transform.difference_samples]
        transform = ", ".join(steps) or "none"
    mode = "none" if windows.sample == "tokens" else windows.normalization.mode
    return [
        Fact("length of a window", _length(material)),
        Fact("windows are", _cut_words(settings)),
        Fact("transform", transform),
        Fact("normalisation", NORMALIZATIONS[mode]),
    ]


def _length(material: Material) -> str:
    windows = material.windows
    if not len(windows):
        return formats.NOTHING
    noun = SAMPLES.get(windows.sample, "sample")
    shortest, longest = int(windows.length.min()), int(windows.length.max())
    span = counted(longest, noun) if shortest == longest else f"{shortest} to {longest} {noun}s"
    if windows.sampling_rate_hz is None:
        return span
    limit = "" if shortest == longest else "at most "
    return f"{span}, {limit}{formats.seconds(longest / windows.sampling_rate_hz)}"


def _cut_words(settings: WindowSettings) -> str:
    if settings.overlap:
        return f"slid along recordings, {formats.percent(settings.overlap)} of each shared"
    if settings.step_samples is not None:
        return f"slid along recordings by {counted(settings.step_samples, 'sample')}"
    if settings.length_samples is not None:
        return "cut from recordings end to end"
    words = "whole recordings or labelled excerpts"
    if settings.max_samples is not None:
        words += f", of at most {counted(settings.max_samples, 'sample')}"
    if settings.pad_to_samples is not None:
        words += f", padded to {counted(settings.pad_to_samples, 'sample')}"
    return words
