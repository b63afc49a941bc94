"""Paths of a machine, which a publication does not name: the last part of each stands for it."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import DATASETS
from seqbench.errors import UserError

FEWEST_PARTS = 3  # "/data" may be part of any text, "/data/pumps" is a place


def public(benchmark: Benchmark) -> tuple[Benchmark, dict[str, str]]:
    """Return a configuration without the paths of a machine, and what stands for each.

    Paths below the folder of the results stay as they are.
    """
    raw = benchmark.model_dump(mode="json")
    names: dict[str, str] = {}
    for entry, option in _places(raw):
        path = entry.get(option)
        if isinstance(path, str) and _is_of_machine(path):
            entry[option] = names.setdefault(path, _unused(PurePath(path).name, names))
    return Benchmark.load(raw), names


def refuse_private(folder: Path, root: Path, paths: Mapping[str, str]) -> None:
    """Refuse to publish a file that names a place of this machine.

    Parameters
    ----------
    folder
        All that is to be published.
    root
        Where the results lie.
    paths
        Of the configuration.

    Raises
    ------
    UserError
        With the file and the path.
    """
    results = (root / layout.CONFIG).resolve().parent  # by a link, on another disk
    home, *places = str(Path.home()), str(root.resolve()), str(results), *paths
    private = {one.rstrip("/") for one in (home, *places) if _is_long(one)}
    if home != "/" and not _is_long(home):  # as of root; what lies in it is a place all the same
        private.add(f"{home}/")
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        for one in sorted(private):
            if one.encode() in content:
                raise UserError(
                    f"{path.relative_to(folder)}: would publish '{one}', a path of this machine;"
                    " take it out of the titles, licences, citations and options of the config,"
                    " and run it again"
                )


def _places(raw: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return the mappings of a configuration that may hold a path, and its key there."""
    found = [(entry, "init") for entry in raw["architectures"].values()]
    for entry in raw["datasets"].values():
        reads = DATASETS.entry(entry["source"]).tags.get("reads")
        if reads is not None:
            found.append((entry, reads))
    return found


def _unused(name: str, names: Mapping[str, str]) -> str:
    """Return a name that stands for no other path yet."""
    numbered = (name, *(f"{name}-{i}" for i in range(2, len(names) + 2)))
    return next(one for one in numbered if one not in names.values())


def _is_long(path: str) -> bool:
    return len(PurePath(path).parts) >= FEWEST_PARTS


def _is_of_machine(path: str) -> bool:
    return PurePath(path).is_absolute() or path.startswith("~") or ".." in PurePath(path).parts
