"""What is registered under each name, with its options: ``{registered} ARCHITECTURES``."""

from generated import PARALLEL, GeneratedText, prose
from sphinx.application import Sphinx

from seqbench.cli.key_tables import keys_table
from seqbench.config.registry import REGISTRIES, Entry

BY_VARIABLE = {registry.variable: registry for registry in REGISTRIES}
SHOWN = {  # tags that a user minds
    "task": "task",
    "tasks": "tasks",
    "sample": "samples",
    "accepts": "samples",
    "space": "searched under `tune`",
}


class Registered(GeneratedText):
    """A section for each name of a registry."""

    required_arguments = 1

    def markdown(self) -> str:
        """Return the sections in alphabetical order."""
        registry = BY_VARIABLE[self.arguments[0]]
        return "\n".join(_section(registry.entry(name)) for name in sorted(registry))


def _section(entry: Entry) -> str:
    facts = [
        f"{word}: {_words(entry.tags[tag])}" for tag, word in SHOWN.items() if tag in entry.tags
    ]
    schema = entry.options.model_json_schema()
    table = keys_table(schema.get("properties", {}), schema.get("$defs", {}))
    shown = f"*{'; '.join(facts)}*\n\n" if facts else ""
    return f"## {entry.name}\n\n{shown}{prose(entry.docstring)}\n{table}"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list | dict) else str(value)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("registered", Registered)
    return PARALLEL
