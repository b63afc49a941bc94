"""Print the path of the Snakefile, for `snakemake -s $(seqbench snakefile)`."""

from argparse import ArgumentParser

from seqbench.pipeline import SNAKEFILE

EXAMPLES = {
    "seqbench snakefile": "the path",
    "snakemake -s $(seqbench snakefile) --configfile doors.yaml": "what `seqbench run` does",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add none."""


def run() -> None:
    """Print the path."""
    print(SNAKEFILE)
