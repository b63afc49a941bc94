"""What is measured before an ONNX file is written."""

import numpy as np
import onnx
import pytest

import seqbench.exporting.onnx as exporting
from fixtures.networks import drawn_recordings, network_header, stored_network
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.exporting.graph import WholeModel, example
from seqbench.exporting.onnx import export_onnx
from seqbench.exporting.parity import Parity, check_difference, in_units
from seqbench.exporting.source import one_model
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import write_windows
from seqbench.training.model import load_model
from seqbench.windowing.windows import windows_of


@pytest.fixture
def header():
    return network_header("lstm", "series", "classification")


@pytest.fixture
def model(header, tmp_path):
    return stored_network(tmp_path / "model.safetensors", header)


def test_a_graph_that_scores_otherwise_is_not_written(model, tmp_path, monkeypatch):
    traced = exporting.traced

    def turned_round(*arguments):
        proto = traced(*arguments)
        for node in proto.graph.node:
            if node.op_type == "LSTM":  # the gates of another order
                for tensor in proto.graph.initializer:
                    if tensor.name == node.input[1]:
                        values = np.frombuffer(tensor.raw_data, np.float32)
                        tensor.raw_data = values[::-1].tobytes()
        return proto

    monkeypatch.setattr(exporting, "traced", turned_round)

    with pytest.raises(UserError, match=r"more than 0\.0001; nothing was written"):
        export_onnx(model, tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_convolutions_in_time_are_those_of_images(tmp_path):
    """ONNX Runtime has no fast code for others; norms are in their filters."""
    header = network_header("event_rnn", "series", "classification")
    made = export_onnx(
        stored_network(tmp_path / "model.safetensors", header), tmp_path / "model.onnx"
    )

    graph = onnx.load(made.path).graph
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    filters = [sizes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert [(len(size), size[2]) for size in filters] == [(4, 1)] * len(
        header.architecture_options["widths"]
    )
    norms = [node for node in graph.node if node.op_type == "BatchNormalization"]
    assert len(norms) <= 1  # that of the detrended signal, before the first filter
    assert made.difference <= 1e-5


def test_windows_in_units_are_those_of_the_recordings(header, make_windows):
    windows = make_windows(lengths=(20, 26), noise=0.5)["test"]

    found = list(in_units(windows))

    normal = windows.normalization
    assert {batch.shape[1] for batch in found} == set(windows.length.tolist())
    one = found[0][0]
    first = int(np.flatnonzero(windows.length == len(one))[0])
    stored = windows.signal[windows.start[first] : windows.start[first] + len(one)]
    np.testing.assert_allclose((one - normal.centre) / normal.scale, stored, atol=1e-5)
    assert isinstance(normal, Normalization)


def test_a_baseline_and_an_exported_model_are_refused(header, model, tmp_path):
    made = export_onnx(model, tmp_path / "model.onnx")
    with pytest.raises(UserError, match="exported already"):
        export_onnx(made.path, tmp_path / "again.onnx")
    fields = set(BaselineHeader.model_fields) & set(header.model_dump())
    values = {name: getattr(header, name) for name in fields - {"kind"}}
    baseline = BaselineHeader(**values, baseline="majority")
    write_model(tmp_path / "majority.safetensors", StoredModel({}, baseline))

    with pytest.raises(UserError, match="baseline majority, which is no network"):
        export_onnx(tmp_path / "majority.safetensors", tmp_path / "majority.onnx")


def test_the_command_prints_difference_and_speed(model, tmp_path, capsys):
    main(["export", str(tmp_path)])

    printed = capsys.readouterr().out
    assert f"{tmp_path}/model.onnx: " in printed
    assert "largest difference from the trained model: " in printed
    assert "random windows alone" in printed
    assert "times as fast as torch" in printed


def test_a_file_of_another_name_is_refused(model, tmp_path):
    with pytest.raises(SystemExit, match=r"end it in \.onnx"):
        main(["export", str(model), "--out", str(tmp_path / "model.bin")])


def test_the_windows_of_test_of_the_run_are_compared(header, model, tmp_path):
    from seqbench.prediction.predictor import Predictor

    new = Predictor([model], "cpu").opened(drawn_recordings(header, 64, 41, 64))
    windows, _ = windows_of(new.recordings, header)
    splits = dict.fromkeys(("train", "val", "test"), windows)
    path = tmp_path / "results" / "window" / "drawn" / "windows.h5"
    path.parent.mkdir(parents=True)
    write_windows(path, splits)
    run = tmp_path / "results" / "finetune" / "drawn" / "seed0"
    run.mkdir(parents=True)
    model.rename(run / "model.safetensors")

    made = export_onnx(run, run / "model.onnx")

    assert (made.n_windows, made.graph.measured_on) == (3, "test")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_no_small_difference(model, value):
    _, stored = one_model(model)
    parity = Parity(WholeModel(load_model(stored, model), stored.header), stored.header, None)
    windows = example(stored.header, 2, stored.header.window_samples)
    scores = parity.expected(windows).copy()
    assert parity.difference(windows, scores) == 0
    scores[1] = value

    difference = max(0.0, parity.difference(windows, scores))

    with pytest.raises(UserError, match="differ by inf"):
        check_difference(difference, model, "export")
