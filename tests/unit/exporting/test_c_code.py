"""C files: compiled anew and called on recorded windows, they score as the ONNX file does."""

import ctypes
import subprocess

import numpy as np
import pytest

from fixtures.networks import WINDOW, drawn_recordings, network_header, stored_network
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.exporting.c_code import export_c
from seqbench.exporting.onnx import export_onnx
from seqbench.prediction.onnx_model import OnnxNetwork
from seqbench.storage.onnx_model import read_onnx

FORWARD = {"bidirectional": False}
CASES = [
    ("lstm", "detection", FORWARD),
    ("gru", "classification", FORWARD),
    ("rnn", "labelling", FORWARD),
    ("cnn1d", "forecasting", {}),
    ("event_pursuit", "detection", {}),
    ("transformer", "regression", {"causal": True}),
]


def called(source, windows, shape):
    """Return what a C file gives for windows (B, T, C), compiled by hand."""
    library = source.with_suffix(".so")
    command = ["cc", "-O2", "-Wall", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
    subprocess.run(command, check=True)
    function = ctypes.CDLL(str(library)).seqbench_model
    function.restype = None
    scores = np.zeros((len(windows), *shape), np.float32)
    for window, score in zip(windows, scores, strict=True):
        given = np.ascontiguousarray(window)
        function(given.ctypes.data_as(ctypes.c_void_p), score.ctypes.data_as(ctypes.c_void_p))
    return scores


@pytest.mark.parametrize(("architecture", "task", "options"), CASES)
def test_a_c_file_scores_as_onnx_runtime(architecture, task, options, tmp_path):
    header = network_header(architecture, "series", task, options=options)
    model = stored_network(tmp_path / "model.safetensors", header)
    exported = export_onnx(model, tmp_path / "model.onnx").path

    made = export_c(model, tmp_path / "model.c")

    (recording,) = drawn_recordings(header, 9 * WINDOW)
    windows = recording.reshape(9, WINDOW, 3)
    expected = OnnxNetwork(read_onnx(exported), exported)(windows)
    scale = 200 if header.targets else 1  # of values in units
    n_samples = expected.shape[1]
    found = called(made.path, windows, shape_of(made.signature))[:, :n_samples]
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)
    assert made.flash_bytes > 1000
    assert made.ram_bytes >= windows[0].nbytes
    assert made.window_s > 0
    assert "malloc" not in made.path.read_text()


def shape_of(signature):
    """Return the shape of the scores of one window, from the signature of the function."""
    sides = signature.split("scores")[1].strip("[]);").split("][")
    return tuple(int(side) for side in sides[1:])


def test_the_command_prints_size_and_difference(tmp_path, capsys):
    header = network_header("gru", "series", "classification", options=FORWARD)
    model = stored_network(tmp_path / "model.safetensors", header)

    main(["export", str(model), "--to", "c"])

    printed = capsys.readouterr().out
    for part in ("model.c: void seqbench_model(", "largest difference", "flash ", "RAM ", " us "):
        assert part in printed


def test_a_model_that_reads_backwards_is_refused(tmp_path):
    model = stored_network(
        tmp_path / "model.safetensors", network_header("lstm", "series", "detection")
    )

    with pytest.raises(UserError, match="from their end to their start"):
        export_c(model, tmp_path / "model.c")
    assert not (tmp_path / "model.c").exists()


def test_without_a_compiler_nothing_is_written(tmp_path, monkeypatch):
    model = stored_network(
        tmp_path / "model.safetensors",
        network_header("gru", "series", "labelling", options=FORWARD),
    )
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(UserError, match="install one"):
        export_c(model, tmp_path / "model.c")
    assert not (tmp_path / "model.c").exists()
