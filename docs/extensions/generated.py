"""What directives that write parts of a page from the code have in common."""

import inspect
from abc import ABC, abstractmethod

from docutils import nodes
from numpydoc.docscrape import NumpyDocString
from sphinx.util.docutils import SphinxDirective

PARALLEL = {"parallel_read_safe": True, "parallel_write_safe": True}


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
