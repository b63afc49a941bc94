"""Run a step of the workflow: ``python -m seqbench.steps NAME ...``."""

import sys

from seqbench.process.launch import launch
from seqbench.steps import NAMES

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: python -m seqbench.steps NAME ...; NAME is one of {', '.join(NAMES)}")
    sys.exit(launch(f"seqbench.steps.{sys.argv[1]}", sys.argv[2:]))
