"""Train an encoder on the train windows of a dataset, without their labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqbench.steps.arguments import TRAINING, import_all, path_parser
from seqbench.steps.training_arguments import (
    add_machine,
    add_state,
    keeping_state,
    train_in_room,
)

if TYPE_CHECKING:
    from seqbench.plan.job_settings import PretrainJobSettings
    from seqbench.training.state import StateKeeper


COURSE = {"epoch", "steps", "learning_rate", "gradient_norm", "seconds"}  # of training itself


def run(
    windows: Path,
    settings: PretrainJobSettings,
    halved: bool,
    seed: int,
    device: str,
    threads: int,
    tensorboard: Path | None,
    keeper: StateKeeper | None,
    encoder: Path,
    history: Path,
) -> None:
    """Read train, train the objective, write the encoder and its history.

    `halved` says that the batch size is half of what the config has; the encoder tells it.
    """
    from seqbench.storage.model_header import EncoderHeader
    from seqbench.storage.models import StoredModel, write_model
    from seqbench.storage.records import PretrainingOutcome
    from seqbench.storage.windows import read_windows
    from seqbench.training.batches import WindowTable
    from seqbench.training.devices import claim_device
    from seqbench.training.loop import EVALUATION_BATCH, fit
    from seqbench.training.pretrain import Pretraining, build_objective, collapse, hold_out
    from seqbench.training.progress import Progress
    from seqbench.training.reproducibility import prepare, seed_everything
    from seqbench.training.state import state_arrays

    where = claim_device(device)
    prepare(threads, where, tf32=settings.optimizer.precision == "tf32")
    generator = seed_everything(seed)
    train = read_windows(windows, "train", labels=False)
    table = WindowTable(train, where, with_targets=False)
    learned, watched = hold_out(train, settings.optimizer.monitor, seed)
    objective = build_objective(settings, len(train.channels)).to(where)
    outcome = fit(
        Pretraining(objective),
        table,
        learned,
        lambda: table.batches(EVALUATION_BATCH, watched),
        settings.optimizer,
        loss_name="monitor_loss",
        generator=generator,
        progress=Progress(
            f"{settings.objective} of {settings.architecture}", settings.optimizer.epochs
        ),
        tensorboard=tensorboard,
        keeper=keeper,
    )
    kept = outcome.history[outcome.best_epoch - 1]
    header = EncoderHeader(
        architecture=settings.architecture,
        architecture_options=settings.architecture_options,
        objective_options=settings.objective_options,
        optimizer=settings.optimizer.model_dump(mode="json"),
        seed=seed,
        batch_size_halved=halved,
        cost=outcome.cost("pretrain"),
        pretraining=PretrainingOutcome(
            objective=settings.objective,
            watched={name: value for name, value in kept.items() if name not in COURSE},
            collapse=collapse(kept),
        ),
    )
    write_model(encoder, StoredModel(state_arrays(objective.encoder), header))
    outcome.write_history(history)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    del arguments
    import_all(*TRAINING, "seqbench.training.pretrain", "torch.utils.tensorboard")


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import PretrainJobSettings

    parser = path_parser(__doc__, "windows", "encoder", "history")
    parser.add_argument("--settings", type=PretrainJobSettings.from_json, required=True)
    parser.add_argument("--seed", type=int, required=True)
    add_machine(parser)
    add_state(parser)
    arguments = parser.parse_args(argv)
    with keeping_state(arguments, ("windows",), ("encoder", "history")) as keeper:
        train_in_room(partial(run, keeper=keeper), arguments, keeper)


if __name__ == "__main__":
    from seqbench.process.launch import launch

    launch("seqbench.steps.pretrain")
