"""Training once more, on train and val, for as many epochs as val has chosen."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seqbench.errors import FormatError, UserError
from seqbench.process.memory import PeakMemory
from seqbench.process.origin import origin
from seqbench.storage.lazy_array import joined
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel, read_as, write_model
from seqbench.storage.records import Cost, Provenance
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import WindowSet
from seqbench.training.batches import labelled_subset
from seqbench.training.devices import claim_device
from seqbench.training.finetune import (
    FirstTraining,
    LabelledJob,
    peak_bytes,
    read_train_and_val,
    trained_network,
)
from seqbench.training.job import run_training
from seqbench.training.state import StateKeeper, state_arrays

OF_ROWS = ("start", "stop", "known_start", "known_stop", "onset", "offset")


@dataclass(frozen=True, kw_only=True)
class RefitJob(LabelledJob):
    """One model to train again; see `LabelledJob` for the rest.

    Parameters
    ----------
    first, history
        Files of the first training: its model, whose epoch and whatever is tuned val has
        chosen, and its losses.
    model
        File that is written.
    """

    first: Path
    history: Path
    model: Path

    @property
    def inputs(self) -> dict[str, Path | None]:
        """Files that are read, by name."""
        return super().inputs | {"first": self.first, "history": self.history}

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return [self.model]


def refit(job: RefitJob) -> None:
    """Train from the same start on train and val, and write the model of the last epoch.

    The learning rate follows the course of the first training, epoch by epoch. What is tuned on
    val stays as the first model has it, and costs are those of both.

    Raises
    ------
    UserError
        If the first model is of another run, or holds its first weights.
    """
    run_training(job, _refit)


def together(train: WindowSet, val: WindowSet) -> WindowSet:
    """Return the windows of train followed by those of val, as if all were of train."""
    n = len(train.signal)
    targets = train.targets
    if targets is not None:
        values = [targets.values, val.required_targets.values]
        targets = replace(targets, values=joined(values, targets.values.shape[1:]))
    return replace(
        train,
        signal=joined([train.signal, val.signal], train.signal.shape[1:]),
        start=np.concatenate([train.start, val.start + n]),
        length=np.concatenate([train.length, val.length]),
        label=np.concatenate([train.label, val.label]),
        recording=np.concatenate([train.recording, val.recording]),
        targets=targets,
        timeline=None if train.timeline is None else _followed(train.timeline, val.events, n),
    )


def _followed(first: Timeline, second: Timeline, n_rows: int) -> Timeline:
    """Return recordings and their events, and those of a split that stands so many rows behind."""
    columns = dict.fromkeys(("recording", "type"), 0) | dict.fromkeys(OF_ROWS, n_rows)
    amplitude = None
    if first.amplitude is not None and second.amplitude is not None:
        amplitude = np.concatenate([first.amplitude, second.amplitude])
    return replace(
        first,
        amplitude=amplitude,
        **{
            name: np.concatenate([getattr(first, name), getattr(second, name) + shift])
            for name, shift in columns.items()
        },
    )


def _refit(job: RefitJob, keeper: StateKeeper | None) -> None:
    memory, device = PeakMemory(), claim_device(job.device)
    header = read_as(job.first, ModelHeader).header
    if header.run != job.run:
        raise UserError(f"{job.first}: holds {header.run}, not {job.run}; train it again")
    n_epochs = header.cost.best_epoch
    if not n_epochs:
        raise UserError(
            f"{job.first}: val kept the weights from before the first step, so there is no number"
            " of epochs to train again; set `finetune.refit: false` for this architecture"
        )
    train, val = read_train_and_val(job)
    of_val = labelled_subset(val, 1.0, job.run.seed) + len(train)
    drawn = np.concatenate([labelled_subset(train, job.settings.labels, job.run.seed), of_val])
    val_losses = _val_losses(job.history, n_epochs)
    both = together(train, val)
    del train
    first = FirstTraining(header=header, drawn=drawn, val_losses=val_losses)
    trained = trained_network(job, both, val, device, keeper, first)
    if not job.writes:
        return
    cost = _sum(header.cost, trained.outcome.cost("train"), peak_bytes(memory, device))
    provenance = Provenance(
        **origin(),
        device=device.type,
        threads=job.threads,
        gpus=job.settings.optimizer.gpus,
        batch_size_halved=job.halved or header.provenance.batch_size_halved or None,
    )
    write_model(
        job.model,
        StoredModel(
            state_arrays(trained.network),
            header.model_copy(update={"cost": cost, "provenance": provenance, "refit": True}),
        ),
    )


def _val_losses(history: Path, n_epochs: int) -> list[float]:
    """Return the losses on val of the first epochs.

    Raises
    ------
    FormatError
        If the history has not so many, or not the best in the last of them.
    """
    with history.open(encoding="utf-8", newline="") as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)][:n_epochs]
    if len(losses) < n_epochs or losses.index(min(losses)) != n_epochs - 1:
        raise FormatError(f"{history}: is not the history of the model beside it; train it again")
    return losses


def _sum(first: Cost, second: Cost, peak: int) -> Cost:
    """Return the cost of two trainings; epochs are those of the first."""
    return first.model_copy(
        update={
            "train_s": (first.train_s or 0.0) + (second.train_s or 0.0),
            "train_cpu_s": (first.train_cpu_s or 0.0) + (second.train_cpu_s or 0.0),
            "peak_memory_bytes": max(first.peak_memory_bytes or 0, peak),
        }
    )
