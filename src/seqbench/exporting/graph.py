"""From a trained network to an ONNX graph that takes windows in the units of recordings."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqbench.errors import UserError, one_line
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.onnx_model import INPUT, MAX_REASON, OPSET, OUTPUT, missing
from seqbench.tasks.head import Head
from seqbench.training.model import Model
from seqbench.windowing.normalize import NEGLIGIBLE, TINY

AXES = {
    "series": ("window", "sample", "channel"),
    "tokens": ("window", "sample", "id"),
    "video": ("window", "frame", "channel", "row", "column"),
}


class WholeModel(nn.Module):
    """Windows in the units of recordings to what is stored as prediction.

    Parameters
    ----------
    model
        Takes normalised windows.
    header
        Of its file: the normalisation.
    dtype
        In which windows are normalised: float64 as in the pipeline, or float32 for
        machines that have no other.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self, model: Model, header: ModelHeader, dtype: torch.dtype = torch.float64
    ) -> None:
        super().__init__()
        self.model = model
        self.head: Head = model.head
        self.is_text = header.sample == "tokens"
        self.per_window = header.normalization.mode == "per_window"
        self.dtype = dtype
        shape = (-1, 1, 1) if header.sample == "video" else (-1,)
        for name in ("centre", "scale"):
            values = torch.tensor(getattr(header.normalization, name), dtype=dtype)
            self.register_buffer(name, values.reshape(shape))
        self.eval()

    def forward(self, windows: Tensor) -> Tensor:
        """Return scores of windows (B, T, ...) of one length."""
        return self.head.scores(self.model(self.normalized(windows)))

    def normalized(self, windows: Tensor) -> Tensor:
        """Return windows as the network takes them."""
        if self.is_text:
            return windows
        x = windows.to(self.dtype)
        if not self.per_window:
            return ((x - self.centre) / self.scale).float()
        others = [axis for axis in range(1, x.ndim) if axis != 2]
        mean = x.mean(dim=others, keepdim=True)
        centred = x - mean
        deviation = centred.square().mean(dim=others, keepdim=True).sqrt()
        is_constant = deviation <= NEGLIGIBLE * mean.abs().clamp(min=TINY)
        return (centred / torch.where(is_constant, torch.ones_like(deviation), deviation)).float()


def example(header: ModelHeader, n_windows: int, n_samples: int, seed: int = 0) -> NDArray[Any]:
    """Return random windows in the units of train, (B, T, ...)."""
    generator = np.random.default_rng(seed)
    if header.sample == "tokens":
        return generator.integers(0, len(header.channels), (n_windows, n_samples, 1))
    normal = header.normalization
    shape = (-1, 1, 1) if header.sample == "video" else (-1,)
    drawn = generator.standard_normal(
        (n_windows, n_samples, len(header.channels), *header.frame_size)
    )
    scaled = drawn * np.reshape(normal.scale, shape) + np.reshape(normal.centre, shape)
    return scaled.astype(np.float32)


def traced(whole: WholeModel, windows: NDArray[Any], *, is_dynamic: bool = True) -> Any:
    """Return the ONNX graph of a model, an `onnx.ModelProto`.

    Parameters
    ----------
    whole
        The model.
    windows
        An example, (B, T, ...).
    is_dynamic
        Whether the numbers of windows and samples may be any; else those of the example.

    Raises
    ------
    UserError
        If the converter does not know an operation, or a package is missing.
    """
    axes = {INPUT: {0: "B", 1: "T"}, OUTPUT: {0: "B"}} if is_dynamic else None
    proto = converted(whole, {INPUT: torch.from_numpy(windows)}, (OUTPUT,), axes)
    _begin_with_zeros(proto.graph)
    return proto


def converted(
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: tuple[str, ...],
    axes: dict[str, dict[int, str]] | None,
) -> Any:
    """Return the ONNX graph of a module called with examples of its inputs; see `traced`.

    Parameters
    ----------
    module
        Any.
    inputs, outputs
        By name, in the order of the call.
    axes
        Those of any length, by name and number; None: none.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise missing("onnx") from None
    buffer = io.BytesIO()
    try:
        with _silent(), torch.no_grad():
            torch.onnx.export(
                module,
                tuple(inputs.values()),
                buffer,  # type: ignore[arg-type]
                dynamo=False,  # the other way fixes the length of what is turned round in time
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
            )
    except (RuntimeError, ValueError) as error:  # torch.onnx.errors are RuntimeErrors
        reason = one_line(str(error))[:MAX_REASON]
        raise UserError(f"torch.onnx cannot convert this model ({reason})") from None
    return onnx.load_model_from_string(buffer.getvalue())


def _begin_with_zeros(graph: Any) -> None:
    """Leave the first states of recurrences out, which are zeros without them, in any number."""
    for node in graph.node:
        if node.op_type in ("RNN", "GRU", "LSTM"):
            del node.input[5:]  # behind input, weights, biases and lengths
    needed = {one.name for one in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


@contextmanager
def _silent() -> Iterator[None]:
    """Keep from users what the converter says about itself; graphs are measured afterwards."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)
