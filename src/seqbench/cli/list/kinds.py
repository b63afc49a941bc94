"""The kinds of things that a config can name, and their names as text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from seqbench.cli.list import fits, sheets
from seqbench.cli.list.sheets import Sheet
from seqbench.cli.text import INDENT, table, wrapped
from seqbench.config.datasets import built_in_datasets
from seqbench.config.registry import (
    ARCHITECTURES,
    BASELINES,
    DATASETS,
    METRICS,
    OBJECTIVES,
    TASKS,
    Registry,
)
from seqbench.errors import UserError
from seqbench.tasks.metric_names import expand


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Things of one kind.

    Parameters
    ----------
    singular
        What one of them is called.
    meaning
        What they are.
    names
        In the order in which they are listed.
    column
        What distinguishes one among the others in a few words.
    brief, summary
        Return that of a name, and its meaning in a sentence.
    sheet
        Returns all that is known of a name.
    """

    singular: str
    meaning: str
    names: Sequence[str]
    column: str
    brief: Callable[[str], str]
    summary: Callable[[str], str]
    sheet: Callable[[str], Sheet]


def _registered(
    registry: Registry, singular: str, tag: str, sheet: Callable[[str], Sheet], meaning: str
) -> Kind:
    """Return the kind of what is in a registry; a tag distinguishes its names."""

    def brief(name: str) -> str:
        value = registry.entry(name).tags[tag]
        return value if isinstance(value, str) else ", ".join(value)

    return Kind(
        singular=singular,
        meaning=meaning,
        names=sorted(registry),
        column={"accepts": "samples", "sample": "samples"}.get(tag, tag),
        brief=brief,
        summary=lambda name: registry.entry(name).summary,
        sheet=sheet,
    )


KINDS = {
    "architectures": _registered(
        ARCHITECTURES, "architecture", "accepts", sheets.architecture, "networks that are trained"
    ),
    "baselines": _registered(
        BASELINES, "baseline", "tasks", sheets.baseline, "methods that networks are compared with"
    ),
    "objectives": _registered(
        OBJECTIVES, "objective", "accepts", sheets.objective, "how encoders are pretrained"
    ),
    "datasets": Kind(
        singular="dataset",
        meaning="built in, so that they need no entry in the config",
        names=sorted(built_in_datasets()),
        column="task",
        brief=fits.task_of,
        summary=sheets.dataset_summary,
        sheet=sheets.dataset,
    ),
    "sources": _registered(
        DATASETS, "source", "task", sheets.source, "what datasets of a config are read or made by"
    ),
    "tasks": _registered(TASKS, "task", "labels", sheets.task, "what is predicted"),
    "metrics": _registered(
        METRICS, "metric", "tasks", sheets.metric, "what predictions are scored by"
    ),
}


def overview() -> Iterator[str]:
    """Yield the names of every kind."""
    for plural, kind in KINDS.items():
        yield f"{plural}: {kind.meaning}"
        yield from wrapped(", ".join(kind.names), INDENT, INDENT)
        yield ""
    yield "seqbench list KIND has a line for each name, seqbench list NAME all about one."


def explained(word: str) -> Iterator[str]:
    """Yield the names of a kind, or all about a name, as every kind that has it.

    Raises
    ------
    UserError
        If it is neither; the sentence has names that are near.
    """
    for plural, kind in KINDS.items():
        if word in (plural, kind.singular):
            yield from _names(plural, kind)
            return
    found = [kind for kind in KINDS.values() if word in _all_names(kind)]
    if not found:
        raise UserError(f"nothing is called '{word}'; {_hint(word)}")
    for number, kind in enumerate(found):
        yield from [""] * bool(number)
        yield from _sheet(word, kind)


def _names(plural: str, kind: Kind) -> Iterator[str]:
    briefs = {name: kind.brief(name) for name in kind.names}
    width, beside = (max(map(len, texts)) for texts in (briefs, briefs.values()))
    yield from wrapped(f"{plural}: {kind.meaning}; by name, {kind.column} and meaning")
    yield from table(
        {
            f"{name:<{width}}  {brief:<{beside}}": kind.summary(name)
            for name, brief in briefs.items()
        }
    )


def _sheet(name: str, kind: Kind) -> Iterator[str]:
    sheet = kind.sheet(name)
    yield f"{name}: {kind.singular}"
    yield from wrapped(sheet.summary, INDENT, INDENT)
    yield ""
    yield from table(sheet.facts)
    if sheet.options:
        yield from ["", "options"]
        yield from table(sheet.options)
    for paragraph in sheet.paragraphs:
        yield ""
        yield from wrapped(paragraph, INDENT, INDENT)


def _all_names(kind: Kind) -> list[str]:
    """Return the names of a kind, of metrics those at a tolerance too."""
    if kind is KINDS["metrics"]:
        return [one for name in METRICS for one in (name, *expand(name))]
    return list(kind.names)


def _hint(word: str) -> str:
    """Return names that are near a word or hold it, in capitals or not, or the kinds."""
    word = word.lower()
    singular = [kind.singular for kind in KINDS.values()]
    names = [name for kind in KINDS.values() for name in kind.names]
    begun = [plural for plural in KINDS if plural.startswith(word)]
    if len(begun) == 1:
        return f"did you mean '{begun[0]}'?"
    for likeness in (0.8, 0.6):
        if near := get_close_matches(word, [*KINDS, *singular, *names], n=1, cutoff=likeness):
            return f"did you mean '{near[0]}'?"
        if holding := list(dict.fromkeys(name for name in names if word in name)):
            return f"it is part of {', '.join(holding)}"
    return f"kinds are {', '.join(KINDS)}; `seqbench list` shows every name"
