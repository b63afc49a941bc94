"""How many GPUs trainings need at once, and on how many nodes of a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seqbench.errors import UserError
from seqbench.process.client import allocation

if TYPE_CHECKING:
    from seqbench.plan.plan import Plan

PER_NODE = "SEQBENCH_GPUS_PER_NODE"


def most_gpus(plan: Plan) -> int:
    """Return the largest number of GPUs that one training of a plan requests; on the CPU, 0."""
    benchmark = plan.benchmark
    if benchmark.device == "cpu":
        return 0
    found = [0]
    for run in plan.trained:
        found.append(benchmark.finetuning(run.architecture).gpus)
        if plan.pretraining(run) is not None:
            found.append(benchmark.pretraining(run.architecture).gpus)
    return max(found)


def nodes_of(gpus: int) -> int:
    """Return on how many nodes of a cluster a training with so many GPUs runs.

    One, unless `SEQBENCH_GPUS_PER_NODE` states that a node has fewer.

    Raises
    ------
    UserError
        If the variable is no number above 0, or the nodes would not have equally many.
    """
    value = os.environ.get(PER_NODE) or str(gpus)
    if not value.isdecimal() or int(value) < 1:
        raise UserError(f"{PER_NODE}={value}: write how many GPUs a node has, 1 or more")
    per_node = min(int(value), gpus)
    if gpus % per_node:
        raise UserError(
            f"`gpus: {gpus}` on nodes with {per_node} ({PER_NODE}): take a multiple of {per_node},"
            " as each node has the same number of processes"
        )
    return gpus // per_node


def nodes_from_here(gpus: int) -> int:
    """Return the same of a training that this process starts: one outside of a cluster's jobs."""
    return nodes_of(gpus) if allocation() else 1
