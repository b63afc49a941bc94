"""Digests of the code that a job uses."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "seqbench"
# The whole effect of these on a result is the settings and paths a job is handed, which
# Snakemake tracks by value, or none at all; their text would make every job depend on every
# option there is.
WITHOUT_EFFECT = frozenset(
    f"seqbench.{name}"
    for name in (
        "config.benchmark",
        "config.options",
        "config.registry",
        "layout",
        "plan.job_settings",
        "process.code_digest",
        "process.launch",
        "process.memory",
        "process.origin",
        "training.devices",
    )
)


@cache
def source_digest(*modules: str) -> str:
    """Digest the meaning of modules and of all they import from this package or their own.

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
    """Return the digest of one module, and its imports from this package and its own."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module named {module}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported = tuple(sorted(set(_imports(tree, package))))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the modules that a module of `package` imports from this package or its own."""
    followed = {PACKAGE, package.split(".")[0]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in followed)
        elif isinstance(node, ast.ImportFrom):
            name = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if name.split(".")[0] in followed:
                yield name
                yield from (one for a in node.names if _file(one := f"{name}.{a.name}"))


@cache
def _file(module: str) -> Path | None:
    """Return the file of a module without importing any."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    if not rest and not spec.submodule_search_locations:
        return Path(spec.origin)
    path = Path(spec.origin).parent.joinpath(*rest)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)
