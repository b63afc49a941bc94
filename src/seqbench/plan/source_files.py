"""The files of a user: those that a dataset is read from, and those that models start from."""

import hashlib
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import DATASETS
from seqbench.errors import UserError, printable
from seqbench.plan.job_settings import IngestJobSettings
from seqbench.plan.plan import Plan

WILDCARD = re.compile(r"\{\s*\w+\s*(,[^}]*)?\}")
HIDDEN = (".", "~$")  # first characters of files that systems and office programs leave behind


def from_folder(benchmark: Benchmark, folder: Path) -> Benchmark:
    """Return a config whose relative paths, counted from a folder, are absolute.

    Of the working directory, from which they are counted already, it is the config itself.
    """
    if folder == Path():
        return benchmark

    def absolute(path: str) -> str:
        return str((folder / Path(path).expanduser()).absolute())

    raw = benchmark.model_dump(mode="json", exclude_unset=True)  # what is a default stays one
    for entry in raw.get("datasets", {}).values():
        option = DATASETS.entry(entry["source"]).tags.get("reads")
        if option is not None:
            entry[option] = absolute(entry[option])
    for options in raw.get("architectures", {}).values():
        if options.get("init") is not None:
            options["init"] = absolute(options["init"])
    return Benchmark.load(raw)


def source_files(settings: IngestJobSettings) -> list[str]:
    """Return the files that ingest reads, and no others: a dataset is made anew when one changes.

    Links are followed. A dataset without files of the user's has none, nor has
    a missing folder, which the step reports.

    Parameters
    ----------
    settings
        Of the job. The registry's tag `reads` of its source names the option
        that holds the folder; `files` are patterns of lower-case paths below it.
        An option `labels` adds those of its format.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    UserError
        If Snakemake cannot keep the name of a file: it is not valid UTF-8, or
        has a word in braces, which is a wildcard there.
    """
    tags = DATASETS.entry(settings.source).tags
    if "reads" not in tags:
        return []
    root = Path(settings.options[tags["reads"]]).expanduser()
    options = DATASETS.entry(settings.source).options.model_validate(settings.options)
    labels = getattr(options, "labels", None)
    patterns = [*tags["files"], *(labels.patterns() if labels else ())]
    found = sorted({str(path) for pattern in patterns for path in _matching(root, pattern)})
    for name in found:
        _check_name(name)
    return found


class InitFile(NamedTuple):
    """A file that an architecture starts from, and the digest of its content."""

    path: str
    digest: str


def init_files(plan: Plan) -> dict[str, InitFile]:
    """Return the files that runs start from, by architecture.

    Raises
    ------
    UserError
        If one is missing, cannot be read, or has a name that Snakemake cannot keep.
    """
    found = {}
    for run in plan.trained:
        name = run.architecture
        if (given := plan.init(run)) is None or name in found:
            continue
        path = Path(given).expanduser()
        _check_name(str(path))
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UserError(
                f"{path}: cannot be read ({error.strerror}); correct `architectures.{name}.init`,"
                " which names an encoder or model file"
            ) from None
        found[name] = InitFile(str(path), digest)
    return found


def _check_name(name: str) -> None:
    """Refuse a name of a file that Snakemake cannot keep."""
    if any(0xDC80 <= ord(letter) <= 0xDCFF for letter in name):  # bytes that are no text
        raise UserError(f"{printable(name)}: its name is not valid UTF-8; rename the file")
    if WILDCARD.search(name):
        raise UserError(f"{name}: its path has a word in braces; rename the file or folder")


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    folder, _, name = pattern.rpartition("/")
    inside = root / folder
    for path in inside.iterdir() if inside.is_dir() else ():
        is_hidden = path.name.startswith(HIDDEN)
        if not is_hidden and fnmatchcase(path.name.lower(), name) and path.is_file():
            yield path
