"""The way of an engineer with recordings of bells: config, `snakemake`, `seqbench predict`."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqbench import layout
from seqbench.config.registry import DATASETS
from seqbench.plan.plan import Run
from seqbench.tasks.detection.matching import match

pytestmark = pytest.mark.workflow

CONFIG = """
runs:
  - datasets: [my_bells]
    architectures: [event_rnn]
    seeds: [0]
baselines: [metronome, matched_filter]
datasets:
  my_bells:
    source: folder
    path: PATH
    task: detection
    sampling_rate_hz: 1600
    refractory_s: 1.9
    split: {val: [val0], test: [test0]}
architectures:
  event_rnn: {widths: [16, 32], kernel_sizes: [41, 19], hidden_size: 16, jitter: 0.1, dropout: 0}
finetune: {epochs: 12, min_steps_per_epoch: 25, batch_size: 16, learning_rate: 0.005}
tensorboard: false
"""
RATE_HZ = 1600


@pytest.fixture(scope="module")
def bells(tmp_path_factory):
    """Recordings of four bells as npy files, events as CSV; channels differ in unit and offset."""
    folder = tmp_path_factory.mktemp("data") / "my_bells"
    (folder / "recordings").mkdir(parents=True)
    made = DATASETS["strikes_continuous"](
        Path(),
        schedule="change_ringing",
        n_types=4,
        n_channels=4,
        train_s=90.0,
        val_s=25.0,
        test_s=25.0,
        sampling_rate_hz=float(RATE_HZ),
        snr_db=18.0,
    )
    for name, signal in zip(made.names, made.signals, strict=True):
        np.save(folder / "recordings" / f"{name}.npy", signal)
    with (folder / "events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("recording", "onset_s", "label"))
        for recording, label, start in zip(
            made.label_recording, made.label, made.label_start, strict=True
        ):
            writer.writerow((made.names[recording], start / RATE_HZ, made.classes[label]))
    return folder


@pytest.fixture(scope="module")
def results(bells, snakemake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bells")
    (folder / "mine.yaml").write_text(CONFIG.replace("PATH", str(bells)))
    done = snakemake(folder=folder, config=folder / "mine.yaml")
    assert done.returncode == 0, done.output[-4000:]
    return folder


@pytest.fixture(scope="module")
def model(results):
    run = Run("my_bells", "event_rnn", "scratch", "1", 0)
    return results / run.fill(layout.MODEL)


def predicted(*words):
    command = [sys.executable, "-m", "seqbench.cli", "predict", "--device", "cpu"]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def onsets(rows, label):
    return np.array(
        [round(float(row["onset_s"]) * RATE_HZ) for row in rows if row["label"] == label]
    )


def test_the_model_names_and_times_strikes_between_floor_and_ceiling(results):
    with (results / layout.SUMMARY).open() as file:
        test = {
            (row["architecture"], row["metric"]): float(row["value"])
            for row in csv.DictReader(file)
            if row["split"] == "test"
        }

    assert test["event_rnn", "f1_at_5ms"] > 0.9
    assert test["event_rnn", "onset_mae_ms"] < 1
    assert test["event_rnn", "refractory_violations"] == 0
    assert test["metronome", "f1_at_5ms"] < 0.3 < 0.9 < test["matched_filter", "f1_at_5ms"]


def test_the_model_finds_the_events_of_a_new_file(bells, model, tmp_path):
    out = tmp_path / "events.csv"

    predicted("--model", model, "--recording", bells / "recordings" / "test0.npy", "--out", out)

    with out.open() as file:
        found = list(csv.DictReader(file))
    with (bells / "events.csv").open() as file:
        there = [row for row in csv.DictReader(file) if row["recording"] == "test0"]
    hits = sum(
        len(match(onsets(there, label), onsets(found, label), 8)[0])  # 8 samples are 5 ms
        for label in {row["label"] for row in there}
    )
    assert 2 * hits / (len(there) + len(found)) > 0.9


def test_a_stream_gives_the_events_of_the_file(bells, model, tmp_path):
    recording = bells / "recordings" / "test0.npy"
    raw = tmp_path / "test0.raw"
    raw.write_bytes(np.load(recording).astype("<f4").tobytes())

    streamed = predicted(
        *("--model", model, "--recording", raw, "--stream", "--kind", "raw", "--idle-s", 0.1)
    )

    whole = predicted("--model", model, "--recording", recording)
    table = [list(csv.DictReader(text.splitlines())) for text in (streamed, whole)]
    times = [sorted((row["label"], float(row["onset_s"])) for row in rows) for rows in table]
    assert [label for label, _ in times[0]] == [label for label, _ in times[1]]
    np.testing.assert_allclose([t for _, t in times[0]], [t for _, t in times[1]], atol=1e-5)
