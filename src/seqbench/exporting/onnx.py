"""A trained model as an ONNX file, measured against itself before it is written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError
from seqbench.exporting.graph import example, traced
from seqbench.exporting.parity import TOLERANCE, Parity, check_difference, in_units, test_windows
from seqbench.exporting.source import Source
from seqbench.prediction.onnx_model import OnnxNetwork, scoring
from seqbench.storage.atomic import replacing
from seqbench.storage.onnx_model import GraphRecord, read_onnx, sealed

N_TOGETHER = 8  # windows at a time of which speed is measured
N_DRAWS = 3  # of random windows: a greedy search that ties on one of noise may go either way
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
    source = Source.read(model)
    path, header, graph = source.path, source.header, source.graph
    n_samples = header.window_samples
    if source.causal is not None:
        proto = source.causal.traced()
    else:
        proto = traced(source.traceable, example(header, 2, n_samples))
    with replacing(out) as temporary:
        temporary.write_bytes(sealed(proto, header, graph))
        exported = scores_of(OnnxNetwork(read_onnx(temporary), out))
        drawn, is_dynamic = _on_random_windows(source, exported)
        if not is_dynamic:
            if source.causal is not None:
                raise UserError(f"{path}: scores of its export change with the length of a piece")
            fixed = proto.graph.input[0].type.tensor_type.shape.dim[1]
            fixed.dim_value = n_samples
            graph = graph.model_copy(update={"window_samples": n_samples})
        measured, n_windows = 0.0, 0
        if (windows := test_windows(path, header)) is not None:
            for batch in in_units(windows):
                measured = max(measured, source.parity.difference(batch, exported(batch)))
                n_windows += len(batch)
        difference = max(drawn, measured)
        check_difference(difference, path, "export")
        kind = "test" if n_windows else "random"
        graph = graph.model_copy(update={"parity": difference, "measured_on": kind})
        data = sealed(proto, header, graph)
        temporary.write_bytes(data)
        exported = scores_of(OnnxNetwork(read_onnx(temporary), out))
        # A causal model reads one recording as it comes, however long.
        shape = (1, N_TOGETHER * n_samples) if source.causal else (N_TOGETHER, n_samples)
        ratio = _speed_ratio(source.parity, exported, example(header, *shape))
    return Exported(out, len(data), graph, difference, n_windows, ratio)


def scores_of(network: OnnxNetwork) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function from windows in units (B, T, ...) to scores, (B, ...).

    A causal model reads each window as a recording of its own, in two pieces.
    """
    if network.graph.stream is None:
        return network

    def along(signal: NDArray[Any]) -> NDArray[Any]:
        stream, cut = scoring(network).stream(), len(signal) // 3
        pieces = [*stream.push(signal[:cut]), *stream.push(signal[cut:]), *stream.finish()]
        return np.concatenate(pieces)

    return lambda windows: np.stack([along(window) for window in windows])


def _on_random_windows(
    source: Source, exported: Callable[[NDArray[Any]], NDArray[Any]]
) -> tuple[float, bool]:
    """Return the largest difference on random windows, and whether it holds for any length.

    A model that takes no other length itself has one length in ONNX too. Windows on which scores
    differ by more than `TOLERANCE` are drawn again: what is systematic differs on each draw.
    """
    parity, header = source.parity, source.header
    n_samples = header.window_samples

    def measured(n_windows: int, n_samples: int) -> float:
        for draw in range(N_DRAWS):
            windows = example(header, n_windows, n_samples, seed=n_samples + draw)
            difference = parity.difference(windows, exported(windows))
            if difference <= TOLERANCE:
                break
        return difference

    difference = max(measured(1, n_samples), measured(3, n_samples))
    is_any_taken = False
    for shape in ((2, n_samples + 7), (1, 2 * n_samples + 3), (5, max(1, n_samples // 2))):
        try:
            parity.expected(example(header, *shape, seed=shape[1]))
        except (UserError, RuntimeError):
            continue  # the trained model takes no such windows either
        is_any_taken = True
        try:
            other = measured(*shape)
        except UserError:
            return difference, False
        if not other <= TOLERANCE:
            return difference, False
        difference = max(difference, other)
    return difference, is_any_taken


def _speed_ratio(
    parity: Parity, exported: Callable[[NDArray[Any]], NDArray[Any]], windows: NDArray[Any]
) -> float:
    """Return how many times faster than torch an exported model is, both on one core."""
    times: dict[str, list[float]] = {"torch": [], "onnx": []}
    for _ in range(N_TIMED):  # in turn, so that a busy machine slows both
        for name, predict in (("torch", parity.expected), ("onnx", exported)):
            begin = time.perf_counter()
            predict(windows)
            times[name].append(time.perf_counter() - begin)
    return float(np.min(times["torch"]) / np.min(times["onnx"]))
