"""The parser, built from the modules of the commands, and what ends a command early."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from seqbench import __version__
from seqbench.cli.exit_codes import EVERY_COMMAND, FAILED, INTERRUPTED, WRONG_USAGE
from seqbench.cli.help import epilog, explanation, summary
from seqbench.errors import UserError, printable
from seqbench.extras import missing

COMMANDS = (
    "list",
    "init",
    "check",
    "run",
    "status",
    "report",
    "compare",
    "publish",
    "merge",
    "croissant",
    "predict",
    "export",
    "schema",
    "snakefile",
)
EXAMPLES = {
    "seqbench init doors": "write doors.yaml from the recordings in doors/",
    "seqbench run doors.yaml": "train, score, and leave results/report.html",
    "seqbench list lstm": "options of an architecture",
    "seqbench run --help": "arguments, examples and exit codes of a command",
}


class Call(NamedTuple):
    """A command and its arguments."""

    run: Callable[..., None]
    arguments: dict[str, Any]


def main(argv: list[str] | None = None) -> None:
    """Run one command."""
    call = parse(sys.argv[1:] if argv is None else argv)
    try:
        call.run(**call.arguments)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")
    except ModuleNotFoundError as error:
        sentence = missing(error)
        if sentence is None:
            raise
        sys.exit(f"error: {sentence}")
    except BrokenPipeError:
        # The reader of the events has left, and Python must not try to flush the rest for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # a stream may have no other end


def parse(words: Sequence[str]) -> Call:
    """Return the command that a command line names, with its arguments.

    Raises
    ------
    SystemExit
        If it asks for help, or is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="seqbench",
        description="Sequence models on recordings, compared under one protocol.",
        epilog=epilog(EXAMPLES, EVERY_COMMAND),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"seqbench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    if list(words[:1]) == ["help"]:
        words = [*words[1:], "--help"]
    name = next((word for word in words if not word.startswith("-")), None)
    if name not in COMMANDS:
        # Listed from their sources: nothing is imported to show what there is.
        for known in COMMANDS:
            commands.add_parser(known, help=summary(known))
        if name is not None:
            parser.error(f"unknown command '{name}'; {_suggestion(name, (*COMMANDS, '--version'))}")
        if words:
            _refuse_unknown_options(parser, words)
            parser.parse_args(words)  # which ends in help, the version or an error
        parser.print_help(sys.stderr)
        sys.exit(WRONG_USAGE)
    module = import_module(f"seqbench.cli.{name}")
    command = commands.add_parser(name, **explanation(module))
    module.add_arguments(command)
    passes_on = getattr(module, "PASSES_ON", None)
    if passes_on is None:
        _refuse_unknown_options(command, words[words.index(name) + 1 :])
    arguments, extra = parser.parse_known_args(words)
    if extra:
        command.error(f"unknown argument: {extra[0]}{f'; {passes_on}' if passes_on else ''}")
    return Call(module.run, vars(arguments))


def _refuse_unknown_options(command: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Refuse an option that a command does not have, with the nearest that it has."""
    known = re.findall(r"--[a-z-]+", command.format_usage())
    for word in words:
        option = word.partition("=")[0]
        if word == "--":
            return
        if word.startswith("--") and not any(one.startswith(option) for one in (*known, "--help")):
            command.error(f"unknown option '{option}'; {_suggestion(option, known)}")


def _suggestion(name: str, known: Sequence[str]) -> str:
    from seqbench.config.registry import suggestion  # only a wrong command line waits for it

    return suggestion(name, list(known))
