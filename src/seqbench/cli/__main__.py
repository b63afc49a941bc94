"""Runs the command line as `python -m seqbench.cli`."""

from seqbench.cli.main import main

if __name__ == "__main__":
    main()
