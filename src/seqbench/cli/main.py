"""The parser, built from the modules of the commands, and what ends a command early."""

import argparse
import os
import sys
from importlib import import_module

from seqbench import __version__
from seqbench.errors import UserError, printable

COMMANDS = (
    "list",
    "init",
    "check",
    "run",
    "status",
    "report",
    "compare",
    "predict",
    "export",
    "schema",
    "snakefile",
)


def main(argv: list[str] | None = None) -> None:
    """Run one command."""
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="seqbench", description="Sequence models on recordings, compared under one protocol."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    called = next((word for word in words if not word.startswith("-")), None)
    # The others are imported to be listed alone: a command starts without what they need.
    for name in (called,) if called in COMMANDS else COMMANDS:
        module = import_module(f"seqbench.cli.{name}")
        summary, _, more = (module.__doc__ or "").partition("\n")
        command = commands.add_parser(name, help=summary, description=summary, epilog=more or None)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = vars(parser.parse_args(words))
    try:
        arguments.pop("run")(**arguments)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")
    except BrokenPipeError:
        # The reader of the events has left, and Python must not try to flush the rest for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell does; a stream may have no other end
