"""Pretraining: an objective, train windows, no labels."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.config.registry import OBJECTIVES
from seqbench.errors import UserError
from seqbench.models.base import inside
from seqbench.models.embedding import build_encoder
from seqbench.plan.job_settings import PretrainJobSettings
from seqbench.pretraining.base import Objective
from seqbench.pretraining.representation import effective_rank
from seqbench.process.memory import limit_bytes
from seqbench.storage.model_header import EncoderHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import PretrainingOutcome
from seqbench.storage.windows import WindowSet, read_windows
from seqbench.training.batches import Batch, WindowTable
from seqbench.training.devices import claim_device
from seqbench.training.division import divided
from seqbench.training.job import TrainingJob, run_training
from seqbench.training.loop import EVALUATION_BATCH, fit
from seqbench.training.reproducibility import prepare, seed_everything
from seqbench.training.state import StateKeeper, state_arrays
from seqbench.training.trainable import Trainable

LEAST_RANK = 2.0
COURSE = {"epoch", "steps", "learning_rate", "gradient_norm", "seconds"}  # of training itself


@dataclass(frozen=True, kw_only=True)
class PretrainJob(TrainingJob):
    """One encoder to train without labels; see `TrainingJob` for the rest.

    Parameters
    ----------
    dataset
        Whose windows these are.
    seed
        Of all random draws.
    encoder, history
        Files that are written, the second CSV.
    """

    settings: PretrainJobSettings
    dataset: str
    seed: int
    encoder: Path
    history: Path

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return [self.encoder, self.history]

    @property
    def names(self) -> dict[str, object]:
        """The seed."""
        return {"seed": self.seed}


def pretrain(job: PretrainJob) -> None:
    """Train an objective on train; write its encoder and history."""
    run_training(job, _pretrain)


def _pretrain(job: PretrainJob, keeper: StateKeeper | None) -> None:
    settings = job.settings
    device = claim_device(job.device)
    prepare(job.threads, device, precision=settings.optimizer.precision)
    generator = seed_everything(job.seed)
    limit = limit_bytes(job.memory_limit)
    train = read_windows(job.windows, "train", labels=False, memory_limit_bytes=limit)
    table = WindowTable(train, device, with_targets=False)
    learned, watched = hold_out(train, settings.optimizer.monitor, job.seed)
    objective = build_objective(settings, len(train.channels), train.sampling_rate_hz).to(device)
    with divided(Pretraining(objective), job.ranks) as trainable:
        outcome = fit(
            trainable,
            table,
            learned,
            lambda: table.batches(EVALUATION_BATCH, watched),
            settings.optimizer,
            loss_name="monitor_loss",
            generator=generator,
            label=f"{settings.objective} of {settings.architecture}",
            curves=job.curves,
            keeper=keeper,
        )
    outcome = replace(outcome, train_cpu_s=job.of_all(outcome.train_cpu_s))
    if not job.writes:
        return
    kept = outcome.history[outcome.best_epoch - 1]
    header = EncoderHeader(
        architecture=settings.architecture,
        architecture_options=settings.architecture_options,
        sample=train.sample,
        channels=tuple(train.channels),
        frame_size=train.frame_size,
        sampling_rate_hz=train.sampling_rate_hz,
        objective_options=settings.objective_options,
        optimizer=settings.optimizer.model_dump(mode="json"),
        seed=job.seed,
        batch_size_halved=job.halved,
        cost=outcome.cost("pretrain"),
        pretraining=PretrainingOutcome(
            objective=settings.objective,
            dataset=job.dataset,
            watched={name: value for name, value in kept.items() if name not in COURSE},
            collapse=collapse(kept),
        ),
    )
    write_model(job.encoder, StoredModel(state_arrays(objective.encoder), header))
    outcome.write_history(job.history)


class Pretraining(Trainable):
    """An objective as the loop wants it."""

    module: Objective

    def __init__(self, objective: Objective) -> None:
        self.module = objective

    def loss(self, batch: Batch) -> Tensor:
        """Return the objective's loss."""
        x = self.module.prepare(batch.x, batch.lengths)
        return self.module.loss(x, batch.lengths)

    def divisible(self) -> tuple[nn.Module, str]:
        """Return the encoder: views and losses are of whole batches."""
        return self.module.encoder, "encode"

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss on held-out windows, and signs of collapse."""
        x = self.module.prepare(batch.x, batch.lengths)
        watched = {"monitor_loss": self.module.loss(x, batch.lengths)}
        watched |= self.module.watch(x, batch.lengths)
        encoder = self.module.encoder
        frames = encoder.encode(x, batch.lengths)
        steps = encoder.frame_lengths(batch.lengths)
        if steps is not None:
            frames = frames[inside(steps, frames.shape[1], frames.device)]
        return watched | {"effective_rank": effective_rank(frames.flatten(0, -2))}

    def memory(self) -> dict[str, Tensor]:
        """Return what the objective keeps beside weights."""
        return self.module.memory()

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Hand it back to the objective."""
        self.module.recall(memory)


def collapse(watched: dict[str, float]) -> str | None:
    """Return why an encoder holds too little to be of use, or None without a sign of it.

    Parameters
    ----------
    watched
        Means over held-out windows in the epoch whose weights were kept.
    """
    if watched["effective_rank"] < LEAST_RANK:
        return f"its frames differ in {watched['effective_rank']:.1f} directions"
    if watched.get("active_units", 1.0) == 0:
        return "no unit of its latent vector is active"
    if watched.get("error_over_mean", 0.0) >= 1:
        return "it rebuilds no better than the mean does"
    return None


def build_objective(
    job: PretrainJobSettings, n_channels: int, sampling_rate_hz: float | None
) -> Objective:
    """Build the encoder and the objective around it."""
    encoder = build_encoder(
        job.architecture, job.architecture_options, n_channels, sampling_rate_hz=sampling_rate_hz
    )
    objective: Objective = OBJECTIVES[job.objective](encoder, n_channels, **job.objective_options)
    return objective


def hold_out(windows: WindowSet, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Divide train windows into those to learn from and those to watch, by whole groups.

    Of a single group the windows at the end of its signal are watched, and
    those that reach into them are left out of both.

    Returns
    -------
    tuple of Tensor
        Indices to learn from and to watch; at least one of each.

    Raises
    ------
    UserError
        If a single group is too short to hold anything out.
    """
    group = np.array([windows.groups[i] for i in windows.recording])
    names = np.unique(group)
    if len(names) > 1:
        n_watched = max(1, round(fraction * len(names)))
        watched = np.random.default_rng(seed).permutation(names)[:n_watched]
        is_watched = np.isin(group, watched)
        is_learned = ~is_watched
    else:
        n_watched = max(1, round(fraction * len(windows)))
        cut = np.sort(windows.start)[-n_watched]
        is_watched = windows.start >= cut
        is_learned = windows.start + windows.length <= cut
    if not is_learned.any():
        raise UserError(
            "pretraining holds out a fraction of train to watch, and nothing is left to learn from;"
            " cut shorter windows (`window.length_samples`) or add recordings"
        )
    return (
        torch.from_numpy(np.flatnonzero(is_learned)),
        torch.from_numpy(np.flatnonzero(is_watched)),
    )
