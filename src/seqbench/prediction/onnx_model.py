"""Predictions of an exported model through ONNX Runtime, without torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.errors import FormatError, UserError, one_line
from seqbench.storage.model_header import PredictorHeader
from seqbench.storage.onnx_model import (
    INPUT,
    MAX_REASON,
    OUTPUT,
    STEP_INPUTS,
    STEP_OUTPUTS,
    OnnxModel,
    missing,
)
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task

BATCH = 256  # windows of one length scored at a time


class OnnxNetwork:
    """An exported model in a session of ONNX Runtime.

    Parameters
    ----------
    stored
        As `read_onnx` gives it.
    path
        Where it comes from, for errors.
    device
        auto or cpu.
    threads
        Of one prediction; None: as many as ONNX Runtime takes.

    Raises
    ------
    UserError
        If ONNX Runtime is not installed or refuses the model, or for another device.
    """

    def __init__(
        self, stored: OnnxModel, path: Path, device: str = "cpu", threads: int | None = 1
    ) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise missing("onnxruntime") from None
        if device not in ("auto", "cpu"):
            raise UserError(f"{path}: exported models run on the CPU; leave --device {device} out")
        self.header: PredictorHeader = stored.header
        self.graph, self.path = stored.graph, path
        n_layouts = (self.graph.layout is not None) + (self.graph.stream is not None)
        if n_layouts != (self.graph.reads == "recordings"):
            raise FormatError(f"{path}: its header describes no model (layout of frames)")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 4  # what goes wrong is raised
        try:
            self._session = onnxruntime.InferenceSession(
                stored.data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no common class of their own
            raise self._fault(f"ONNX Runtime refuses it, {one_line(str(error))}") from None
        self._dtype = np.int64 if self.header.sample == "tokens" else np.float32

    def __call__(self, windows: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of windows (B, T, ...) of one length, in the units of recordings."""
        n_windows, n_samples = windows.shape[:2]
        if self.graph.window_samples not in (None, n_samples):
            raise UserError(
                f"{self.path}: takes windows of {self.graph.window_samples} samples, not of"
                f" {n_samples}"
            )
        given = np.ascontiguousarray(windows, dtype=self._dtype)
        (scores,) = self._run((OUTPUT,), {INPUT: given})
        shape = self._shape(n_samples)
        fits = scores.shape[0] == n_windows and scores.ndim == len(shape) + 1
        if not fits or any(
            n not in (None, m) for n, m in zip(shape, scores.shape[1:], strict=True)
        ):
            raise self._fault(f"its scores have the shape {scores.shape}")
        if self.graph.reads == "samples":
            if scores.shape[1] < n_samples:
                raise self._fault(f"its scores have the shape {scores.shape}")
            scores = scores[:, :n_samples]
        self._check_numbers(scores)
        return scores

    def step(
        self, samples: NDArray[Any], inside: NDArray[Any], state: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the scores (1, n, 2 or 3, K) of a piece of a recording, and the next state.

        Parameters
        ----------
        samples, inside
            The next n hops, (1, n * hop, C), in the units of recordings, and whether each is of
            the recording, (1, n * hop, 1); float32.
        state
            As the step before returned it, (1, N); zeros before the first.
        """
        stream = self.graph.stream
        if stream is None:
            raise TypeError(f"{self.path}: takes windows")
        given = dict(zip(STEP_INPUTS, (samples, inside, state), strict=True))
        scores, after = self._run(STEP_OUTPUTS, given)
        n_frames = samples.shape[1] // stream.hop_samples
        shapes = ((1, n_frames, self.graph.n_values, len(self.header.classes)), state.shape)
        for found, shape in zip((scores, after), shapes, strict=True):
            if found.shape != shape:
                raise self._fault(f"its scores or states have the shape {found.shape}")
            self._check_numbers(found)
        return scores, after

    def _run(self, outputs: tuple[str, ...], given: dict[str, Any]) -> list[NDArray[Any]]:
        try:
            found: list[NDArray[Any]] = self._session.run(list(outputs), given)
        except Exception as error:
            raise self._fault(f"it cannot be run, {one_line(str(error))}") from None
        return found

    def _check_numbers(self, scores: NDArray[Any]) -> None:
        if not np.isfinite(scores).all():
            raise FormatError(f"{self.path}: its weights give scores that are no numbers")

    def _shape(self, n_samples: int) -> tuple[int | None, ...]:
        """Return the shape of the scores of a window by the header; None: any size."""
        header, targets = self.header, self.header.targets
        n_values = len(header.classes) or (len(targets.names) if targets else 0)
        if self.graph.layout is not None:
            return -(-n_samples // self.graph.layout.hop_samples), self.graph.n_values, n_values
        if self.graph.reads == "samples":
            return None, n_values
        if header.classes or targets is None:
            return (n_values,)
        return targets.horizon_samples, n_values, *header.frame_size

    def _fault(self, reason: str) -> FormatError:
        return FormatError(f"{self.path}: is no model of seqbench export ({reason[:MAX_REASON]})")


def predictor(
    stored: OnnxModel, path: Path, device: str, threads: int | None
) -> tuple[Any, bool, float | None]:
    """Return a function from windows to scores, whether these are probabilities, `compile_s`.

    Windows are in the units of the recordings; see `windows_of`.
    """
    network = OnnxNetwork(stored, path, device, threads)
    return lambda windows: predict(network, windows), stored.graph.are_probabilities, None


def ensemble(
    stored: Sequence[OnnxModel], paths: Sequence[Path], device: str, threads: int | None
) -> tuple[Any, bool, float | None]:
    """Return the same of several models, whose scores of windows or samples are averaged."""
    each = [predictor(*pair, device, threads) for pair in zip(stored, paths, strict=True)]
    if stored[0].graph.reads == "recordings":
        raise UserError(f"{paths[0]}: events of exported models are not averaged; name one model")
    return lambda windows: np.mean([one(windows) for one, *_ in each], axis=0), each[0][1], None


def scoring(network: OnnxNetwork) -> Any:
    """Return how an exported model of detection turns samples in units into frames."""
    from seqbench.tasks.detection.scoring import WindowScoring
    from seqbench.tasks.detection.stitching import Layout

    layout, stream = network.graph.layout, network.graph.stream
    if stream is not None:
        from seqbench.prediction.onnx_stream import causal_scoring

        return causal_scoring(network, stream)
    if layout is None:
        raise UserError(f"{network.path}: holds {network.header.task}, which finds no events")
    try:
        return WindowScoring(network, Layout(**dict(layout)))
    except UserError as error:
        raise FormatError(f"{network.path}: its header describes no model ({error})") from None


def predict(network: OnnxNetwork, windows: WindowSet) -> Any:
    """Return scores of windows (N, ...), of samples (S, ...), or the candidates in recordings."""
    if network.graph.reads == "recordings":
        from seqbench.tasks.detection.scoring import find_candidates

        return find_candidates(scoring(network), windows)
    of_window: list[NDArray[Any]] = [np.zeros(0)] * len(windows)
    for indices in _alike(windows.length):
        cut = [
            windows.signal[windows.start[i] : windows.start[i] + windows.length[i]] for i in indices
        ]
        for i, scores in zip(indices, network(np.stack(cut)), strict=True):
            of_window[i] = scores
    join = np.concatenate if network.graph.reads == "samples" else np.stack
    task: Task = TASKS[windows.task]()
    return task.finished(windows, join(of_window))


def _alike(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield indices of windows of one length, a batch at a time."""
    for length in np.unique(lengths):
        own = np.flatnonzero(lengths == length)
        for first in range(0, len(own), BATCH):
            yield own[first : first + BATCH]
