"""Print the path of the Snakefile, for `snakemake -s $(seqbench snakefile)`."""

from argparse import ArgumentParser

from seqbench.pipeline import SNAKEFILE


def add_arguments(parser: ArgumentParser) -> None:
    """Add none."""


def run() -> None:
    """Print the path."""
    print(SNAKEFILE)
