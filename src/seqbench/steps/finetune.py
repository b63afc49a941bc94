"""Train one run with labels: an encoder, random or pretrained, and the head of its task."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.steps.arguments import TRAINING, add_run, import_all, parse_run, path_parser
from seqbench.steps.training_arguments import (
    add_machine,
    add_state,
    keeping_state,
    train_in_room,
)

if TYPE_CHECKING:
    from seqbench.plan.job_settings import FinetuneJobSettings
    from seqbench.training.state import StateKeeper


def run(
    windows: Path,
    encoder: Path | None,
    settings: FinetuneJobSettings,
    halved: bool,
    identity: dict[str, Any],
    device: str,
    threads: int,
    tensorboard: Path | None,
    keeper: StateKeeper | None,
    model: Path,
    history: Path,
    transfer: Path,
) -> None:
    """Read train and val, train, write the model, its history and the transfer manifest.

    `halved` says that the batch size is half of what the config has; the model tells it.
    """
    import torch

    import seqbench.pretraining.transfer as transferring
    from seqbench.config.registry import TASKS
    from seqbench.process.memory import PeakMemory
    from seqbench.process.origin import origin
    from seqbench.storage.atomic import write_json
    from seqbench.storage.model_header import EncoderHeader, ModelHeader, NetworkHeader
    from seqbench.storage.models import StoredModel, read_as, write_model
    from seqbench.storage.records import Provenance, RunIdentity
    from seqbench.storage.windows import read_windows
    from seqbench.training.batches import WindowTable, label_counts, labelled_subset
    from seqbench.training.calibration import calibrate
    from seqbench.training.cost import gpu_peak_bytes, macs_per_window, n_parameters
    from seqbench.training.devices import claim_device
    from seqbench.training.finetune import (
        Finetuning,
        balanced_weights,
        build_model,
    )
    from seqbench.training.loop import EVALUATION_BATCH, fit
    from seqbench.training.predict import predict
    from seqbench.training.progress import Progress
    from seqbench.training.reproducibility import prepare, seed_everything
    from seqbench.training.state import state_arrays

    memory = PeakMemory()
    where = claim_device(device)
    prepare(threads, where, tf32=settings.optimizer.precision == "tf32")
    generator = seed_everything(identity["seed"])
    train, val = read_windows(windows, "train"), read_windows(windows, "val")
    header = NetworkHeader(
        task=settings.task,
        task_options=settings.task_options,
        architecture=settings.architecture,
        architecture_options=settings.architecture_options,
        sample=train.sample,
        embedding_size=settings.embedding_size,
        head_dropout=settings.optimizer.head_dropout,
        channels=tuple(train.channels),
        frame_size=train.frame_size,
        classes=tuple(train.classes),
        sampling_rate_hz=train.sampling_rate_hz,
        targets=train.targets.record() if train.targets else None,
        refractory_s=train.timeline.refractory_s if train.timeline else None,
    )
    network = build_model(header)
    pretrained = read_as(encoder, EncoderHeader) if encoder else None
    of_encoder = pretrained.header if pretrained else None
    manifest = (
        transferring.transfer(
            network.encoder, pretrained.arrays, pretrained.header.pretraining.objective
        )
        if pretrained
        else transferring.no_transfer()
    )
    if settings.frozen and not pretrained:
        inputs = WindowTable(train, where, with_targets=False)
        calibrate(network.to(where).encoder, inputs, identity["seed"])
    drawn = labelled_subset(train, settings.labels, identity["seed"])
    weight = None
    if settings.optimizer.class_weights == "balanced":
        weight = balanced_weights(label_counts(train, drawn)).to(where)
    augmentation = torch.Generator().manual_seed(identity["seed"] + 1)
    table = WindowTable(train, where, augmentation, keep_to_windows=settings.labels < 1)
    val_table = WindowTable(val, where)
    outcome = fit(
        Finetuning(
            network.to(where),
            frozen=settings.frozen,
            weight=weight,
            unfreeze=settings.optimizer.unfreeze if pretrained else "at_once",
            unfreeze_epochs=settings.optimizer.unfreeze_epochs,
        ),
        table,
        torch.from_numpy(drawn),
        lambda: val_table.batches(EVALUATION_BATCH),
        settings.optimizer,
        loss_name="val_loss",
        generator=generator,
        progress=Progress(
            " ".join(str(part) for part in identity.values()), settings.optimizer.epochs
        ),
        n_full=int((train.label >= 0).sum()),
        tensorboard=tensorboard,
        keeper=keeper,
    )
    longest = int(train.length.argmax())
    window_samples = int(train.length.max())
    cost = outcome.cost("train").model_copy(
        update={
            "n_parameters": n_parameters(network),
            "macs_per_window": macs_per_window(network, table.batch(torch.tensor([longest])).x),
            "peak_memory_bytes": gpu_peak_bytes(where) or memory.peak_bytes(),
            "pretrain_s": of_encoder.cost.pretrain_s if of_encoder else None,
            "pretrain_cpu_s": of_encoder.cost.pretrain_cpu_s if of_encoder else None,
        }
    )
    task = TASKS[settings.task](**settings.task_options)
    tuned: dict[str, Any] = {}
    if task.tunes_on_val:
        answer = predict(network, val, where, window_samples)
        tuned = task.tune(val, answer, are_probabilities=True)
    is_halved = halved or (of_encoder is not None and of_encoder.batch_size_halved)
    trained = ModelHeader(
        **dict(header),
        run=RunIdentity(**identity),
        window_samples=window_samples,
        normalization=train.normalization.record(),
        tuned=tuned,
        cost=cost,
        n_windows={"train": len(drawn), "val": len(val)},
        pretraining=of_encoder.pretraining if of_encoder else None,
        provenance=Provenance(
            **origin(), device=where.type, threads=threads, batch_size_halved=is_halved or None
        ),
    )
    write_model(model, StoredModel(state_arrays(network), trained))
    outcome.write_history(history)
    write_json(transfer, manifest)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    del arguments
    import_all(*TRAINING, "torch.utils.tensorboard")


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import FinetuneJobSettings

    parser = path_parser(__doc__, "windows", "model", "history", "transfer")
    parser.add_argument(
        "--encoder", type=Path, help="a pretrained encoder; without, random weights"
    )
    parser.add_argument("--settings", type=FinetuneJobSettings.from_json, required=True)
    add_run(parser)
    add_machine(parser)
    add_state(parser)
    arguments = parser.parse_args(argv)
    outputs = ("model", "history", "transfer")
    with keeping_state(arguments, ("windows", "encoder"), outputs) as keeper:
        identity = parse_run(arguments)
        train_in_room(partial(run, identity=identity, keeper=keeper), arguments, keeper)


if __name__ == "__main__":
    from seqbench.process.launch import launch

    launch("seqbench.steps.finetune")
