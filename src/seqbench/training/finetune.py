"""Fine-tuning: an encoder and a task's head, train and val windows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqbench.config.registry import ARCHITECTURES, BASELINES, TASKS
from seqbench.models.base import Encoder
from seqbench.plan.job_settings import FinetuneJobSettings
from seqbench.pretraining.transfer import transfer
from seqbench.process.memory import PeakMemory, limit_bytes
from seqbench.process.origin import origin
from seqbench.storage.atomic import write_json
from seqbench.storage.model_header import (
    ModelHeader,
    NetworkHeader,
    data_fields,
    windowing_fields,
)
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import Cost, Provenance, RunIdentity
from seqbench.storage.windows import WindowSet, read_windows
from seqbench.training.batches import WindowTable, label_counts, labelled_subset
from seqbench.training.calibration import calibrate
from seqbench.training.cost import macs_per_window, n_parameters
from seqbench.training.devices import claim_device
from seqbench.training.division import divided
from seqbench.training.initial_encoder import InitialEncoder, read_encoder
from seqbench.training.job import TrainingJob, run_training
from seqbench.training.loop import EVALUATION_BATCH, Outcome, fit
from seqbench.training.model import Model, build_model, predict
from seqbench.training.reproducibility import prepare, seed_everything
from seqbench.training.state import StateKeeper, state_arrays
from seqbench.training.supervised import CLASS_WEIGHT_POWERS, Finetuning, class_weights


@dataclass(frozen=True, kw_only=True)
class LabelledJob(TrainingJob):
    """A training with labels; see `TrainingJob` for the rest.

    Parameters
    ----------
    run
        Identity of the run; its seed is that of all random draws.
    encoder
        File of an encoder, or of a model with one, that is read; None: random weights.
    """

    settings: FinetuneJobSettings
    run: RunIdentity
    encoder: Path | None = None

    @property
    def inputs(self) -> dict[str, Path | None]:
        """Files that are read, by name."""
        return {"windows": self.windows, "encoder": self.encoder}

    @property
    def names(self) -> dict[str, object]:
        """Identity of the run."""
        return dict(self.run)


@dataclass(frozen=True, kw_only=True)
class FinetuneJob(LabelledJob):
    """One run to train; see `LabelledJob` for the rest.

    Parameters
    ----------
    model, history, transfer
        Files that are written.
    """

    model: Path
    history: Path
    transfer: Path

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return [self.model, self.history, self.transfer]


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """A network with the weights of its best epoch, and how it came to them.

    Parameters
    ----------
    table
        Of train.
    initial
        The encoder that it started from; None: random weights.
    manifest
        What moved from there.
    n_drawn
        Windows of train whose labels were used.
    predicted
        Predicts val.
    """

    network: Model
    header: NetworkHeader
    table: WindowTable
    outcome: Outcome
    initial: InitialEncoder | None
    manifest: dict[str, object]
    n_drawn: int
    predicted: Callable[[], Any]


def finetune(job: FinetuneJob) -> None:
    """Train on train and val; write the model, its history and the transfer manifest."""
    run_training(job, _finetune)


def read_train_and_val(job: TrainingJob) -> tuple[WindowSet, WindowSet]:
    """Return the only splits that a training with labels sees."""
    limit = limit_bytes(job.memory_limit)
    return (
        read_windows(job.windows, "train", memory_limit_bytes=limit),
        read_windows(job.windows, "val", memory_limit_bytes=limit),
    )


@dataclass(frozen=True, kw_only=True)
class FirstTraining:
    """What a training takes over from one before.

    Parameters
    ----------
    header
        Of its network.
    drawn
        Windows of what is now train whose labels are used, (n,).
    val_losses
        Its losses on val up to the best epoch.
    """

    header: NetworkHeader
    drawn: np.ndarray
    val_losses: list[float]


def trained_network(
    job: LabelledJob,
    train: WindowSet,
    val: WindowSet,
    device: torch.device,
    keeper: StateKeeper | None,
    first: FirstTraining | None = None,
) -> TrainedNetwork:
    """Train on train until the loss on val stops falling; nothing is read but a given encoder.

    With `first`, val is not looked at: the losses of that training decide in its place.
    """
    settings, seed = job.settings, job.run.seed
    prepare(job.threads, device, precision=settings.optimizer.precision)
    generator = seed_everything(seed)
    header = network_header(settings, train) if first is None else first.header
    network = build_model(header)
    network.head.smoothing = settings.optimizer.label_smoothing
    initial = read_encoder(job.encoder, settings, train, job.run.dataset) if job.encoder else None
    manifest: dict[str, object] = {
        "encoder": "random",
        "fraction": None,
        "copied": [],
        "skipped": [],
    }
    if initial:
        manifest = transfer(network.encoder, initial.arrays, initial.source)
    elif settings.frozen:
        inputs = WindowTable(train, device, with_targets=False)
        calibrate(network.to(device).encoder, inputs, seed)
    drawn = labelled_subset(train, settings.labels, seed) if first is None else first.drawn
    starts_as = ARCHITECTURES.entry(settings.architecture).tags.get("starts_as")
    began, began_cpu = time.perf_counter(), time.process_time()
    if starts_as:
        start(network.encoder, starts_as, train, drawn, seed)
    start_s, start_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    weight = None
    if (power := CLASS_WEIGHT_POWERS[settings.optimizer.class_weights]) > 0:
        weight = class_weights(label_counts(train, drawn), power).to(device)
    augmentation = torch.Generator().manual_seed(seed + 1)
    table = WindowTable(train, device, augmentation, keep_to_windows=settings.labels < 1)
    val_table = WindowTable(val, device)
    finetuning = Finetuning(
        network.to(device),
        frozen=settings.frozen,
        weight=weight,
        unfreeze=settings.optimizer.unfreeze if initial else "at_once",
        unfreeze_epochs=settings.optimizer.unfreeze_epochs,
        starts_fitted=starts_as is not None,
        augment=settings.optimizer.augment,
        seed=seed + 2,
    )
    with divided(finetuning, job.ranks) as trainable:
        outcome = fit(
            trainable,
            table,
            torch.from_numpy(drawn),
            lambda: val_table.batches(EVALUATION_BATCH),
            settings.optimizer,
            loss_name="val_loss",
            generator=generator,
            label=" ".join(str(part) for part in job.names.values()),
            n_full=int((train.label >= 0).sum()),
            curves=job.curves,
            keeper=keeper,
            recorded=None if first is None else first.val_losses,
        )
    outcome = replace(
        outcome,
        train_s=outcome.train_s + start_s,
        train_cpu_s=job.of_all(outcome.train_cpu_s + start_cpu_s),
    )

    def predicted() -> Any:
        return predict(network, val, device, int(train.length.max()))

    of_val = None
    if first is None:
        stands, of_val = network.head.settle(predicted, val, header)
        if not stands:
            outcome = replace(outcome, best_epoch=0)
    return TrainedNetwork(
        network=network,
        header=header,
        table=table,
        outcome=outcome,
        initial=initial,
        manifest=manifest,
        n_drawn=len(drawn),
        predicted=predicted if of_val is None else lambda: of_val,
    )


def _finetune(job: FinetuneJob, keeper: StateKeeper | None) -> None:
    memory, settings = PeakMemory(), job.settings
    device = claim_device(job.device)
    train, val = read_train_and_val(job)
    trained = trained_network(job, train, val, device, keeper)
    if not job.writes:
        return
    network, outcome, initial = trained.network, trained.outcome, trained.initial
    longest = torch.tensor([int(train.length.argmax())])
    encoder_cost = initial.cost if initial else Cost()
    cost = outcome.cost("train").model_copy(
        update={
            "n_parameters": n_parameters(network),
            "macs_per_window": macs_per_window(network, trained.table.batch(longest).x),
            "peak_memory_bytes": peak_bytes(memory, device),
            "pretrain_s": encoder_cost.pretrain_s,
            "pretrain_cpu_s": encoder_cost.pretrain_cpu_s,
        }
    )
    task, tuned = TASKS[settings.task](**settings.task_options), {}
    if task.tunes_on_val:
        tuned = task.tune(val, trained.predicted(), are_probabilities=True, data=trained.header)
    is_halved = job.halved or (initial is not None and initial.batch_size_halved)
    header = ModelHeader(
        **dict(trained.header),
        run=job.run,
        **windowing_fields(train),
        tuned=tuned,
        cost=cost,
        n_windows={"train": trained.n_drawn, "val": len(val)},
        pretraining=initial.pretraining if initial else None,
        provenance=Provenance(
            **origin(),
            device=device.type,
            threads=job.threads,
            gpus=settings.optimizer.gpus,
            batch_size_halved=is_halved or None,
        ),
    )
    write_model(job.model, StoredModel(state_arrays(network), header))
    outcome.write_history(job.history)
    write_json(job.transfer, trained.manifest)


def peak_bytes(memory: PeakMemory, device: torch.device) -> int:
    """Return the most memory that a training took: of the GPU, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return memory.peak_bytes()


