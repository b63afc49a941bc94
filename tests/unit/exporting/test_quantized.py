"""Weights of 8 bits: smaller, read back, and their loss measured on labelled windows of test."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.networks import drawn_recordings, network_header, stored_network
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.exporting.onnx import export_onnx
from seqbench.exporting.quantized import quantize
from seqbench.prediction.predictor import Predictor
from seqbench.storage.onnx_model import read_onnx
from seqbench.storage.windows import write_windows
from seqbench.windowing.windows import windows_of

N = 40


@pytest.fixture
def run(tmp_path):
    """Return the folder of a run whose labels of test are what its model predicts."""
    header = network_header(
        "lstm", "series", "classification", options={"hidden_size": 48, "n_layers": 1}
    )
    folder = tmp_path / "results" / "finetune" / "drawn" / "seed0"
    folder.mkdir(parents=True)
    model = stored_network(folder / "model.safetensors", header)
    predictor = Predictor([model], "cpu")
    recordings = drawn_recordings(header, *[64] * N)
    windows, _ = windows_of(predictor.opened(recordings).recordings, header)
    label = predictor.predict(recordings).scores.argmax(axis=1).astype(np.int64)
    path = tmp_path / "results" / "window" / "drawn" / "windows.h5"
    path.parent.mkdir(parents=True)
    write_windows(path, dict.fromkeys(("train", "val", "test"), replace(windows, label=label)))
    return folder


def test_weights_of_8_bits_are_smaller_and_their_loss_is_measured(run, capsys):
    whole = export_onnx(run, run / "whole.onnx")

    main(["export", str(run), "--quantize", "int8"])

    exported = run / "model.onnx"
    assert exported.stat().st_size < 0.6 * whole.n_bytes
    assert read_onnx(exported).graph.quantized == "int8"
    printed = capsys.readouterr().out
    assert " on test 1 before" in printed
    after = float(printed.split(" after")[0].split()[-1])
    assert 0.5 < after <= 1


def test_without_windows_of_test_it_is_refused(run):
    made = export_onnx(run, run / "model.onnx")
    before = made.path.read_bytes()
    (run / "model.safetensors").rename(run.parents[4] / "model.safetensors")
    (run.parents[2] / "window" / "drawn" / "windows.h5").unlink()

    with pytest.raises(UserError, match="are not at hand"):
        quantize(made.path, run.parents[4] / "model.safetensors")
    assert made.path.read_bytes() == before
