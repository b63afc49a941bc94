"""Run a step of the workflow: ``python -m seqbench.steps NAME ...``."""

import sys
from importlib.util import find_spec

from seqbench.process.launch import launch

PLACE = "seqbench.steps."

if __name__ == "__main__":
    if len(sys.argv) < 2 or find_spec(PLACE + sys.argv[1]) is None:
        from seqbench.plan.workflow_jobs import STEPS  # a job does not wait for it

        known = ", ".join(name for name in STEPS if find_spec(PLACE + name))
        sys.exit(f"usage: python -m seqbench.steps NAME ...; NAME is one of {known}")
    sys.exit(launch(PLACE + sys.argv[1], sys.argv[2:]))
