"""How many GPUs trainings need at once, on how many nodes of a cluster, and by which name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqbench.errors import UserError
from seqbench.process.client import allocation

if TYPE_CHECKING:
    from seqbench.plan.plan import Plan

PER_NODE = "SEQBENCH_GPUS_PER_NODE"
GRES = "SEQBENCH_GRES"
PACK = "SEQBENCH_PACK"


def most_gpus(plan: Plan) -> int:
    """Return the largest number of GPUs that one training of a plan requests; on the CPU, 0."""
    finetuned, pretrained = _gpus(plan)
    return max(finetuned | pretrained, default=0)


def _gpus(plan: Plan) -> tuple[set[int], set[int]]:
    """Return the numbers of GPUs that models of a plan are trained on, and encoders pretrained."""
    benchmark = plan.benchmark
    if benchmark.device == "cpu":
        return set(), set()
    pretrained = [run for run in plan.trained if plan.pretraining(run) is not None]
    return (
        {benchmark.finetuning(run.architecture).gpus for run in plan.trained},
        {benchmark.pretraining(run.architecture).gpus for run in pretrained},
    )


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


def gres() -> str | None:
    """Return the generic resource that a cluster deals out GPUs as; None: as `gpu`, by number.

    Raises
    ------
    UserError
        If `SEQBENCH_GRES` is no such name.
    """
    name = os.environ.get(GRES, "")
    if name and not re.fullmatch(r"\w+(:(?!\d+$)[\w.]+)?", name):
        raise UserError(
            f"{GRES}={name}: write the name of the resource, and perhaps its type, as `sinfo -o %G`"
            " prints them without a number, such as gpu or gpu:a100"
        )
    return name or None


def gres_of(gpus: int) -> str | None:
    """Return what a job with so many GPUs requests of each node where they have such a name."""
    name = gres()
    return f"{name}:{gpus // nodes_of(gpus)}" if name and gpus else None


def check_gres(plan: Plan, given: Mapping[str, str]) -> None:
    """Check that GPUs are requested in one way, and that members of a pack request the same.

    Parameters
    ----------
    plan
        What is run.
    given
        Resources that a profile or the command line gives to rules.

    Raises
    ------
    UserError
        If they are not: SLURM would add both requests, or Snakemake could not pack the jobs.
    """
    name, others = gres(), {"gres", "gpu_model"} & given.keys()
    if others and (name or "gpu" in given.get("gres", "")):
        raise UserError(
            f"GPUs are requested twice, by {' and '.join(sorted(others))} of the profile or command"
            f" line and by the rules; leave it out and set {GRES}, such as {GRES}=gpu:a100"
        )
    for numbers in _gpus(plan) if name and os.environ.get(PACK) != "1" else ():
        if len(numbers) > 1:
            raise UserError(
                f"{GRES}={name}: trainings with {', '.join(map(str, sorted(numbers)))} GPUs cannot"
                f" share a job, which has one such request; set {PACK}=1"
            )
