"""Exported models predict without torch, and edited files are refused in one sentence."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import seqbench
from fixtures.networks import drawn_recordings, network_header, stored_network
from seqbench.errors import UserError
from seqbench.exporting.onnx import export_onnx
from seqbench.prediction.event_finder import EventFinder
from seqbench.storage import onnx_model
from seqbench.storage.onnx_model import GraphRecord, read_onnx, sealed

N_SAMPLES = 6007
HEAVY = ("torch", "pandas", "sklearn", "scipy", "matplotlib", "snakemake", "h5py", "yaml")


@pytest.fixture(scope="module")
def exported(knocks, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    export_onnx(knocks.model, path)
    return path


@pytest.fixture(scope="module")
def recording(knocks, tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "knocks.csv"
    signal = knocks.recording(knocks.drawn(N_SAMPLES), N_SAMPLES)
    np.savetxt(path, signal, fmt="%.9g", delimiter=",", header="x,y,z", comments="")
    return path


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    """Return a causal model of detection, and what is exported from it."""
    header = network_header(
        "event_rnn", "series", "detection", options={"bidirectional": False, "look_ahead_ms": 200}
    )
    model = stored_network(tmp_path_factory.mktemp("causal") / "model.safetensors", header)
    return model, export_onnx(model, model.with_suffix(".onnx")).path


def without_torch(*arguments: str) -> str:
    """Return what a command prints where packages that take long to import are missing."""
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {HEAVY}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from seqbench.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_cells(found: str, expected: str) -> None:
    rows, others = ([line.split(",") for line in text.splitlines()] for text in (found, expected))
    assert len(rows) == len(others) > 3
    for row, other in zip(rows, others, strict=True):
        for cell, same in zip(row, other, strict=True):
            try:
                assert float(cell) == pytest.approx(float(same), abs=2e-4)
            except ValueError:
                assert cell == same


def test_events_of_a_file_and_of_a_stream_need_no_torch(knocks, exported, recording, capsys):
    from seqbench.cli.main import main

    arguments = ["predict", "--recording", str(recording), "--model"]
    main([*arguments, str(knocks.model), "--device", "cpu"])
    expected = capsys.readouterr().out

    same_cells(without_torch(*arguments, str(exported)), expected)
    streamed = without_torch(*arguments, str(exported), "--stream")
    same_cells("\n".join(sorted(streamed.splitlines())), "\n".join(sorted(expected.splitlines())))


def test_events_of_a_causal_model_need_no_torch(causal, tmp_path, capsys):
    from seqbench.cli.main import main

    model, exported = causal
    (signal,) = drawn_recordings(read_onnx(exported).header, 3001)
    recording = tmp_path / "walk.csv"
    np.savetxt(recording, signal, fmt="%.9g", delimiter=",", header="x,y,z", comments="")
    arguments = ["predict", "--recording", str(recording), "--model"]
    main([*arguments, str(model), "--device", "cpu"])
    expected = capsys.readouterr().out

    same_cells(without_torch(*arguments, str(exported)), expected)
    streamed = without_torch(*arguments, str(exported), "--stream")
    same_cells("\n".join(sorted(streamed.splitlines())), "\n".join(sorted(expected.splitlines())))


def test_a_stream_takes_the_threads_that_are_given(exported, recording, monkeypatch):
    from seqbench.cli.main import main

    given, session = [], onnxruntime.InferenceSession

    def opened(data, options, **more):
        given.append(options.intra_op_num_threads)
        return session(data, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    arguments = ["--model", str(exported), "--recording", str(recording)]

    main(["predict", *arguments, "--stream", "--idle-s", "0", "--threads", "2"])

    assert given == [2]


@pytest.mark.parametrize("task", ["classification", "labelling", "regression", "forecasting"])
def test_classes_and_values_need_no_torch(task, tmp_path, capsys):
    from seqbench.cli.main import main

    header = network_header("lstm", "series", task)
    model = stored_network(tmp_path / "model.safetensors", header)
    made = export_onnx(model, tmp_path / "model.onnx")
    for name, signal in zip("abcd", drawn_recordings(header, 64, 64, 70, 90), strict=True):
        np.savetxt(tmp_path / f"{name}.csv", signal, fmt="%.9g", delimiter=",", header="x,y,z")
    recordings = [str(tmp_path / f"{name}.csv") for name in "abcd"]

    arguments = ["predict", "--recording", *recordings, "--model"]
    main([*arguments, str(model), "--device", "cpu"])
    same_cells(without_torch(*arguments, str(made.path)), capsys.readouterr().out)


def test_exported_models_are_averaged_with_each_other(tmp_path):
    header = network_header("gru", "series", "classification")
    models = [stored_network(tmp_path / f"{i}.safetensors", header, seed=i) for i in (0, 1)]
    exported = [export_onnx(model, model.with_suffix(".onnx")).path for model in models]
    recordings = drawn_recordings(header, 64, 90)

    expected = seqbench.load(models, "cpu").predict(recordings)
    found = seqbench.load(exported, "cpu").predict(recordings)

    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
    with pytest.raises(UserError, match="not averaged"):
        seqbench.load([models[0], exported[1]])


def test_a_recording_on_another_scale_is_noticed(knocks, exported, caplog):
    signal = knocks.recording(knocks.drawn(N_SAMPLES), N_SAMPLES)

    warned = []
    for model in (knocks.model, exported):
        for factor in (1, 1000):
            caplog.clear()
            seqbench.load(model, "cpu").predict(factor * signal)
            warned.append([record.getMessage() for record in caplog.records])

    assert warned[:2] == warned[2:]
    assert len(warned[2]) < len(warned[3]) == 3


# What others could put into a file.


def edited(path: Path, source: Path, edit) -> Path:
    """Write a file with its graph and header edited, and sealed again."""
    stored = read_onnx(source)
    proto = onnx.load_model_from_string(stored.data)
    header, graph = stored.header.model_dump(mode="json"), stored.graph.model_dump(mode="json")
    edit(proto, header, graph)
    path.write_bytes(sealed(proto, _Text(header), _Text(graph)))
    return path


class _Text:
    """Any JSON value in the place of a record."""

    def __init__(self, values) -> None:
        self.values = values

    def model_dump_json(self) -> str:
        return json.dumps(self.values)


def refusal(path: Path) -> str:
    began = time.process_time()
    with pytest.raises(UserError) as caught:
        seqbench.load(path).predict(np.zeros((1000, 3), np.float32))
    assert time.process_time() - began < 5
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert len(sentence.splitlines()) == 1
    assert len(sentence) < 700
    return sentence


def in_another_file(proto, header, graph):
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def huge_array(proto, header, graph):
    proto.graph.initializer[0].dims[:] = [2**40]


def huge_constant(proto, header, graph):
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "huge")
    tensor.dims[:] = [2**20, 2**20]
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["huge"], value=tensor))


def other_operator(proto, header, graph):
    proto.graph.node[0].op_type = "ReadFile"


def other_domain(proto, header, graph):
    proto.opset_import.add(domain="evil.example", version=1)


def of_other_domain(proto, header, graph):
    proto.graph.node[0].domain = "com.microsoft"


def own_function(proto, header, graph):
    proto.functions.add(name="f", domain="")


def inner_graph(proto, header, graph):
    inner = helper.make_graph([], "inner", [], [])
    proto.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def other_input(proto, header, graph):
    proto.graph.input.add(name="more")


def no_nodes(proto, header, graph):
    del proto.graph.node[:]


def other_shape(proto, header, graph):
    for node in proto.graph.node:
        for i, name in enumerate(node.output):
            if name == "scores":
                node.output[i] = "before"
    proto.graph.node.append(helper.make_node("Transpose", ["before"], ["scores"]))


def wrong_weights(proto, header, graph):
    for tensor in proto.graph.initializer:
        if len(tensor.dims) == 3:
            tensor.dims[:] = [tensor.dims[1], tensor.dims[0], tensor.dims[2]]


def not_a_number(proto, header, graph):
    for tensor in proto.graph.initializer:
        if len(tensor.dims) == 3:
            nan = np.full(tuple(tensor.dims), np.nan, np.float32)
            tensor.CopyFrom(numpy_helper.from_array(nan, tensor.name))


HOSTILE = {
    "external data": (in_another_file, "is in another file"),
    "huge array": (huge_array, "is larger than the file"),
    "huge constant": (huge_constant, "is larger than the file"),
    "unknown operator": (other_operator, "ReadFile"),
    "unknown domain": (other_domain, "evil.example"),
    "operator of another domain": (of_other_domain, "com.microsoft"),
    "function": (own_function, "functions of its own"),
    "graph within": (inner_graph, "holds a graph"),
    "second input": (other_input, "it has the inputs"),
    "no nodes": (no_nodes, "is no model"),
    "shape of scores": (other_shape, "shape"),
    "shape of weights": (wrong_weights, "is no model"),
    "NaN": (not_a_number, "no numbers"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused_in_one_sentence(name, exported, tmp_path):
    edit, reason = HOSTILE[name]

    assert reason in refusal(edited(tmp_path / "hostile.onnx", exported, edit))


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("header", {"task": "os.system"}),
        ("header", {"kind": "encoder"}),
        ("header", {"window_samples": 0}),
        ("header", {"classes": ["a"]}),
        ("header", {"channels": ["a", "b"]}),
        ("header", {"more": 1}),
        ("graph", {"layout": None}),
        ("graph", {"reads": "windows"}),
        ("graph", {"reads": "files"}),
        ("graph", {"layout": {"window_samples": 512, "hop_samples": 0, "first_centre": 0.0}}),
        ("graph", {"layout": {"window_samples": 512, "hop_samples": 7, "first_centre": 0.0}}),
        ("graph", {"layout": {"window_samples": 5, "hop_samples": 10, "first_centre": 0.0}}),
        ("graph", {"window_samples": -1}),
    ],
)
def test_a_hostile_header_is_refused_in_one_sentence(part, changes, exported, tmp_path):
    def edit(proto, header, graph):
        (header if part == "header" else graph).update(changes)

    path = edited(tmp_path / "hostile.onnx", exported, edit)
    channels = 2 if "channels" in changes else 3
    with pytest.raises(UserError) as caught:
        seqbench.load(path).predict(np.zeros((1000, channels), np.float32))
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"hop_samples": 3},
        {"hop_samples": 0},
        {"n_state": 7},
        {"n_state": 1 << 40},
        {"n_warm_up": 0},
        {"n_before": -1},
        {"delay_frames": 1 << 19, "hop_samples": 1 << 19},
        None,
    ],
)
def test_a_hostile_stream_is_refused_in_one_sentence(changes, causal, tmp_path):
    def edit(proto, header, graph):
        graph["stream"] = changes and graph["stream"] | changes

    refusal(edited(tmp_path / "hostile.onnx", causal[1], edit))


def test_damaged_files_and_those_of_other_software_are_refused(exported, tmp_path):
    data = exported.read_bytes()
    at = len(data) // 2
    cases = {
        "cut.onnx": data[:at],
        "flipped.onnx": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        "empty.onnx": b"",
        "text.onnx": b"hello",
        "zip.onnx": b"PK\x03\x04" + data,
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        refusal(tmp_path / name)
    proto = onnx.load_model_from_string(data)
    del proto.metadata_props[:]
    (tmp_path / "other.onnx").write_bytes(proto.SerializeToString())
    assert "other software" in refusal(tmp_path / "other.onnx")


def test_the_size_is_checked_before_a_file_is_read(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model, "MAX_BYTES", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("was read"))

    assert "at most 1000" in refusal(exported)


def test_a_missing_package_is_named(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(UserError, match=r"pip install 'seqbench\[export\]'"):
        EventFinder(exported)


def test_a_gpu_is_refused(exported):
    with pytest.raises(UserError, match="run on the CPU"):
        EventFinder(exported, "cuda")


def test_records_have_bounds():
    with pytest.raises(ValueError, match="parity"):
        GraphRecord.parse('{"axes": [], "reads": "windows", "parity": -1}')
