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
    from seqbench.storage.models import StoredModel, read_model, write_model
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
    header: dict[str, Any] = {
        "kind": "model",
        "run": identity,
        "task": settings.task,
        "task_options": settings.task_options,
        "architecture": settings.architecture,
        "architecture_options": settings.architecture_options,
        "sample": train.sample,
        "embedding_size": settings.embedding_size,
        "head_dropout": settings.optimizer.head_dropout,
        "channels": train.channels,
        "frame_size": train.frame_size,
        "classes": train.classes,
        "sampling_rate_hz": train.sampling_rate_hz,
        "targets": train.targets.to_json() if train.targets else None,
        "refractory_s": train.timeline.refractory_s if train.timeline else None,
        "window_samples": int(train.length.max()),
        "normalization": train.normalization.to_json(),
    }
    network = build_model(header)
    pretrained = read_model(encoder) if encoder else None
    manifest = (
        transferring.transfer(network.encoder, pretrained.arrays, pretrained.header["objective"])
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
    header["cost"] = outcome.cost("train") | {
        "n_parameters": n_parameters(network),
        "macs_per_window": macs_per_window(network, table.batch(torch.tensor([longest])).x),
        "peak_memory_bytes": gpu_peak_bytes(where) or memory.peak_bytes(),
    }
    if pretrained:
        costs = pretrained.header["cost"]
        header["cost"] |= {key: costs[key] for key in ("pretrain_s", "pretrain_cpu_s")}
        header["pretraining"] = {
            k: pretrained.header[k] for k in ("objective", "watched", "collapse")
        }
    task = TASKS[settings.task](**settings.task_options)
    if task.tunes_on_val:
        answer = predict(network, val, where, header["window_samples"])
        header["tuned"] = task.tune(val, answer, are_probabilities=True)
    header["n_windows"] = {"train": len(drawn), "val": len(val)}
    header["provenance"] = origin() | {"device": where.type, "threads": threads}
    if halved or (pretrained and pretrained.header["batch_size_halved"]):
        header["provenance"]["batch_size_halved"] = True
    write_model(model, StoredModel(state_arrays(network), header))
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
