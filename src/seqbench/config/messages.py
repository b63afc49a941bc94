"""What pydantic finds wrong with a configuration, as sentences that name the key and the fix."""

from collections.abc import Iterable, Iterator
from datetime import date
from reprlib import Repr
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from seqbench.config.registry import Registry, suggestion
from seqbench.errors import UserError, one_line

# A value is shown whole unless it would fill the screen; aliases of YAML can stand for very many.
SHORT = Repr()
SHORT.maxlevel, SHORT.maxlist, SHORT.maxtuple, SHORT.maxdict = 2, 12, 12, 12
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 200


class ConfigError(UserError):
    """Everything that is wrong with a configuration, one sentence a line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = [one_line(problem) for problem in problems]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            "\n".join([f"the configuration has {count}:", *(f"  {p}" for p in self.problems)])
        )


def option_problems(
    place: str,
    registry: Registry,
    name: str,
    options: dict[str, Any],
    beside: Iterable[str] = (),
) -> Iterator[str]:
    """Yield what is wrong with the options of something registered.

    Parameters
    ----------
    place
        Names their key.
    registry, name, options
        What is registered, and the options that are given.
    beside
        Keys that may stand beside the options, for hints.
    """
    entry = registry.entry(name)
    if found := list(faults(entry.options, options, place, beside)):
        yield from found
        return
    chosen = entry.options.model_validate(options)
    alike = entry.tags.get("same_length", ())
    if len({len(getattr(chosen, option)) for option in alike}) > 1:
        yield f"{place}: {', '.join(alike)} must be lists of the same length; give all of them"
    for option, needed in entry.tags.get("only_with", {}).items():
        for other, value in needed.items():
            if getattr(chosen, option) is not None and getattr(chosen, other) != value:
                setting = f"{other}: {str(value).lower()}"
                yield f"{place}.{option}: goes with {setting} alone; set that, or leave it out"


def faults(
    model: type[BaseModel], values: dict[str, Any], place: str = "", beside: Iterable[str] = ()
) -> Iterator[str]:
    """Yield a sentence for each value that a model refuses.

    `place` names their key, if any; `beside` are other keys that may stand there, for hints.
    """
    try:
        model.model_validate(values)
    except ValidationError as error:
        problems = error.errors()
        keys = [_keys(problem["loc"]) for problem in problems]
        for problem, at in zip(problems, keys, strict=True):
            # Of a union, the branches that the value was not meant for.
            is_other_branch = problem["type"].endswith("_type") and any(
                other[: len(at)] == at and len(other) > len(at) for other in keys
            )
            # Of a list or something else, text is meant for a list of one name.
            kinds = {p["type"] for p, other in zip(problems, keys, strict=True) if other == at}
            if "list_type" in kinds and len(kinds) > 1:
                is_list = problem["type"] == "list_type"
                is_other_branch |= is_list != isinstance(problem["input"], str)
            if not is_other_branch:
                yield sentence(model, problem, f"{place}." if place else "", beside)


def sentence(
    model: type[BaseModel], problem: Any, place: str = "", beside: Iterable[str] = ()
) -> str:
    """Turn one of pydantic's findings into a sentence that names the key and the fix."""
    is_key = problem["type"] == "extra_forbidden"  # whatever the last key looks like
    loc = [*problem["loc"][:-1], *([] if is_key else problem["loc"][-1:])]
    keys = [str(key) for key in loc if not _is_branch(key)]
    found = ".".join(keys + ([str(problem["loc"][-1])] if is_key else []))
    where = place + found if found else place.removesuffix(".")
    shown = SHORT.repr(problem["input"])
    match problem["type"]:
        case "extra_forbidden":
            known = _keys_at(model, problem["loc"][:-1])
            known += beside if len(problem["loc"]) == 1 else ()
            return f"{where}: no such key; {suggestion(str(problem['loc'][-1]), known)}"
        case "missing":
            return f"{where}: this key is required"
        case "string_pattern_mismatch" if problem["loc"][-1] == "device":
            return f"{where}: {shown} does not fit; write auto, cpu, cuda or cuda:N"
        case "string_pattern_mismatch":
            return (
                f"{where}: {shown} does not fit; names take lower-case letters,"
                " digits, '-' and '_', and begin with a letter or digit"
            )
        case "string_type" if isinstance(problem["input"], int | float | date):
            return (
                f"{where}: {shown} is no text; put it in quotes as it was written, since YAML"
                " reads 010 as 8 and yes as true"
            )
        case "list_type" if isinstance(problem["input"], str):
            return f"{where}: {shown} is no list; put it in brackets, as [{problem['input']}]"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{where}: holds {shown}; write keys below it, {{}} or nothing"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            return f"{where}: {message[0].lower()}{message[1:]} (got {shown})"


def _keys(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return where a finding stands, without pydantic's names for branches of a union."""
    return tuple(key for key in loc if not _is_branch(key))


def _is_branch(key: str | int) -> bool:
    """Return whether this is pydantic's name for a branch of a union, not a key."""
    return isinstance(key, str) and (
        "[" in key or key in ("float", "int", "str", "constrained-float")
    )


def _keys_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys known at a place inside a model."""
    for key in loc:
        if isinstance(key, int) or key not in model.model_fields:
            continue
        annotation = model.model_fields[key].annotation
        inner = [a for a in (annotation, *get_args(annotation)) if _is_model(a)]
        if inner:
            model = inner[0]
    return list(model.model_fields)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
