"""The help of every command: ``{commands}``."""

import io
import os
from contextlib import redirect_stdout, suppress
from unittest.mock import patch

from generated import PARALLEL, GeneratedText
from sphinx.application import Sphinx

from seqbench.cli.main import COMMANDS, main

COLUMNS = "100"


class Commands(GeneratedText):
    """A heading and the help of each command, as `seqbench COMMAND --help` prints it."""

    def markdown(self) -> str:
        """Return a section for each command."""
        return "\n".join(f"### {name}\n\n```text\n{_help(name)}```\n" for name in COMMANDS)


def _help(command: str) -> str:
    printed = io.StringIO()
    terminal = {"COLUMNS": COLUMNS, "NO_COLOR": "1"}
    with patch.dict(os.environ, terminal), redirect_stdout(printed), suppress(SystemExit):
        main([command, "--help"])
    return printed.getvalue()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return PARALLEL
