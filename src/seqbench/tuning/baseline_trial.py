"""A trial of a baseline: fitted on train, scored on val."""

import time
from pathlib import Path
from typing import Any

from seqbench.baselines.base import OptionError
from seqbench.baselines.fitting import tuned_on_val
from seqbench.config.registry import BASELINES, TASKS
from seqbench.plan.job_settings import BaselineTrialJobSettings
from seqbench.process.memory import AUTO, limit_bytes
from seqbench.storage.trials import Trial, write_trial
from seqbench.storage.windows import read_windows
from seqbench.tuning.scores import TRIAL_SEED, val_score


def run_baseline_trial(
    *,
    windows: Path,
    settings: BaselineTrialJobSettings,
    dataset: str,
    architecture: str,
    number: int,
    trial: Path,
    memory_limit: str = AUTO,
) -> None:
    """Fit on train, score on val and write the trial; no other split is read.

    Options that do not fit the windows are a trial that failed, but for the first: the runs
    would fail too.
    """
    fit = settings.fit
    task = TASKS[fit.task](**fit.task_options)
    limit = limit_bytes(memory_limit)
    train = read_windows(windows, "train", memory_limit_bytes=limit)
    val = read_windows(windows, "val", memory_limit_bytes=limit)
    baseline = BASELINES[fit.baseline](**fit.options)
    baseline.compile(len(train.channels))
    began_cpu = time.process_time()
    fields: dict[str, Any] = {"headline": task.headline_of(val)}
    try:
        arrays = baseline.fit([train], TRIAL_SEED)
    except OptionError as error:
        if number == 0:
            raise
        fields["failure"] = str(error)
        fields["cpu_s"] = time.process_time() - began_cpu
    else:
        predicted = baseline.predict(arrays, val)
        tuned = {}
        if task.tunes_on_val:
            tuned = tuned_on_val(task, baseline, predicted, train, val)
        cpu_s = time.process_time() - began_cpu
        found = val_score(
            task, val, predicted, are_probabilities=baseline.gives_probabilities, tuned=tuned
        )
        fields = found._asdict() | {"cpu_s": cpu_s}
    write_trial(
        trial,
        Trial(
            dataset=dataset,
            architecture=architecture,
            trial=number,
            options=settings.options,
            **fields,
        ),
    )
