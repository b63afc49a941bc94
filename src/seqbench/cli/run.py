"""Run a config with Snakemake, from any folder: results/report.html is made in this one.

Options behind the configs are passed on to Snakemake: `--cores 4`, `-n` (what would be run),
`--directory DIR`. `--profile slurm` is the cluster's profile of seqbench. Paths in the
config are relative to the folder that holds results/.
"""

import argparse
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from seqbench.cli.exit_codes import FAILED
from seqbench.cli.plans import read_config
from seqbench.pipeline import PROFILES, SNAKEFILE

EXAMPLES = {
    "seqbench run doors.yaml": "on all cores of this machine",
    "seqbench run doors.yaml --cores 4 --dry-run": "what four jobs at a time would do",
    "seqbench run doors.yaml --profile slurm": "on a cluster",
    "seqbench run shared.yaml mine.yaml": "mine.yaml merged into shared.yaml",
}
EXIT_CODES = {0: "all is made", FAILED: "the config is invalid, or a job failed; run it again"}
PASSES_ON = "options of Snakemake stand behind CONFIG, as in `seqbench run doors.yaml --cores 4`"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the configs and what is passed on."""
    parser.add_argument(
        "configs",
        type=Path,
        nargs="+",
        metavar="CONFIG",
        help="YAML files, merged in turn into the default config",
    )
    options = parser.add_argument(
        "options", nargs=argparse.REMAINDER, metavar="OPTION", help="option of Snakemake, passed on"
    )
    options.required = False  # else argparse asks for one where CONFIG is missing


def run(configs: list[Path], options: list[str]) -> None:
    """Become Snakemake, with the Snakefile of this package.

    Raises
    ------
    UserError
        If there is no such config, or they are invalid.
    """
    read_config(*configs)  # so that a fault ends in its sentence, not in what Snakemake makes of it
    arguments = [sys.executable, "-m", "snakemake", *command(configs, options)]
    sys.stdout.flush()
    os.execv(sys.executable, arguments)


def command(configs: list[Path], options: list[str]) -> list[str]:
    """Return the arguments of Snakemake.

    A profile of this package takes the place of its default one, as
    `--workflow-profile`: beside it, the settings of a workstation would win.
    """
    words = ["--snakefile", str(SNAKEFILE), "--configfile", *map(str, configs)]
    rest = iter(options)
    for word in rest:
        name, _, value = word.partition("=")
        if name == "--profile":
            value = value or next(rest, "")
            if (PROFILES / value / "config.yaml").is_file():
                words += ["--workflow-profile", str(PROFILES / value)]
            else:
                words += ["--profile", value]
        else:
            words.append(word)
    return words
