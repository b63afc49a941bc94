"""Digests of the code that a job uses."""

import ast
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "seqbench"
# Modules without a digest of their own: their whole effect on a result is the settings and paths
# a job is given, which Snakemake tracks by value, or they have none (errors, logs, placement).
WITHOUT_EFFECT = frozenset(
    f"seqbench.{name}"
    for name in (
        "config.arms",
        "config.benchmark",
        "config.checks",
        "config.datasets",
        "config.messages",
        "config.options",
        "config.plugins",
        "config.registry",
        "config.rungs",
        "config.search_space",
        "config.stages",
        "config.tuning",
        "config.variants",
        "errors",
        "extras",
        "layout",
        "plan.job_code",
        "plan.job_settings",
        "process.client",
        "process.code_digest",
        "process.execute",
        "process.fork_server",
        "process.launch",
        "process.memory",
        "process.origin",
        "process.step_log",
        "training.curves",
        "training.devices",
        "training.torchrun",
    )
)
# Keyword arguments that hold text for a reader, by the name of what is called.
TEXT_FOR_READERS = {
    "Field": {"description"},
    "ArgumentParser": {"description"},
    "add_argument": {"help"},
}


_copy: Path | None = None


def read_copy(folder: Path) -> None:
    """Read modules from a copy of the code from now on, where it has them."""
    global _copy
    _copy = folder
    _file.cache_clear()


@cache
def source_digest(*modules: str, without: str = "") -> str:
    """Digest the code of modules and of all they import from this package or their own.

    Parameters
    ----------
    *modules
        Dotted names. Registries import by name, which no import statement
        shows, so the modules behind the names a job uses are listed too.
    without
        Begins the names of modules that do not count; empty: all count.

    Returns
    -------
    str
        16 hexadecimal digits over the syntax trees of the `closure`, without
        docstrings, descriptions of options, imports for type checkers and the
        version of the package.
    """
    digest = hashlib.sha256()
    for name in closure(*modules):
        if without and name.startswith(without):
            continue
        digest.update(f"{name}:{_parsed(name)[0]}\n".encode())
    return digest.hexdigest()[:16]


def closure(*modules: str) -> list[str]:
    """Return the modules, imported ones included, that can change what these do."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in WITHOUT_EFFECT:
            seen.add(name)
            waiting.extend(_parsed(name)[1])
    return sorted(seen)


@cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module named {module}")
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return parsed_text(path.read_text(encoding="utf-8"), package)


def parsed_text(text: str, package: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest of a module of `package`, and its imports from seqbench and its own."""
    digest, imported, perhaps = PARSED.parsed(text, package)
    return digest, tuple(sorted({*imported, *filter(_file, perhaps)}))


class _Parsed(NamedTuple):
    """The digest of a module, the modules it imports, and names in these that may be modules."""

    digest: str
    imported: list[str]
    perhaps: list[str]


class ParsedModules:
    """What modules are parsed to, kept in a file: the next process parses those that differ.

    Modules are known by their content. Their times say nothing where an image or a package sets
    all alike.
    """

    def __init__(self) -> None:
        own = Path(__file__).read_bytes()  # another way to digests makes others
        self._start = hashlib.sha256(own + sys.version.encode())
        self._loaded: dict[str, _Parsed] = {}
        self._used: dict[str, _Parsed] = {}

    def parsed(self, text: str, package: str) -> _Parsed:
        """Return what a module of a package is parsed to, in this process or an earlier one."""
        content = self._start.copy()
        content.update(f"{package}\n{text}".encode())
        key = content.hexdigest()
        if key not in self._used:
            self._used[key] = self._loaded.get(key) or _parse(text, package)
        return self._used[key]

    def load(self, path: Path) -> None:
        """Read what an earlier process has written; a file that is none is not missed."""
        with suppress(OSError, ValueError, TypeError, AttributeError):
            found = json.loads(path.read_text(encoding="utf-8"))
            self._loaded = {key: _Parsed(*values) for key, values in found.items()}

    def save(self, path: Path) -> None:
        """Write what this process used, if an earlier one has not, and if it can be written."""
        if self._used.keys() <= self._loaded.keys():
            return
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._used), encoding="utf-8")
            temporary.replace(path)
            self._loaded = dict(self._used)


PARSED = ParsedModules()


def _parse(text: str, package: str) -> _Parsed:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        _remove_text(node)
    imported: dict[str, bool] = {}
    for name, is_sure in _imports(tree, package):
        imported[name] = is_sure or imported.get(name, False)
    return _Parsed(
        hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        sorted(name for name, is_sure in imported.items() if is_sure),
        sorted(name for name, is_sure in imported.items() if not is_sure),
    )


def _remove_text(node: ast.AST) -> None:
    """Remove from a node of a syntax tree what cannot change a result."""
    if isinstance(node, ast.Call):
        readers = TEXT_FOR_READERS.get(_last_name(node.func), ())
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in readers]
    elif isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
        node.body = []
    elif isinstance(node, ast.Assign) and _last_name(node.targets[0]) == "__version__":
        node.value = ast.Constant(None)
    elif isinstance(
        node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) and ast.get_docstring(node, clean=False):
        node.body = node.body[1:]


def _last_name(node: ast.expr) -> str:
    """Return ``c`` of ``c`` or of ``a.b.c``, "" of any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, bool]]:
    """Yield the modules that a module of `package` imports from this package or its own.

    What is imported from a module may be one itself: then it is not sure.
    """
    followed = {PACKAGE, package.split(".")[0]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((a.name, True) for a in node.names if a.name.split(".")[0] in followed)
        elif isinstance(node, ast.ImportFrom):
            name = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if name.split(".")[0] in followed:
                yield name, True
                yield from ((f"{name}.{a.name}", False) for a in node.names)


@cache
def _file(module: str) -> Path | None:
    """Return the file of a module without importing any."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    is_package = bool(spec.submodule_search_locations)
    if _copy is not None:
        copied = _copy.joinpath(*origin.parts[-2:] if is_package else origin.parts[-1:])
        origin = copied if copied.is_file() else origin
    if not rest and not is_package:
        return origin
    path = origin.parent.joinpath(*rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)
