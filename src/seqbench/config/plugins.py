"""Packages of others that add names to the registries.

A distribution names such a package, or a single module, in its metadata::

    [project.entry-points."seqbench.plugins"]
    my_models = "my_package"

The registries search its source text as they search that of this package, so
nothing of it is imported until one of its names is used.
"""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from seqbench.errors import UserError

GROUP = "seqbench.plugins"


@cache
def plugin_modules() -> dict[str, Path]:
    """Return the file of every module of every installed plugin, by dotted name.

    Raises
    ------
    UserError
        If an entry point names a package that is not there.
    """
    return {
        name: path
        for point in sorted(entry_points(group=GROUP))
        for name, path in modules_below(*_place(point))
    }


def plugin_packages() -> list[Path]:
    """Return the outermost package of every plugin, or the file of a single module."""
    names = {point.module.split(".")[0] for point in entry_points(group=GROUP)}
    return sorted(
        Path(place)
        for spec in map(find_spec, names)
        if spec is not None
        for place in spec.submodule_search_locations or [str(spec.origin)]
    )


def modules_below(package: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the file of every module of a package; `folder` may be its file."""
    if folder.is_file():
        yield package, folder
    for path in sorted(folder.rglob("*.py")):
        names = path.relative_to(folder).with_suffix("").parts
        yield ".".join([package, *(name for name in names if name != "__init__")]), path


def _place(point: EntryPoint) -> tuple[str, Path]:
    """Return the package of an entry point and its folder, or the file of a single module."""
    try:
        spec = find_spec(point.module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise UserError(
            f"the entry point '{point.name}' of {GROUP} names '{point.module}', which cannot be"
            " found; install its distribution again, or remove it"
        )
    path = Path(spec.origin)
    return point.module, path.parent if spec.submodule_search_locations else path
