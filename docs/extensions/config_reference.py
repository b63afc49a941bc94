"""Every key of a config, what it takes, its default and its meaning: ``{config-keys}``."""

from collections.abc import Iterator

from generated import PARALLEL, GeneratedText, Schema, keys_table
from sphinx.application import Sphinx

from seqbench.config.json_schema import json_schema

# Keys of which each name below holds options of its own, and the page of these options.
NAMED = {
    "baseline_options": "baselines.md",
    "architectures": "architectures.md",
    "objectives": "objectives.md",
    "tasks": "tasks.md",
}


class ConfigKeys(GeneratedText):
    """A table for the top level of a config, and one for each mapping below it."""

    def markdown(self) -> str:
        """Return the sections, outer mappings before inner ones."""
        schema = json_schema()
        definitions = schema["$defs"]
        sections = [
            f"## {f'`{place}`' if place else 'Top level'}\n\n{keys_table(keys, definitions)}"
            for place, keys in _mappings(schema)
        ]
        return "\n".join(sections)


def _mappings(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield where each mapping of a config stands, and its keys."""
    waiting = [("", schema)]
    while waiting:
        place, mapping = waiting.pop(0)
        # Without a title: an option of one source of datasets, which has a page of its own.
        keys = {k: v for k, v in mapping["properties"].items() if "title" in v or "$ref" in v}
        yield place, keys
        for key, value in keys.items():
            below, inner = _below(key, value, schema)
            if inner is not None:
                waiting.append((f"{place}.{below}".lstrip("."), inner))


def _below(key: str, value: Schema, schema: Schema) -> tuple[str, Schema | None]:
    """Return the mapping that a key holds, if it has keys that are known, and its place."""
    if key in NAMED and "$ref" in value:  # of a run, the same key lists names
        return f"{key}.NAME", schema["$defs"][_name(value)].get("additionalProperties") or None
    if "$ref" in value:
        return key, schema["$defs"][_name(value)]
    if "$ref" in value.get("items", {}):
        return f"{key}[]", schema["$defs"][_name(value["items"])]
    for one in value.get("patternProperties", {}).values():
        return f"{key}.NAME", schema["$defs"][_name(one)]
    return key, None


def _name(value: Schema) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("config-keys", ConfigKeys)
    return PARALLEL
