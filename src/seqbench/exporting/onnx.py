"""A trained model as an ONNX file, measured against itself before it is written."""

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError
from seqbench.exporting.graph import WholeModel, example, graph_record, traced
from seqbench.exporting.parity import TOLERANCE, Parity, check_difference, in_units, test_windows
from seqbench.exporting.stand_ins import prepare_for_tracing
from seqbench.prediction.onnx_model import OnnxNetwork
from seqbench.prediction.predictor import model_files, read_predictor
from seqbench.storage.atomic import replacing
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.onnx_model import GraphRecord, OnnxModel, read_onnx, sealed
from seqbench.training.model import load_model
from seqbench.training.reproducibility import prepare

N_TIMED = 5  # repetitions of which the fastest counts


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path, n_bytes
        The file.
    graph
        What its input and output are.
    difference
        Largest difference of a score from that of the trained model.
    n_windows
        Windows of test that were compared; 0: random ones alone.
    speed_ratio
        How many times faster than torch it predicts, both on one core.
    """

    path: Path
    n_bytes: int
    graph: GraphRecord
    difference: float
    n_windows: int
    speed_ratio: float


def export_onnx(model: Path, out: Path) -> Exported:
    """Write a trained model as ONNX.

    Parameters
    ----------
    model
        A `model.safetensors`, or a folder that holds one.
    out
        The file to write.

    Raises
    ------
    UserError
        If the model has no export, or scores of the export differ by more than 1e-4 from
        its own; nothing is written then.
    """
    path, stored = one_model(model)
    header = stored.header
    network = load_model(stored, path)
    import torch

    prepare(1, torch.device("cpu"))
    trained = WholeModel(copy.deepcopy(network), header)
    graph = graph_record(network, header)
    prepare_for_tracing(network)
    proto = traced(WholeModel(network, header), example(header, 2, header.window_samples))
    hop_samples = graph.layout.hop_samples if graph.layout else None
    parity = Parity(trained, header, hop_samples)
    with replacing(out) as temporary:
        temporary.write_bytes(sealed(proto, header, graph))
        exported = OnnxNetwork(read_onnx(temporary), out)
        drawn, is_dynamic = _on_random_windows(parity, exported, header)
        if not is_dynamic:
            fixed = proto.graph.input[0].type.tensor_type.shape.dim[1]
            fixed.dim_value = header.window_samples
            graph = graph.model_copy(update={"window_samples": header.window_samples})
        measured, n_windows = 0.0, 0
        if (windows := test_windows(path, header)) is not None:
            for batch in in_units(windows):
                measured = max(measured, parity.difference(batch, exported(batch)))
                n_windows += len(batch)
        difference = max(drawn, measured)
        check_difference(difference, path, "export")
        kind = "test" if n_windows else "random"
        graph = graph.model_copy(update={"parity": difference, "measured_on": kind})
        data = sealed(proto, header, graph)
        temporary.write_bytes(data)
        exported = OnnxNetwork(read_onnx(temporary), out)
        ratio = _speed_ratio(parity, exported, example(header, 8, header.window_samples))
    return Exported(out, len(data), graph, difference, n_windows, ratio)


def one_model(path: Path) -> tuple[Path, StoredModel[ModelHeader]]:
    """Return the trained network that a path names.

    Raises
    ------
    UserError
        If it names several models, a baseline, or one that is exported already.
    """
    files = model_files(path)
    if len(files) > 1:
        raise UserError(f"{path}: holds {len(files)} models; name one, as {files[0]}")
    stored = read_predictor(files[0])
    if isinstance(stored, OnnxModel):
        raise UserError(f"{files[0]}: is exported already; name the model that was trained")
    header = stored.header
    if not isinstance(header, ModelHeader):
        raise UserError(
            f"{files[0]}: holds the baseline {header.baseline}, which is no network and has no"
            " export; seqbench predict uses it as it is"
        )
    return files[0], StoredModel(stored.arrays, header)


def _on_random_windows(
    parity: Parity, exported: OnnxNetwork, header: ModelHeader
) -> tuple[float, bool]:
    """Return the largest difference on random windows, and whether it holds for any length."""
    n_samples = header.window_samples
    own = [(1, n_samples), (3, n_samples)]
    difference = max(_difference(parity, exported, header, *shape) for shape in own)
    for shape in ((2, n_samples + 7), (1, 2 * n_samples + 3), (5, max(1, n_samples // 2))):
        try:
            windows = example(header, *shape, seed=shape[1])
            parity.expected(windows)
        except (UserError, RuntimeError):
            continue  # the trained model takes no such windows either
        try:
            other = _difference(parity, exported, header, *shape)
        except UserError:
            return difference, False
        if not other <= TOLERANCE:
            return difference, False
        difference = max(difference, other)
    return difference, True


def _difference(
    parity: Parity, exported: OnnxNetwork, header: ModelHeader, n_windows: int, n_samples: int
) -> float:
    windows = example(header, n_windows, n_samples, seed=n_samples)
    return parity.difference(windows, exported(windows))


def _speed_ratio(parity: Parity, exported: OnnxNetwork, windows: NDArray[Any]) -> float:
    """Return how many times faster than torch an exported model is, both on one core."""
    times: dict[str, list[float]] = {"torch": [], "onnx": []}
    for _ in range(N_TIMED):  # in turn, so that a busy machine slows both
        for name, predict in (("torch", parity.expected), ("onnx", exported)):
            begin = time.perf_counter()
            predict(windows)
            times[name].append(time.perf_counter() - begin)
    return float(np.min(times["torch"]) / np.min(times["onnx"]))