def start(encoder: Encoder, starts_as: str, train: WindowSet, drawn: np.ndarray, seed: int) -> None:
    """Let an encoder take over what the baseline that it starts as learns from some windows.

    Parameters
    ----------
    encoder
        With `start_options`.
    starts_as
        Name of the baseline.
    train
        With a timeline.
    drawn
        Windows whose labels may be used; where these are all, all labels are.
    seed
        Of the fit.

    Raises
    ------
    UserError
        If what was learned does not fit into the windows.
    """
    if len(drawn) < (train.label >= 0).sum():
        rows = train.start[drawn], (train.start + train.length)[drawn]
        order = np.argsort(rows[0], kind="stable")
        train = replace(train, timeline=train.events.only(rows[0][order], rows[1][order]))
    baseline = BASELINES[starts_as](**(encoder.start_options or {}))
    fitted = baseline.fitted(baseline.fit([train], seed))
    encoder.start(fitted, n_samples=int(train.length.max()))


def network_header(settings: FinetuneJobSettings, train: WindowSet) -> NetworkHeader:
    """Return the header of the network that settings and the windows of train give."""
    return NetworkHeader(
        task=settings.task,
        task_options=settings.task_options,
        architecture=settings.architecture,
        architecture_options=settings.architecture_options,
        **data_fields(train),
        embedding_size=settings.embedding_size,
        head_dropout=settings.optimizer.head_dropout,
    )
