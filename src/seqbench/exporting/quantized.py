"""Exported models with weights of 8 bits, and what that costs their score."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from seqbench.config.registry import TASKS
from seqbench.errors import UserError
from seqbench.exporting.parity import test_windows
from seqbench.prediction.onnx_model import OnnxNetwork, predict
from seqbench.storage.atomic import replacing
from seqbench.storage.normalization import Normalization
from seqbench.storage.onnx_model import read_onnx, sealed
from seqbench.storage.windows import WindowSet
from seqbench.tasks.scoring import score


@dataclass(frozen=True)
class Quantized:
    """What was written: its bytes, and the headline on test before and after."""

    n_bytes: int
    metric: str
    before: float
    after: float


def quantize(exported: Path, model: Path) -> Quantized:
    """Round the weights of an exported model to 8 bits, in its file.

    Activations are rounded while it runs. The file of a trained model that stands in
    its folder of results says where the windows of test are.

    Raises
    ------
    UserError
        If they are not at hand: what rounding costs is measured on them.
    """
    stored = read_onnx(exported)
    header = stored.header
    windows = test_windows(model, header)
    if windows is None:
        raise UserError(
            f"{model}: the windows of test of its run are not at hand, on which the loss of int8 is"
            f" measured; name the model in its folder of results ({exported} has its weights as"
            " trained)"
        )
    before = _headline(OnnxNetwork(stored, exported), windows)
    with tempfile.TemporaryDirectory() as folder:
        whole, rounded = Path(folder) / "whole.onnx", Path(folder) / "rounded.onnx"
        whole.write_bytes(stored.data)
        quantize_dynamic(whole, rounded, weight_type=QuantType.QInt8)
        proto = onnx.load(rounded)
    graph = stored.graph.model_copy(update={"quantized": "int8", "parity": None})
    with replacing(exported) as temporary:
        temporary.write_bytes(sealed(proto, header, graph))
        after = _headline(OnnxNetwork(read_onnx(temporary), exported), windows)
        n_bytes = temporary.stat().st_size
    task: Any = TASKS[header.task](**header.task_options)
    return Quantized(n_bytes, task.headline_of(windows), before, after)


def _headline(network: OnnxNetwork, windows: WindowSet) -> float:
    """Return the headline of a model on windows, which are normalised."""
    header = network.header
    task: Any = TASKS[header.task](**header.task_options)
    in_units = windows
    if windows.sample != "tokens":
        normal = windows.normalization
        neutral = Normalization.neutral(len(normal.centre))
        signal = normal.undone(windows.signal[:])
        in_units = replace(windows, signal=signal, normalization=neutral)
    found = task.join(
        in_units,
        predict(network, in_units),
        are_probabilities=network.graph.are_probabilities,
        tuned=header.tuned,
    )
    name = task.headline_of(windows)
    value = score(task, found, resamples=0)[name]["value"]
    if value is None:
        raise UserError(f"{network.path}: {name} is not defined on test, so int8 has no known loss")
    return float(value)
