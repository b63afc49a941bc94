"""Digests of the code that a job uses."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@cache
def source_digest(*modules: str) -> str:
    """Digest the code of modules and of all they import from this package or their own.

    Parameters
    ----------
    *modules
        Dotted names. Registries import by name, which no import statement
        shows, so the modules behind the names a job uses are listed too.

    Returns
    -------
    str
        16 hexadecimal digits over the syntax trees of the `closure`, without
        docstrings, descriptions of options, imports for type checkers and the
        version of the package.
    """
    digest = hashlib.sha256()
    for name in closure(*modules):
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
    tree = ast.parse(text)
    for node in ast.walk(tree):
        _remove_text(node)
    imported = tuple(sorted(set(_imports(tree, package))))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


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
