"""The settings of the steps that made a run."""

from seqbench.config.options import Options
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.read.searches import Choices


def step_settings(plan: Plan, run: Run, choices: Choices) -> dict[str, Options]:
    """Return the settings of the steps that made a run but its identity, in their order."""
    jobs, pretraining, dataset = plan.job_settings, plan.pretraining(run), run.dataset
    choice = choices.get((dataset, run.architecture))
    point = choice.options if choice else None
    found: dict[str, Options] = {
        "ingest": jobs.ingest(plan.benchmark.base_dataset(dataset)),
        "window": jobs.window(dataset),
    }
    if run.is_baseline:
        found["fit_baseline"] = jobs.fit_baseline(dataset, run.architecture, point)
    else:
        if pretraining is not None:
            found["pretrain"] = jobs.pretrain(run.architecture, pretraining.objective, point)
        place = (dataset, run.architecture, run.arm, float(run.labels), point)
        found["finetune"] = jobs.finetune(*place)
        if plan.is_refit(run):
            found["refit"] = jobs.refit(*place)
    return found | {"evaluate": jobs.evaluate(dataset)}
