"""A starter config from what lies in a folder of recordings."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqbench.cli.arguments import refuse_missing
from seqbench.cli.init import proposals
from seqbench.cli.init.proposals import MODELS, Proposal
from seqbench.cli.init.starter import starter
from seqbench.cli.init.survey import LabelSource, label_sources
from seqbench.config.benchmark import Benchmark
from seqbench.config.datasets import DatasetEntry
from seqbench.config.messages import ConfigError, faults, option_problems
from seqbench.config.registry import DATASETS, suggestion
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.datasets.base import DataError, cache_folder, counted, fault, listed, unstored
from seqbench.datasets.labels.rows import refuse_misnamed
from seqbench.datasets.reading.recording import READERS
from seqbench.errors import UserError
from seqbench.pipeline import DEFAULT_CONFIG
from seqbench.plan.job_settings import IngestJobSettings
from seqbench.plan.plan import Plan
from seqbench.plan.source_files import source_files
from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.recordings import Recordings
from seqbench.windowing.windows import make_windows

GIVEN = "as given"
TABLES = ("events.csv", "labels.csv", "groups.csv")  # beside the recordings, and none themselves


def config_text(folder: Path, given: dict[str, Any]) -> str:
    """Return the text of the config.

    Parameters
    ----------
    folder
        That of the dataset.
    given
        Keys of the dataset that the user decided.

    Raises
    ------
    UserError
        If the folder cannot be read as it stands; the sentence names what would decide.
    """
    _check_folder(folder)
    try:
        return _config(folder, given)
    except DataError as error:
        keys = [*DATASETS.entry("folder").options.model_fields, "split", "window"]
        if any(re.search(rf"`{key}\b", str(error)) for key in keys):
            raise UserError(f"{error} (with seqbench init, as --set KEY=VALUE)") from None
        raise


def _check_folder(folder: Path) -> None:
    """Refuse a folder without recordings/, with the way to make it."""
    refuse_missing(folder, "name the folder that holds recordings/")
    if not folder.is_dir():
        raise fault(folder, "it is a file", "name the folder that holds recordings/")
    if (folder / "recordings").is_dir():
        return
    loose, by_class = _recordings(folder), dict[str, list[str]]()
    for inside in sorted(folder.iterdir()):
        if inside.is_dir() and (names := _recordings(inside)):
            by_class[inside.name] = names
    if by_class and not loose:
        (kind, names), *_ = by_class.items()
        folders = listed([f"{name}/" for name in by_class], 4)
        problem = f"recordings lie in {folders}, and the folder recordings/ is missing"
        hint = (
            f"move them into {folder / 'recordings'}, each under a name of its own; if a folder is"
            f" a class, write {folder / 'labels.csv'} with the columns recording,label and rows"
            f" such as {Path(names[0]).stem},{kind}"
        )
        raise fault(folder, problem, hint)
    if not loose:
        hint = "make that folder and put the recordings into it"
        raise fault(folder, "it holds no folder recordings/", hint)
    problem = f"{listed(loose, 2)} lie beside the folder recordings/, which is missing"
    hint = f"make {folder / 'recordings'} and move them into it; {', '.join(TABLES)} stay here"
    raise fault(folder, problem, hint)


def _recordings(folder: Path) -> list[str]:
    """Return the names of files that may be recordings, sorted."""
    files = sorted(folder.iterdir())
    return [
        file.name
        for file in files
        if file.suffix.lower() in READERS and file.name not in TABLES and file.is_file()
    ]


def _config(folder: Path, given: dict[str, Any]) -> str:
    """Return the text of the config."""
    name = _name(folder)
    sources = label_sources(folder)
    task, used = _task(folder, sources, given)
    relative = "" if folder.is_absolute() else "from where `seqbench run` is called"
    entry = {
        "source": Proposal("folder", ""),
        "path": Proposal(str(folder), relative),
        "task": task,
    }
    if used is not None and used.labels and "labels" not in given:
        entry["labels"] = Proposal(used.labels, used.reason)
    entry |= {key: Proposal(value, GIVEN) for key, value in given.items()}
    found = _read(name, entry)
    is_open = "task" not in given and (used is None or used.task is None)
    if found.task == "detection" and is_open and proposals.are_classes(found):
        reason = "intervals of several classes cover most of the recordings"
        entry["task"] = Proposal("classification", reason)
        found = _read(name, entry)
    labels = entry.get("labels")
    if labels is not None and labels.reason != GIVEN and (rare := proposals.rare_types(found)):
        kept = [one for one in found.classes if one not in rare]
        reason = f"{labels.reason}; left out, as too few groups have them: {', '.join(rare)}"
        entry["labels"] = Proposal({**labels.value, "only": kept}, reason)
        found = _read(name, entry)
    notes = []
    if found.task == "detection":
        entry.setdefault("tolerance_ms", proposals.tolerance_ms(found, TOLERANCES_MS))
        if "refractory_s" not in given:
            notes += proposals.refractory_notes(found)
        if "ecg" not in given:
            notes += proposals.ecg_notes(found)
    if found.task == "classification" and "physiology" not in given:
        notes += proposals.physiology_notes(found)
    entry.setdefault("window", proposals.window(found))
    has_groups = (folder / "groups.csv").is_file()
    candidates = [entry["split"]] if "split" in given else proposals.splits(found, has_groups)
    entry["split"] = _fitting_split(name, entry, found, candidates)
    notes += [f"Not used: {one.reason}." for one in sources if one is not used]
    return starter(
        dataset=name,
        facts=_facts(folder, found),
        models=proposals.models(found.task, entry["window"].value),
        entry=entry,
        notes=notes,
    )


def _name(folder: Path) -> str:
    """Return a name for the dataset, other than those that are built in."""
    name = re.sub(r"[^a-z0-9_-]+", "_", folder.resolve().name.lower()).strip("_-")[:60]
    taken = Benchmark.read(DEFAULT_CONFIG).named_datasets
    return f"my_{name}" if name in taken or not name else name


def _task(
    folder: Path, sources: list[LabelSource], given: dict[str, Any]
) -> tuple[Proposal, LabelSource | None]:
    """Return the task and the labels that it learns from."""
    stated = given.get("task", "regression" if "targets" in given else None)
    if stated is not None:
        if stated not in MODELS:
            raise UserError(f"unknown task '{stated}'; {suggestion(str(stated), list(MODELS))}")
        fitting = [one for one in sources if one.serves(stated)]
        reason = GIVEN if "task" in given else "`targets` are given"
        return Proposal(stated, reason), fitting[0] if fitting else None
    if sources:
        return Proposal(sources[0].task or "detection", sources[0].reason), sources[0]
    if "labels" in given:
        return Proposal("detection", "the labels are points, or cover little"), None
    for table in ("events.csv", "labels.csv"):
        refuse_misnamed(folder / table, "labels")
    reason = "no labels lie there; with events.csv it is detection, with labels.csv classification"
    return Proposal("forecasting", reason), None


def _dataset(name: str, entry: Mapping[str, Proposal]) -> DatasetEntry:
    """Return the checked entry of the dataset."""
    values = {key: proposal.value for key, proposal in entry.items()}
    problems = list(faults(DatasetEntry, values, f"datasets.{name}"))
    if not problems:
        dataset = DatasetEntry.model_validate(values)
        place = f"datasets.{name}"
        problems = list(
            option_problems(
                place, DATASETS, dataset.source, dataset.source_options, DatasetEntry.model_fields
            )
        )
    if problems:
        raise ConfigError(problems)
    return dataset


def _read(name: str, entry: Mapping[str, Proposal]) -> Recordings:
    """Return the recordings as ingest reads them."""
    dataset = _dataset(name, entry)
    options = DATASETS.entry(dataset.source).options.model_validate(dataset.source_options)
    # Snakemake cannot name every file.
    source_files(IngestJobSettings(source=dataset.source, options=dataset.source_options))
    with unstored():
        return DATASETS[dataset.source](cache_folder(), **dict(options))


def _fitting_split(
    name: str, entry: Mapping[str, Proposal], found: Recordings, candidates: Iterable[Proposal]
) -> Proposal:
    """Return the first split that leaves in each of train, val and test what the task needs.

    Recordings that stay in their files are too large to be cut here; the first one is taken.
    """
    error: DataError | None = None
    for split in candidates:
        raw = {key: proposal.value for key, proposal in {**entry, "split": split}.items()}
        grid = {"datasets": [name], "architectures": MODELS[found.task].architectures}
        plan = Plan(Benchmark.load({"runs": [grid], "datasets": {name: raw}}))
        if any(isinstance(signal, LazyArray) for signal in found.signals):
            return split
        try:
            with _without_remarks():
                make_windows(found, plan.job_settings.window(plan.datasets[0]))
        except DataError as refused:
            error = error or refused
        else:
            return split
    raise error or DataError("no split is left to try")


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Keep from users what is remarked on a split that is only tried."""
    logger = logging.getLogger("seqbench")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _facts(folder: Path, found: Recordings) -> list[str]:
    """Return sentences on the folder."""
    suffixes = {Path(file).suffix for file in found.source["files"] if "/" in file}
    channels = [
        f"{channel} ({unit})" if unit else channel
        for channel, unit in zip(found.channels, found.units, strict=True)
    ]
    rate = found.sampling_rate_hz
    ends = sorted({int(found.lengths.min()), int(found.lengths.max())})
    length = f"{' to '.join(map(str, ends))} samples"
    if rate is not None:
        seconds = " to ".join(f"{n / rate:.4g}" for n in ends)
        length += f" ({seconds} s at {rate:.6g} Hz)"
    facts = [
        f"{folder}: {counted(len(found.names), 'recording')} ({listed(sorted(suffixes))}) of"
        f" {length}, in {counted(len(set(found.groups)), 'group')}.",
        f"{counted(len(channels), 'channel').capitalize()}: {listed(channels, 12)}.",
    ]
    if found.classes:
        what = "event" if found.task == "detection" else "labelled interval"
        facts.append(
            f"{counted(len(found.label), what)} of {counted(len(found.classes), 'type')}:"
            f" {listed(found.classes, 12)}."
        )
    return [*facts, "seqbench check opens every file, seqbench list shows all that can be named."]
