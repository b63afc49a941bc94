"""C files of causal detectors: compiled anew and fed sample by sample, they score as ONNX does."""

import ctypes
import subprocess

import numpy as np
import pytest

from fixtures.networks import drawn_recordings, network_header, stored_network
from seqbench.cli.main import main
from seqbench.errors import UserError
from seqbench.exporting.c_code import export_c
from seqbench.exporting.onnx import export_onnx, scores_of
from seqbench.prediction.onnx_model import OnnxNetwork
from seqbench.storage.onnx_model import read_onnx

N_TYPES, N_CHANNELS = 3, 3
CASES = {
    "frames of the stride": {"look_ahead_ms": 400, "kernel_sizes": (5, 3), "strides": (1, 8)},
    "frames that are joined": {"look_ahead_ms": 0, "kernel_sizes": (3, 9), "cell": "gru"},
    "ends of events": {"look_ahead_ms": 400, "kernel_sizes": (5, 3), "durations": True},
    "events that are subtracted": {"of": "event_pursuit", "look_ahead_ms": 90},
}
OPTIONS = {
    "event_rnn": {"bidirectional": False, "widths": (4, 6), "strides": (1, 3)},
    "event_pursuit": {"causal": True},
}


def causal_header(of="event_rnn", *, durations=False, **options):
    return network_header(
        of,
        "series",
        "detection",
        durations=durations,
        options=OPTIONS[of] | options,
        window_samples=120,
    )


def along(library, signal, n_values):
    """Return the frames (F, 2 or 3, K) of a recording (T, C), as a small machine computes them."""
    recording = ctypes.create_string_buffer(1 << 20)
    found, scores = [], np.full((n_values, N_TYPES), np.nan, np.float32)
    at = scores.ctypes.data_as(ctypes.c_void_p)
    library.seqbench_begin(recording)
    for sample in np.ascontiguousarray(signal):
        if library.seqbench_push(recording, sample.ctypes.data_as(ctypes.c_void_p), at):
            found.append(scores.copy())
    while library.seqbench_finish(recording, at):
        found.append(scores.copy())
    assert not library.seqbench_finish(recording, at)
    return np.array(found)


@pytest.mark.parametrize("name", CASES)
def test_samples_of_a_recording_give_the_scores_of_onnx_runtime(name, tmp_path):
    header = causal_header(**CASES[name])
    model = stored_network(tmp_path / "model.safetensors", header)
    exported = export_onnx(model, tmp_path / "model.onnx").path

    made = export_c(model, tmp_path / "model.c")

    command = [
        "cc",
        "-O2",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "model.c",
        "-o",
        "model.so",
        "-lm",
    ]
    subprocess.run(command, check=True, cwd=tmp_path)
    library = ctypes.CDLL(str(tmp_path / "model.so"))
    expected = scores_of(OnnxNetwork(read_onnx(exported), exported))
    for signal in drawn_recordings(header, 1, 50, 1003):
        (scores,) = expected(signal[None])
        found = along(library, signal, scores.shape[1])
        np.testing.assert_allclose(found, scores, atol=1e-4, rtol=1e-5)
    assert scores.shape[1] == (3 if "durations" in CASES[name] else 2)
    assert made.is_causal
    assert made.difference < 1e-5
    assert made.flash_bytes > 1000
    assert made.ram_bytes > 2 * 4 * read_onnx(exported).graph.stream.n_state
    assert "malloc" not in made.path.read_text()


def test_the_command_prints_the_time_of_a_second(tmp_path, capsys):
    model = stored_network(tmp_path / "model.safetensors", causal_header(kernel_sizes=(5, 3)))

    main(["export", str(model), "--to", "c"])

    printed = capsys.readouterr().out
    assert "model.c: int seqbench_push(" in printed
    assert "us for a second of signal here" in printed


def test_frames_that_come_together_are_refused(tmp_path):
    header = causal_header("event_pursuit", look_ahead_ms=330)
    model = stored_network(tmp_path / "model.safetensors", header)

    with pytest.raises(UserError, match="finds 4 frames at a time, and a C file gives them one by"):
        export_c(model, tmp_path / "model.c")

    assert not (tmp_path / "model.c").exists()
