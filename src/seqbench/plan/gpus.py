"""How many GPUs a plan needs at once."""

from seqbench.plan.plan import Plan


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
