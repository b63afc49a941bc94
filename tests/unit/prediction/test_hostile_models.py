"""Models with edited headers or weights, sealed again, are refused in one sentence and at once."""

import json
import time

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

import seqbench
from seqbench.errors import UserError
from seqbench.prediction.event_finder import EventFinder
from seqbench.storage.models import FORMAT, digest

BIG = ["x"] * 1_000_000
TUNED = {
    "decoder": "optimal",
    "thresholds": {"optimal": [0.5, 0.5]},
    "timing_bounds_ms": [[-1.0, 2.0], None],
}
ZSCORE = {"mode": "zscore", "centre": [0.0] * 3, "scale": [1.0] * 3}
CNN = {"widths": [62], "kernel_sizes": [101], "strides": [10]}


def sealed(path, header, arrays):
    text = json.dumps(header)
    metadata = {"format": FORMAT, "header": text, "digest": digest(text, arrays)}
    save_file(arrays, path, metadata)
    return path


def refusal(path) -> str:
    began = time.process_time()
    with pytest.raises(UserError) as caught:
        EventFinder(path, "cpu")
    assert time.process_time() - began < 5
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert len(sentence.splitlines()) == 1
    assert len(sentence) < 700
    return sentence


def options(**changed):
    return {"architecture_options": CNN | changed}


def tuned(**changed):
    return {"tuned": TUNED | changed}


HEADERS = {
    "stride 0": options(strides=[0]),
    "stride -1": options(strides=[-1]),
    "lists of other lengths": options(strides=[10, 10]),
    "unknown option": options(depth=3),
    "100,000 layers": options(widths=[1] * 100_000, kernel_sizes=[1] * 100_000),
    "100,000 recurrent layers": {
        "architecture": "gru",
        "architecture_options": {"n_layers": 100_000},
    },
    "20,000 units": {"architecture": "gru", "architecture_options": {"hidden_size": 20_000}},
    "more units than numbers": {
        "architecture": "gru",
        "architecture_options": {"hidden_size": 10**30},
    },
    "unknown architecture": {"architecture": "os.system"},
    "unknown task option": {"task_options": {"x": 1}},
    "sampling rate 0": {"sampling_rate_hz": 0},
    "sampling rate -1": {"sampling_rate_hz": -1},
    "sampling rate 1e308": {"sampling_rate_hz": 1e308},
    "no sampling rate": {"sampling_rate_hz": None},
    "refractory -1": {"refractory_s": -1},
    "refractory 1e308": {"refractory_s": 1e308},
    "window 0": {"window_samples": 0},
    "window 1e12": {"window_samples": 10**12},
    "window of 2.5": {"window_samples": 2.5},
    "window shorter than a frame": {"window_samples": 5},
    "dropout 1": {"head_dropout": 1.0},
    "too few thresholds": tuned(thresholds={"optimal": [0.5]}),
    "no threshold of the decoder": tuned(decoder="greedy"),
    "unknown decoder": tuned(decoder="fastest"),
    "bounds too short": tuned(timing_bounds_ms=[[1.0, 2.0]]),
    "a bound alone": tuned(timing_bounds_ms=[[1.0], None]),
    "nothing tuned": {"tuned": {}},
    "a million classes": {"classes": BIG},
    "a million channels": {"channels": BIG},
    "no channels": {"channels": []},
    "scale 0": {"normalization": ZSCORE | {"scale": [0.0, 1.0, 1.0]}},
    "scale too short": {"normalization": ZSCORE | {"scale": [1.0]}},
    "NaN as centre": {"normalization": ZSCORE | {"centre": [float("nan")] * 3}},
    "two channels of normalization": {"normalization": {"mode": "z", "centre": [0], "scale": [1]}},
    "an offset for one channel of three": {"subtracted": [1e9]},
    "NaN as offset": {"subtracted": [float("nan"), 0, 0]},
    "text as offset": {"subtracted": ["1e9", 0, 0]},
    "frames of series": {"frame_size": [8, 8]},
    "frames of 1e9": {"sample": "video", "frame_size": [10**9, 10**9]},
    "unknown sample": {"sample": "audio"},
    "unknown key": {"code": "print(1)"},
}


@pytest.mark.parametrize("name", list(HEADERS))
def test_a_header_out_of_bounds_is_refused(knocks, tmp_path, name):
    header = knocks.header.model_dump(mode="json") | HEADERS[name]

    refusal(sealed(tmp_path / "model.safetensors", header, knocks.arrays))


NEEDED = (
    *("channels", "classes", "sampling_rate_hz", "tuned", "architecture", "architecture_options"),
    *("task", "window_samples", "normalization", "run", "kind"),
)


@pytest.mark.parametrize("key", NEEDED)
@pytest.mark.parametrize("value", ["missing", None, "what", {"a": [1]}])
def test_a_header_of_other_types_is_refused(knocks, tmp_path, key, value):
    header = knocks.header.model_dump(mode="json") | {key: value}
    if value == "missing":
        del header[key]

    refusal(sealed(tmp_path / "model.safetensors", header, knocks.arrays))


def test_a_header_that_is_no_object_is_refused(knocks, tmp_path):
    for header in (None, [], "model", 1):
        refusal(sealed(tmp_path / "model.safetensors", header, knocks.arrays))


WEIGHT = "head.output.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda array: np.full_like(array, np.nan), "NaN or infinity"),
        (lambda array: np.full_like(array, np.inf), "NaN or infinity"),
        (lambda array: array.astype(np.float64), "float64"),
        (lambda array: array.astype(np.float16), "float16"),
        (lambda array: array.astype(np.int32), "int32"),
        (lambda array: array[:-1], "array"),
        (lambda array: array.reshape(-1), "array"),
    ],
)
def test_other_weights_than_those_of_the_header_are_refused(knocks, tmp_path, change, reason):
    arrays = knocks.arrays | {WEIGHT: np.ascontiguousarray(change(knocks.arrays[WEIGHT]))}
    header = knocks.header.model_dump(mode="json")

    assert reason in refusal(sealed(tmp_path / "m.safetensors", header, arrays))


def test_missing_and_additional_arrays_are_refused(knocks, tmp_path):
    header = knocks.header.model_dump(mode="json")
    more = knocks.arrays | {"code": np.zeros(3)}
    less = {name: array for name, array in knocks.arrays.items() if name != WEIGHT}

    assert "'code'" in refusal(sealed(tmp_path / "more.safetensors", header, more))
    assert WEIGHT in refusal(sealed(tmp_path / "less.safetensors", header, less))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_kinds_of_numbers_that_no_model_has_are_refused(knocks, tmp_path, dtype):
    text = json.dumps(knocks.header.model_dump(mode="json"))
    tensors = {WEIGHT: torch.zeros(4).to(dtype)}
    path = tmp_path / "m.safetensors"
    save_tensors(tensors, path, {"format": FORMAT, "header": text, "digest": ""})

    assert "which no model has" in refusal(path)


def test_weights_that_overflow_are_named_when_they_do(knocks, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.choice(np.float32([-1e38, 1e38]), array.shape) if array.ndim == 3 else array
        for name, array in knocks.arrays.items()
    }
    path = sealed(tmp_path / "m.safetensors", knocks.header.model_dump(mode="json"), arrays)

    with pytest.raises(UserError, match="scores that are no numbers"):
        list(EventFinder(path, "cpu").events([knocks.recording([], 2000)]))
    with pytest.raises(UserError, match="scores that are no numbers"):
        seqbench.predict(path, knocks.recording([], 2000))
