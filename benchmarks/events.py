"""Measure events: how fast a detector is trained, and how fast and small it is in use."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from common import BUILD, ROOT, windows_of

from seqbench.storage.model_header import ModelHeader
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import WindowSet

EPOCHS = 6
RATE_HZ, N_CHANNELS = 2000, 6
LONG_HOURS, SHORT_MINUTES = 6, 10


def measured(task: str, *arguments: str) -> dict[str, float]:
    """Run a function of this module in a fresh process of one thread and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"from events import {task}; {task}(*{arguments!r})"],
        check=True,
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)


def strikes(device_name: str = "cpu") -> None:
    """Train `event_rnn` on 800 windows of strikes under noise of 0.1 and score it on test."""
    import torch

    from seqbench.config.registry import DATASETS, TASKS
    from seqbench.config.stages import FinetuneSettings
    from seqbench.storage.models import StoredModel, write_model
    from seqbench.tasks.scoring import score
    from seqbench.training.batches import WindowTable
    from seqbench.training.loop import EVALUATION_BATCH, fit
    from seqbench.training.model import build_model, predict
    from seqbench.training.reproducibility import prepare, seed_everything
    from seqbench.training.state import state_arrays
    from seqbench.training.supervised import Finetuning

    device = torch.device(device_name)
    prepare(1, device)
    generator = seed_everything(0)
    splits = windows_of(DATASETS["strikes_windows"](Path(), noise=0.1))
    train, val, test = splits["train"], splits["val"], splits["test"]
    header = header_of(train)
    model = build_model(header).to(device)
    held_out = WindowTable(val, device)
    outcome = fit(
        Finetuning(model, frozen=False, weight=None),
        WindowTable(train, device, torch.Generator().manual_seed(0)),
        torch.arange(len(train)),
        lambda: held_out.batches(EVALUATION_BATCH),
        FinetuneSettings(epochs=EPOCHS, learning_rate=0.003),
        loss_name="val_loss",
        generator=generator,
        label="strikes",
    )
    task = TASKS["detection"]()
    on_val, on_test = (predict(model, part, device, header.window_samples) for part in (val, test))
    header = header.model_copy(
        update={"tuned": task.tune(val, on_val, are_probabilities=True, data=header)}
    )
    found = task.join(test, on_test, are_probabilities=True, tuned=header.tuned)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    write_model(model_path(), StoredModel(state_arrays(model), header))
    f1 = score(task, found, resamples=0)["f1_at_5ms"]["value"]
    cost = {"train_s": outcome.train_s, "train_cpu_s": outcome.train_cpu_s}
    print(json.dumps({"f1": f1, "peak_bytes": peak, **cost}))


def header_of(train: WindowSet) -> ModelHeader:
    """Return the header of an `event_rnn` with its defaults."""
    from seqbench.config.registry import ARCHITECTURES, TASKS

    return ModelHeader(
        run=RunIdentity(
            dataset="strikes", architecture="event_rnn", arm="scratch", labels=1.0, seed=0
        ),
        task="detection",
        task_options=TASKS.entry("detection").options().model_dump(mode="json"),
        architecture="event_rnn",
        architecture_options=ARCHITECTURES.entry("event_rnn").options().model_dump(mode="json"),
        head_dropout=0.1,
        channels=tuple(train.channels),
        classes=tuple(train.classes),
        sampling_rate_hz=train.sampling_rate_hz,
        refractory_s=train.events.refractory_s,
        window_samples=int(train.length.max()),
        normalization=train.normalization.record(),
    )


def model_path() -> Path:
    """Return where `strikes` leaves its model for the others."""
    return BUILD / "events" / "model.safetensors"


def short() -> None:
    """Predict on an array, as a user of the library does."""
    import numpy as np
    import torch

    import seqbench

    torch.set_num_threads(1)
    n_samples = SHORT_MINUTES * 60 * RATE_HZ
    noise = np.random.default_rng(0).normal(scale=0.1, size=(n_samples, N_CHANNELS))
    seqbench.predict(model_path(), noise[: 10 * RATE_HZ], device="cpu")
    began = time.process_time()
    seqbench.predict(model_path(), noise, device="cpu")
    print(json.dumps({"times_real": SHORT_MINUTES * 60 / (time.process_time() - began)}))


def long() -> None:
    """Predict on a file of six hours and 1 GB, as the command line does."""
    import numpy as np
    import torch

    from seqbench.cli.main import main

    torch.set_num_threads(1)
    recording = BUILD / "events" / "long.npy"
    shape = (LONG_HOURS * 3600 * RATE_HZ, N_CHANNELS)
    block = np.random.default_rng(0).normal(scale=0.1, size=(60 * RATE_HZ, N_CHANNELS))
    with recording.open("wb") as file:
        np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
            file, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        for _ in range(LONG_HOURS * 60):
            file.write(block.astype("<f4").tobytes())
    began = time.perf_counter()
    try:
        sys.stdout, standard = sys.stderr, sys.stdout
        words = f"predict --model {model_path()} --recording {recording} --device cpu --out"
        main([*words.split(), str(recording.with_suffix(".csv"))])
    finally:
        sys.stdout = standard
        recording.unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak_bytes": peak, "seconds": time.perf_counter() - began}))
