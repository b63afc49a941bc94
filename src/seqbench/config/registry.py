"""The extension points, and how a name in the config becomes code.

An extension is one file in the package of its registry, or in a plugin (see
`seqbench.config.plugins`), holding a class or function under
``@REGISTRY.register("name")``. The registry reads names, tags and options from
the *source text*: nothing is imported until its name is used, so listing
architectures or checking a config never loads torch, and a new file changes
nothing for the jobs that do not use it.

Parameters before the ``*`` of a registered callable are handed over by the
pipeline; keyword-only parameters are the options a user may set.
"""

import ast
import builtins
import difflib
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, create_model

from seqbench.config import options as vocabulary
from seqbench.config.options import Options
from seqbench.config.plugins import modules_below, plugin_modules
from seqbench.errors import UserError

T = TypeVar("T")
Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Entry:
    """One registered name, as the source text has it."""

    name: str
    module: str
    qualname: str
    summary: str
    tags: dict[str, Any]
    options: type[Options]
    docstring: str = ""


class Registry:
    """Names of one extension point.

    Parameters
    ----------
    variable
        The name this registry is bound to, as decorators spell it.
    kind
        What an entry is, for messages.
    package
        Package whose modules are searched, sub-packages included.
    """

    def __init__(self, variable: str, *, kind: str, package: str) -> None:
        self.variable = variable
        self.kind = kind
        self.package = package
        self._objects: dict[str, Any] = {}

    def register(self, name: str, **tags: object) -> Callable[[T], T]:
        """Put the decorated class or function under `name`.

        Parameters
        ----------
        name
            snake_case, unique in this registry.
        **tags
            Literals that describe the entry to the plan and the report.

        Raises
        ------
        ValueError
            If the name is taken.
        """

        def decorate(thing: T) -> T:
            known = self._objects.setdefault(name, thing)
            if (known.__module__, known.__qualname__) != (thing.__module__, thing.__qualname__):  # type: ignore[attr-defined]
                raise ValueError(f"{self.kind} '{name}' is already taken by {known.__module__}")
            self._objects[name] = thing
            return thing

        return decorate

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Any:
        """Import and return what is registered under `name`."""
        importlib.import_module(self.entry(name).module)
        return self._objects[name]

    def entry(self, name: str) -> Entry:
        """Return what is known of `name` without importing it.

        Raises
        ------
        KeyError
            If the name is unknown; the message lists the known ones.
        """
        if name not in self:
            raise KeyError(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> str:
        """Return the error message for an unknown name."""
        return f"unknown {self.kind} '{name}'; {suggestion(name, list(self))}"

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        folder = Path(__file__).parent.parent.joinpath(*self.package.split(".")[1:])
        for module, path in [*modules_below(self.package, folder), *plugin_modules().items()]:
            text = path.read_text(encoding="utf-8")
            if f"@{self.variable}.register(" not in text:
                continue
            for entry in self._entries_of(ast.parse(text), module):
                if entry.name in entries:
                    raise UserError(
                        f"{self.kind} '{entry.name}' is registered twice:"
                        f" in {entries[entry.name].module} and in {module}; rename one of them,"
                        " or uninstall its package"
                    )
                entries[entry.name] = entry
        return entries

    def _entries_of(self, tree: ast.Module, module: str) -> Iterator[Entry]:
        local = {n.name: n for n in tree.body if isinstance(n, Definition)}
        for node in local.values():
            for decorator in node.decorator_list:
                if (
                    isinstance(decorator, ast.Call)
                    and ast.unparse(decorator.func) == f"{self.variable}.register"
                ):
                    yield Entry(
                        name=ast.literal_eval(decorator.args[0]),
                        module=module,
                        qualname=node.name,
                        summary=(ast.get_docstring(node) or "").split("\n")[0],
                        tags={str(k.arg): ast.literal_eval(k.value) for k in decorator.keywords},
                        options=_options_model(node, local),
                        docstring=ast.get_docstring(node) or "",
                    )


def _options_model(node: Definition, local: dict[str, Definition]) -> type[Options]:
    """Turn the keyword-only parameters of a definition into a closed model."""
    signature, descriptions = _signature(node, local)
    fields: dict[str, Any] = {}
    if signature is not None:
        namespace = vars(builtins) | vars(vocabulary)
        for argument, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
            if argument.annotation is None:
                raise ValueError(f"{node.name}: option '{argument.arg}' has no type")
            # The annotations are installed source, and each is a name of `options`.
            annotation = eval(ast.unparse(argument.annotation), dict(namespace))
            value = ... if default is None else ast.literal_eval(default)
            fields[argument.arg] = (
                annotation,
                Field(value, description=descriptions.get(argument.arg)),
            )
    return create_model(f"{node.name}Options", __base__=Options, **fields)


def _signature(
    node: Definition, local: dict[str, Definition]
) -> tuple[ast.arguments | None, dict[str, str]]:
    """Return the parameters of a function or constructor and their descriptions."""
    descriptions = _parameter_descriptions(ast.get_docstring(node) or "")
    if isinstance(node, ast.FunctionDef):
        return node.args, descriptions
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            return child.args, descriptions
    for base in node.bases:
        if parent := local.get(ast.unparse(base)):
            signature, inherited = _signature(parent, local)
            return signature, inherited | descriptions
    return None, descriptions


def _parameter_descriptions(docstring: str) -> dict[str, str]:
    """Read the "Parameters" section of a numpydoc docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", docstring, re.S | re.M)
    descriptions: dict[str, str] = {}
    names: list[str] = []
    for line in section.group(1).splitlines() if section else []:
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(",")]
        else:
            for name in names:
                descriptions[name] = f"{descriptions.get(name, '')} {line.strip()}".strip()
    return descriptions


def suggestion(name: str, known: list[str]) -> str:
    """Return a hint for an unknown `name`: the nearest known name, or all of them."""
    if near := difflib.get_close_matches(name, known, n=1):
        return f"did you mean '{near[0]}'?"
    return "known are " + ", ".join(sorted(known)) if known else "none is known"


DATASETS = Registry("DATASETS", kind="dataset source", package="seqbench.datasets")
ARCHITECTURES = Registry("ARCHITECTURES", kind="architecture", package="seqbench.models")
OBJECTIVES = Registry("OBJECTIVES", kind="objective", package="seqbench.pretraining")
BASELINES = Registry("BASELINES", kind="baseline", package="seqbench.baselines")
TASKS = Registry("TASKS", kind="task", package="seqbench.tasks")
METRICS = Registry("METRICS", kind="metric", package="seqbench.tasks")
TASK_WINDOWS = Registry("TASK_WINDOWS", kind="way to windows", package="seqbench.tasks")
TASK_ANALYSES = Registry("TASK_ANALYSES", kind="analysis of test", package="seqbench.tasks")
TASK_RESULTS = Registry("TASK_RESULTS", kind="form of predictions", package="seqbench.tasks")
TASK_PROFILES = Registry("TASK_PROFILES", kind="profile of a task", package="seqbench.tasks")
FIGURES = Registry("FIGURES", kind="figure", package="seqbench.reporting.figures")
EVIDENCE = Registry("EVIDENCE", kind="evidence", package="seqbench.reporting.evidence")
REGISTRIES = tuple(one for one in globals().values() if isinstance(one, Registry))
