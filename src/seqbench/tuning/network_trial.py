"""A trial of a network: trained from scratch on train, scored on val."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqbench.config.registry import TASKS
from seqbench.storage.trials import Trial, write_trial
from seqbench.training.devices import claim_device
from seqbench.training.finetune import LabelledJob, read_train_and_val, trained_network
from seqbench.training.job import run_training
from seqbench.training.loop import DivergedError
from seqbench.training.state import StateKeeper
from seqbench.tuning.scores import val_score


@dataclass(frozen=True, kw_only=True)
class TrialJob(LabelledJob):
    """One trial; see `LabelledJob` for the rest.

    Parameters
    ----------
    options
        Those that are searched; `settings` hold them already.
    number
        Of the trial; the first, 0, has the options as the configuration has them.
    rung
        Of a search by halving, from 0; `settings` hold its part of the epochs.
    trial
        File that is written.
    """

    options: dict[str, Any]
    number: int
    trial: Path
    rung: int = 0

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return [self.trial]


def run_trial(job: TrialJob) -> None:
    """Train, score on val and write the trial; no other split is read.

    A training that diverges is a trial that failed, but for the first: the
    runs would diverge too.
    """
    began_cpu = time.process_time()
    try:
        run_training(job, _run_trial)
    except DivergedError as error:
        if job.number == 0:
            raise
        if not job.writes:
            return
        cpu_s = time.process_time() - began_cpu
        task = TASKS[job.settings.task](**job.settings.task_options)
        _, val = read_train_and_val(job)
        _write(job, headline=task.headline_of(val), failure=str(error), cpu_s=cpu_s)


def _run_trial(job: TrialJob, keeper: StateKeeper | None) -> None:
    device = claim_device(job.device)
    train, val = read_train_and_val(job)
    trained = trained_network(job, train, val, device, keeper)
    if not job.writes:
        return
    task = TASKS[job.settings.task](**job.settings.task_options)
    predicted = trained.predicted()
    tuned = task.tune(val, predicted, are_probabilities=True, data=trained.header)
    found = val_score(task, val, predicted, are_probabilities=True, tuned=tuned)
    _write(job, **found._asdict(), cpu_s=trained.outcome.train_cpu_s)


def _write(job: TrialJob, **fields: Any) -> None:
    trial = Trial(
        dataset=job.run.dataset,
        architecture=job.run.architecture,
        trial=job.number,
        rung=job.rung,
        epochs=job.settings.optimizer.epochs,
        options=job.options,
        **fields,
    )
    write_trial(job.trial, trial)
