"""What the value of an option may be, in words, from the JSON schema of the options."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from seqbench.config.options import Options

UNITS = {"s": "s", "ms": "ms", "hz": "Hz", "samples": "samples", "db": "dB", "bytes": "bytes"}
KINDS = {  # of a value, and of several
    "integer": ("whole number", "whole numbers"),
    "number": ("number", "numbers"),
    "string": ("text", "texts"),
    "boolean": ("true or false", "true or false"),
    "object": ("mapping", "mappings"),
}
Schema = Mapping[str, Any]


def described(options: type[Options]) -> dict[str, str]:
    """Return by option its range, unit, default and meaning."""
    schema = options.model_json_schema()
    found = {}
    for name, one in schema.get("properties", {}).items():
        default = f"default {as_yaml(one['default'])}" if "default" in one else "required"
        taken = allowed(name, one, schema.get("$defs", {}))
        found[name] = f"{taken}; {default}. {one.get('description', '')}"
    return found


def as_yaml(value: Any) -> str:
    """Return a value as a config has it, in one line; None is the word for it in descriptions."""
    if value is None:
        return "empty"
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def allowed(name: str, schema: Schema, definitions: Schema) -> str:
    """Return what an option may be, with its unit; `definitions` are what its schema refers to."""
    unit = UNITS.get(name.rpartition("_")[2]) if "_" in name else None
    return values(schema, definitions) + (f", in {unit}" if unit and name[:2] != "n_" else "")


def values(schema: Schema, definitions: Schema, *, many: bool = False) -> str:
    """Return what a value may be, or each of `many`.

    Parameters
    ----------
    schema
        Of the value.
    definitions
        What it may refer to, by name.
    many
        Whether to write of several values, as in a list.
    """
    if "anyOf" in schema:
        branches = [one for one in schema["anyOf"] if one.get("type") != "null"]
        words = [values(one, definitions, many=many) for one in branches]
        return " or ".join([*words, *["empty"] * (len(branches) < len(schema["anyOf"]))])
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        keys = f"the keys {', '.join(named.get('properties', {}))}"
        return f"mappings with {keys}" if many else keys
    if "const" in schema:
        return as_yaml(schema["const"])
    if "enum" in schema:
        named = ", ".join(map(as_yaml, schema["enum"]))
        return named if many else f"one of {named}"
    if schema.get("type") == "array":
        items, count = schema.get("items", {}), _count(schema)
        linked = [count, "of"] if count and "enum" in items else [count] if count else []
        return " ".join(["list of", *linked, values(items, definitions, many=True)])
    kind = KINDS.get(schema.get("type", ""), ("value", "values"))[many]
    bounds = " ".join(_bounds(schema))
    return kind + (f"{', each' * many} {bounds}" if bounds else "")


def _count(schema: Schema) -> str:
    """Return how many values a list takes, if that is limited."""
    fewest, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is not None:
        return f"{fewest} to {most}"
    return f"{fewest} or more" if fewest else ""


def _bounds(schema: Schema) -> Iterator[str]:
    """Yield the bounds of a number."""
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if low is not None:
        yield f"from {as_yaml(low)}"
    if above is not None:
        yield f"above {as_yaml(above)}"
    if high is not None:
        yield f"{'to' if above is None else 'up to'} {as_yaml(high)}"
    if below is not None:
        yield f"to below {as_yaml(below)}"
    if "multipleOf" in schema:
        yield f"in steps of {as_yaml(schema['multipleOf'])}"
    if "not" in schema:
        yield "and odd"
