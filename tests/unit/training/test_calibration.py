"""Batch norms of a frozen random encoder normalise train windows."""

import pytest
import torch

from fixtures.trainings import finetune_settings
from seqbench.config.registry import ARCHITECTURES
from seqbench.config.stages import FinetuneSettings
from seqbench.models.base import inside
from seqbench.steps.finetune import main
from seqbench.training import finetune
from seqbench.training.batches import WindowTable
from seqbench.training.calibration import calibrate

CNN = {"widths": (8, 8), "kernel_sizes": (3, 3), "strides": (2, 1), "dropout": 0.5}
OPTIONS = {
    "cnn1d": CNN,
    "event_rnn": CNN | {"hidden_size": 4, "detrend_samples": 8, "jitter": 0.5},
    "lstm": {"hidden_size": 4},
}


def encoder(name, seed=0):
    torch.manual_seed(seed)
    return ARCHITECTURES[name](2, **OPTIONS[name])


def norms(module):
    return {
        name: child
        for name, child in module.named_modules()
        if isinstance(child, torch.nn.modules.batchnorm._BatchNorm)
    }


@pytest.fixture
def table(make_windows):
    """Windows of three lengths, far from mean 0 and deviation 1."""
    windows = make_windows(n_windows=24, lengths=(20, 26, 31))["train"]
    windows.signal[:] = 50 + 7 * windows.signal
    return WindowTable(windows, torch.device("cpu"))


@pytest.mark.parametrize("name", ["cnn1d", "event_rnn"])
def test_what_leaves_a_calibrated_norm_has_mean_0_and_deviation_1(name, table):
    model = encoder(name)
    calibrate(model, table, seed=0)
    batch = table.batch(torch.arange(len(table)))
    values = []
    for norm in norms(model).values():
        norm.register_forward_hook(lambda _, inputs, output: values.append((inputs[1], output)))

    model.eval()(batch.x, batch.lengths)

    assert len(values) == len(OPTIONS[name]["widths"]) + (name == "event_rnn")
    for lengths, output in values:
        features = output.transpose(1, 2)[inside(lengths, output.shape[2], output.device)]
        zeros, ones = torch.zeros(output.shape[1]), torch.ones(output.shape[1])
        torch.testing.assert_close(features.mean(0), zeros, atol=0.05, rtol=0)
        torch.testing.assert_close(features.std(0), ones, atol=0.05, rtol=0)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_calibration_changes_running_statistics_alone(name, table):
    model, untouched = encoder(name).train(), encoder(name)
    random_state = torch.get_rng_state()

    calibrate(model, table, seed=0)

    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(module.training for module in model.modules())
    assert [norm.momentum for norm in norms(model).values()] == [
        norm.momentum for norm in norms(untouched).values()
    ]
    for (key, value), (_, before) in zip(
        model.state_dict().items(), untouched.state_dict().items(), strict=True
    ):
        is_statistic = "running" in key or "num_batches" in key
        assert torch.equal(value, before) != is_statistic, key


def test_calibration_repeats_to_the_bit(table):
    first, second = encoder("event_rnn"), encoder("event_rnn")
    calibrate(first, table, seed=3)
    second.train()(table.batch(torch.arange(4)).x)  # statistics of before do not count

    calibrate(second, table, seed=3)

    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


@pytest.mark.parametrize(("frozen", "is_calibrated"), [(True, True), (False, False)])
def test_the_step_calibrates_a_frozen_random_encoder(
    frozen, is_calibrated, make_windows, tmp_path, monkeypatch
):
    calls = []
    monkeypatch.setattr(finetune, "calibrate", lambda *_: calls.append(1))
    settings = finetune_settings(
        FinetuneSettings(epochs=1), architecture_options=CNN, frozen=frozen
    )
    make_windows(tmp_path / "windows.h5")
    paths = {name: tmp_path / name for name in ("model", "history", "transfer")}
    options = paths | {"windows": tmp_path / "windows.h5", "settings": settings.to_json()}
    run = {"dataset": "d", "architecture": "cnn1d", "arm": "a", "labels": 1.0, "seed": 0}

    main([word for name, value in (options | run).items() for word in (f"--{name}", str(value))])

    assert bool(calls) == is_calibrated
