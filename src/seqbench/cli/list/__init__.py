"""List what a config can name, and explain each name: options, ranges, units, what goes with it.

Without a WORD, the names of every kind. A kind (architectures, baselines, objectives, datasets,
sources, tasks, metrics) lists its names with a line each. A name has all that is known of it.
"""

from argparse import ArgumentParser

EXAMPLES = {
    "seqbench list": "the names of every kind",
    "seqbench list architectures": "a line for each architecture",
    "seqbench list lstm": "all about one: options with ranges and units, tasks, datasets",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the kinds and names."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="kinds and names")


def run(words: list[str]) -> None:
    """Print the names of every kind, those of one kind, or all about names."""
    from seqbench.cli.list.kinds import explained, overview

    print("\n\n".join("\n".join(explained(word)) for word in words) or "\n".join(overview()))
