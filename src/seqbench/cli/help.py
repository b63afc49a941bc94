"""What `--help` shows of a command: its docstring, examples to copy, and exit codes."""

import argparse
import ast
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from seqbench.cli.exit_codes import EVERY_COMMAND
from seqbench.cli.text import table, wrapped


def summary(name: str) -> str:
    """Return the first line of a command's docstring, from its source: nothing is imported."""
    folder = Path(__file__).parent
    module, package = folder / f"{name}.py", folder / name / "__init__.py"
    text = (module if module.is_file() else package).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def explanation(module: ModuleType) -> dict[str, Any]:
    """Return what `add_parser` takes to explain a command.

    Parameters
    ----------
    module
        Of the command. `EXAMPLES` has command lines and what they do; `EXIT_CODES`, if it is
        there, the codes that mean something else or more than in other commands.
    """
    first, _, more = (module.__doc__ or "").partition("\n")
    codes = EVERY_COMMAND | getattr(module, "EXIT_CODES", {})
    return {
        "help": first,
        "description": "\n".join(wrapped(first)),
        "epilog": epilog(module.EXAMPLES, codes, more),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def epilog(examples: Mapping[str, str], codes: Mapping[int, str], more: str = "") -> str:
    """Return what stands below the arguments; `more` are paragraphs."""
    paragraphs = ["\n".join(wrapped(one)) for one in more.split("\n\n") if one.strip()]
    shown = ["examples:", *table(examples)]
    meanings = ["exit codes:", *table({str(code): codes[code] for code in sorted(codes)})]
    return "\n\n".join([*paragraphs, "\n".join(shown), "\n".join(meanings)])
