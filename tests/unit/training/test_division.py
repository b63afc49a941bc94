"""Trainings in two processes have the losses of one, whatever is trained.

This file is also what the processes run: each trains all, and the first writes what came out.
"""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fixtures.trainings import network_header
from fixtures.windows import class_windows, event_windows
from seqbench.config.registry import ARCHITECTURES, OBJECTIVES, TASKS
from seqbench.config.stages import FinetuneSettings
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.training.batches import WindowTable
from seqbench.training.division import divided
from seqbench.training.loop import fit
from seqbench.training.model import Model
from seqbench.training.pretrain import Pretraining
from seqbench.training.ranks import joined
from seqbench.training.reproducibility import seed_everything
from seqbench.training.supervised import Finetuning

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")
CNN = {"widths": (4, 4), "kernel_sizes": (3, 3), "strides": (2, 1), "dropout": 0.0}
OF_OBJECTIVES = {
    "autoencoder": {"latent_size": 4, "compression_samples": 5, "decoder_size": 8},
    "vae": {"latent_size": 4, "compression_samples": 5, "decoder_size": 8},
}


def classifier(**options):
    """Return what classifies windows of several lengths, in batches of 4, 4 and 3."""
    encoder = ARCHITECTURES["cnn1d"](2, **CNN)
    network = Model(encoder, ClassificationHead(encoder, 2, dropout=0.0))
    weight = torch.tensor([0.2, 1.8])
    return Finetuning(network, frozen=options.pop("frozen", False), weight=weight, **options)


def detector():
    """Return what detects events in windows that move."""
    encoder = ARCHITECTURES["event_rnn"](2, widths=(4,), kernel_sizes=(3,), strides=(2,),
                                         hidden_size=4, jitter=0.0, dropout=0.0)  # fmt: skip
    head = TASKS["detection"]().head(encoder, network_header(task="detection", refractory_s=0.25))
    return Finetuning(Model(encoder, head), frozen=False, weight=None)


def pretraining(name):
    """Return a function that makes what pretrains an encoder."""

    def make():
        encoder = ARCHITECTURES["cnn1d"](2, **CNN)
        return Pretraining(OBJECTIVES[name](encoder, 2, **OF_OBJECTIVES.get(name, {})))

    return make


class Dropping(nn.Module):
    """Half of all values, drawn anew."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x, lengths=None):
        return nn.functional.dropout(self.weight * x, 0.5, self.training)


def draws(ranks):
    """Return the values of two windows, one of each process, and a draw after them, of both."""
    network = Dropping()
    trainable = SimpleNamespace(module=network, divisible=lambda: (network, "forward"),
                                starts_fitted=False, loss=None)  # fmt: skip
    with divided(trainable, ranks):
        values = network(torch.ones(2, 40))
    after = float(torch.rand(()))
    return {"values": values.detach(), "after": (after, ranks.total(after))}


def watched(ranks):
    """Return what the first process sees where each sees another loss, and the sum of all."""
    network, own = Dropping(), {"val_loss": torch.tensor(1.0 + ranks.rank)}
    trainable = SimpleNamespace(module=network, divisible=lambda: (network, "forward"),
                                starts_fitted=False, loss=None, watch=lambda _: own)  # fmt: skip
    with divided(trainable, ranks) as one:
        seen = float(one.watch(None)["val_loss"])
    return seen, ranks.total(seen)


RAGGED = {"n_windows": 11, "lengths": (20, 26), "noise": 0.5}
CASES = {
    "ragged": (classifier, RAGGED, {}),
    "changed": (lambda: classifier(augment=("jitter", "shift"), seed=5), RAGGED, {}),
    "frozen": (lambda: classifier(frozen=True), RAGGED, {}),
    "layer_wise": (lambda: classifier(unfreeze="layer_wise", unfreeze_epochs=3), RAGGED, {}),
    "average": (classifier, RAGGED, {"ema": 0.9}),
    "early_stop": (classifier, RAGGED, {"learning_rate": 0.2, "patience_epochs": 1, "epochs": 9}),
    "one_window": (classifier, {"n_windows": 3, "noise": 0.5}, {"batch_size": 2}),
    "events": (detector, None, {}),
    **{name: (pretraining(name), RAGGED, {}) for name in OBJECTIVES},
}


def trained(case, ranks=None):
    """Return history, weights and statistics of a training."""
    make, of_windows, settings = CASES[case]
    windows = event_windows() if of_windows is None else class_windows(**of_windows)
    generator = seed_everything(3)
    trainable = make()
    table = WindowTable(windows["train"], CPU, torch.Generator().manual_seed(4))
    val = WindowTable(windows["val"], CPU)
    options = {"epochs": 3, "batch_size": 5, "min_steps_per_epoch": 4, "learning_rate": 0.01}
    with divided(trainable, ranks) as one:
        outcome = fit(
            one,
            table,
            torch.arange(len(table)),
            lambda: val.batches(4),
            FinetuneSettings(**options | settings),
            loss_name="val_loss" if isinstance(trainable, Finetuning) else "monitor_loss",
            generator=generator,
            label=case,
        )
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in outcome.history]
    return {"history": rows, "weights": trainable.module.state_dict()}


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """Return what each case came to in two processes."""
    file = tmp_path_factory.mktemp("two") / "trained.pt"
    command = ["torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    command.append(f"--log-dir={file.parent / 'logs'}")  # else in a folder that stays
    done = subprocess.run(
        [sys.executable, "-m", *command, "--nproc-per-node=2", __file__, str(file)],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return torch.load(file)


@pytest.mark.parametrize("case", CASES)
def test_losses_and_weights_are_those_of_one_process(case, of_two):
    one, two = trained(case), of_two[case]

    assert len(two["history"]) == len(one["history"])
    for row_of_one, row_of_two in zip(one["history"], two["history"], strict=True):
        assert row_of_two == pytest.approx(row_of_one, rel=1e-3, abs=1e-5)
    for name, tensor in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], tensor, rtol=1e-2, atol=1e-4)


def test_processes_drop_different_features_and_go_on_with_the_same_draws(of_two):
    first, second = of_two["draws"]["values"]
    after, of_both = of_two["draws"]["after"]

    assert set(first.tolist()) == set(second.tolist()) == {0, 2}
    assert not torch.equal(first, second)
    assert of_both == 2 * after


def test_all_processes_decide_by_the_held_out_loss_of_the_first(of_two):
    assert of_two["watched"] == (1.0, 2.0)


def test_an_early_stop_is_early():
    assert len(trained("early_stop")["history"]) < 9


def main(file):
    with joined(2, CPU) as ranks:
        found = {case: trained(case, ranks) for case in CASES}
        found |= {"draws": draws(ranks), "watched": watched(ranks)}
        if ranks.is_first:
            torch.save(found, file)


if __name__ == "__main__":
    main(sys.argv[1])
