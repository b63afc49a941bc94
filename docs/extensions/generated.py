"""What directives that write parts of a page from the code have in common."""

import inspect
import json
from abc import ABC, abstractmethod
from typing import Any

from docutils import nodes
from numpydoc.docscrape import NumpyDocString
from sphinx.util.docutils import SphinxDirective

from seqbench.cli.list.ranges import allowed

PARALLEL = {"parallel_read_safe": True, "parallel_write_safe": True}
Schema = dict[str, Any]


class GeneratedText(SphinxDirective, ABC):
    """Markdown that is written when the page is read, headings included."""

    @abstractmethod
    def markdown(self) -> str:
        """Return the text."""

    def run(self) -> list[nodes.Node]:
        """Parse the text as if it stood in the page."""
        return self.parse_text_to_nodes(self.markdown(), allow_section_headings=True)


def prose(docstring: str) -> str:
    """Return what a numpydoc docstring says beside its parameters."""
    parsed = NumpyDocString(inspect.cleandoc(docstring))
    reasons = [" ".join(one.desc) for one in parsed["Raises"]]
    refusals = [[f"Refused {why[0].lower()}{why[1:]}"] for why in reasons]
    summary = [parsed["Summary"], parsed["Extended Summary"]]
    parts = [*summary, *refusals, parsed["Notes"], parsed["References"]]
    text = "\n\n".join("\n".join(part) for part in parts if part)
    return f"```{{eval-rst}}\n{text}\n```\n"


def keys_table(keys: Schema, definitions: Schema) -> str:
    """Return a table of keys as their JSON schema has them; empty where there are none."""
    rows = [
        f"| `{key}` | {_cell(allowed(key, value, definitions))} | {_default(value)} |"
        f" {_cell(_meaning(value, definitions))} |"
        for key, value in keys.items()
    ]
    if not rows:
        return ""
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _meaning(value: Schema, definitions: Schema) -> str:
    """Return the description of a key, or that of the mapping that it holds."""
    found = value if "description" in value else _referred(value, definitions)
    return str(found.get("description", ""))


def _referred(value: Schema, definitions: Schema) -> Schema:
    """Return the definition that a value refers to; of any other there is none."""
    referred: Schema = definitions.get(value.get("$ref", "").rpartition("/")[2], {})
    return referred


def _default(value: Schema) -> str:
    """Return a default as YAML writes it; none where keys have defaults of their own."""
    if "default" not in value:
        return "required"
    if value["default"] is None or "$ref" in value:
        return ""
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
