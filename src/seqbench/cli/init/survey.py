"""Which labels lie in a folder of recordings, by the names and first lines of its files."""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seqbench.config.options import LABEL_SUFFIXES, LabelFiles
from seqbench.datasets.reading.files import HIDDEN

N_BYTES = 4096  # of a text file that show what it is
BY_SUFFIX = ("textgrid", "elan", "wfdb", "bids")  # formats whose names leave no doubt
LABEL_TRACK = re.compile(r"\s*\d+([.,]\d+)?\t\d+([.,]\d+)?(\t|\s*$)")
# An annotation of EDF+: an onset, perhaps a duration, and a text that is not empty.
ANNOTATION = re.compile(rb"[+-]\d+(\.\d+)?(\x15\d+(\.\d+)?)?\x14[^\x00\x14]")


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """Labels that lie in a folder.

    Parameters
    ----------
    reason
        The files, for a comment.
    task
        What they are labels for; None: events or classes, as their times show.
    labels
        The option `labels` of a `folder` dataset; None: a CSV table.
    """

    reason: str
    task: str | None
    labels: dict[str, str] | None = None

    def serves(self, task: str) -> bool:
        """Return whether a task can learn from them."""
        own = {"detection": ("detection",), "classification": ("classification", "labelling")}
        return self.task is None or task in own[self.task]


def label_sources(root: Path) -> list[LabelSource]:
    """Return the labels below the folder of a dataset, those first that it would rather read."""
    found = [
        LabelSource(reason=f"{name} lies there", task=task)
        for name, task in (("events.csv", "detection"), ("labels.csv", "classification"))
        if (root / name).is_file()
    ]
    for name, file in _label_files(root):
        folder = file.parent.relative_to(root).as_posix()
        place = {} if folder == "recordings" else {"path": folder}
        if not any(one.labels == {"format": name, **place} for one in found):
            reason = f"label files such as {file.relative_to(root)} lie there"
            found.append(LabelSource(reason=reason, task=None, labels={"format": name, **place}))
    if (root / "labels.json").is_file():
        reason = "labels.json, as Label Studio exports it, lies there"
        found.append(LabelSource(reason=reason, task=None, labels={"format": "label_studio"}))
    for file in _visible(root / "recordings"):
        if file.suffix.lower() in LABEL_SUFFIXES["edf"] and _has_annotations(file):
            reason = f"{file.relative_to(root)} holds annotations"
            found.append(LabelSource(reason=reason, task=None, labels={"format": "edf"}))
            break
    return found


def _label_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield label files with their formats."""
    folders = [root / "recordings", *(f for f in _visible(root) if f.name != "recordings")]
    for folder in folders:
        files = [file for file in _visible(folder) if file.is_file()]
        stems = {file.stem for file in files if file.suffix.lower() != ".txt"}
        for file in files:
            name = file.name.lower()
            for known in BY_SUFFIX:
                ending = "_events.tsv" if known == "bids" else LabelFiles(format=known).suffixes
                if name.endswith(ending):
                    yield known, file
            # In recordings/ a text file is a table of samples, unless it stands beside another.
            if name.endswith(".txt") and (folder.name != "recordings" or file.stem in stems):
                yield from ((known, file) for known in _formats_of_text(file))


def _formats_of_text(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as opened:
        first = opened.read(N_BYTES).partition("\n")[0]
    if "Begin Time (s)" in first:
        yield "raven"
    elif LABEL_TRACK.match(first):
        yield "audacity"


def _has_annotations(file: Path) -> bool:
    if not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return ANNOTATION.search(data) is not None


def _visible(folder: Path) -> list[Path]:
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in inside if not path.name.startswith(HIDDEN)]
