"""Where results come from: digests of the code a job uses, versions, and the machine."""

import ast
import hashlib
import importlib.util
import os
import platform
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "seqbench"
# The whole effect of these on a result is the settings and paths a job is handed, which
# Snakemake tracks by value, or none at all; their text would make every job depend on every
# option there is.
WITHOUT_EFFECT = frozenset(
    f"seqbench.{name}"
    for name in (
        "config",
        "jobs",
        "launch",
        "layout",
        "memory",
        "options",
        "provenance",
        "registry",
        "training.devices",
    )
)
REPORTED_PACKAGES = ("torch", "numpy", "aeon", "scikit-learn", "pandas", "h5py", "snakemake")


@cache
def source_digest(*modules: str) -> str:
    """Digest the meaning of modules and of all they import from this package.

    Parameters
    ----------
    *modules
        Dotted names. Registries import by name, which no static reading can
        follow, so the modules behind the names a job uses are listed too.

    Returns
    -------
    str
        16 hexadecimal digits over the syntax trees without docstrings:
        neither comments nor layout change them.
    """
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen or name in WITHOUT_EFFECT:
            continue
        seen.add(name)
        waiting.extend(_parsed(name)[1])
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}:{_parsed(name)[0]}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _parsed(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest of one module and the modules of this package that it imports."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module named {module}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(sorted(set(_imports(tree))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            yield str(node.module)
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if _file(name):
                    yield name


@cache
def _file(module: str) -> Path | None:
    """Return the file of a module of this package without importing any."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def origin() -> dict[str, object]:
    """Return the state of code and machine that makes a result."""
    return {"versions": versions(), "commit": commit(), "machine": machine()}


@cache
def versions() -> dict[str, str]:
    """Return the versions of this package, Python and the libraries that shape results."""
    found = {PACKAGE: _version(PACKAGE), "python": platform.python_version()}
    return found | {name: _version(name) for name in REPORTED_PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def commit() -> str:
    """Return the commit of the source tree, with a mark if it has changes, or "unknown"."""
    root = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = " with uncommitted changes" if git("status", "--porcelain", "-uno") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@cache
def machine() -> dict[str, str]:
    """Return the processor, its usable cores and the system, without naming the host."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "processor": model,
        "cores": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
        "system": f"{platform.system()} {platform.machine()}",
    }
