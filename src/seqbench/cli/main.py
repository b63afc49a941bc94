"""The parser, built from the modules of the commands, and what ends a command early."""

import argparse
import os
import sys
from types import ModuleType

from seqbench import __version__
from seqbench.cli import (
    check,
    compare,
    export,
    init,
    predict,
    report,
    run,
    schema,
    snakefile,
    status,
)
from seqbench.cli import list as list_names
from seqbench.errors import UserError, printable

COMMANDS: tuple[ModuleType, ...] = (
    list_names,
    init,
    check,
    run,
    status,
    report,
    compare,
    predict,
    export,
    schema,
    snakefile,
)


def main(argv: list[str] | None = None) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        prog="seqbench", description="Sequence models on recordings, compared under one protocol."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        summary, _, more = (module.__doc__ or "").partition("\n")
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=summary, description=summary, epilog=more or None)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = vars(parser.parse_args(argv))
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
