"""A causal exported model along a recording: the state between its steps, and its two ends."""

import numpy as np
from numpy.typing import NDArray

from seqbench.prediction.onnx_model import OnnxNetwork
from seqbench.storage.detections import Pace
from seqbench.storage.onnx_model import StreamRecord
from seqbench.tasks.detection.scoring import CausalScoring, CausalStream, Signal
from seqbench.tasks.detection.stitching import Frames


def causal_scoring(network: OnnxNetwork, record: StreamRecord) -> CausalScoring:
    """Return how a causal exported model turns samples in units into frames."""
    hop_samples = record.hop_samples
    pace = Pace(
        hop_samples=hop_samples,
        first_centre=record.first_centre,
        first_samples=(record.delay_frames + record.n_together) * hop_samples - record.n_before,
        n_together=record.n_together,
    )

    def begin() -> CausalStream:
        stream = _Steps(network, record)
        return CausalStream(stream.push, stream.finish, pace)

    return CausalScoring(begin, pace)


class _Steps:
    """One recording, in pieces of whole hops, as many as have their frames together.

    Samples before and behind the recording fill up the first piece and the last ones. The
    first frames come before the recording and are left out, as are those behind it.
    """

    def __init__(self, network: OnnxNetwork, record: StreamRecord) -> None:
        self._network, self._record = network, record
        self._state = np.zeros((1, record.n_state), dtype=np.float32)
        n_channels = len(network.header.channels)
        self._held = np.zeros((record.n_before, n_channels), dtype=np.float32)
        self._n_outside = record.n_before  # samples at the start of those held
        self._n_samples = self._n_hops = 0

    def push(self, signal: Signal) -> Frames:
        """Return the frames (F, 2 or 3, K) that are complete with the next samples (n, C)."""
        self._n_samples += len(signal)
        self._held = np.concatenate([self._held, signal])
        inside = np.ones(len(self._held), dtype=np.float32)
        inside[: self._n_outside] = 0
        piece_samples = self._record.piece_samples
        n_whole = len(self._held) // piece_samples * piece_samples
        frames = self._scored(self._held[:n_whole], inside[:n_whole])
        self._held = self._held[n_whole:].copy()
        self._n_outside = max(self._n_outside - n_whole, 0)
        return frames

    def finish(self) -> Frames:
        """Return the frames that are left."""
        hop_samples = self._record.hop_samples
        n_frames = -(-self._n_samples // hop_samples)
        n_left = n_frames + self._record.delay_frames - self._n_hops
        n_pieces = -(-n_left // self._record.n_together)
        signal = np.zeros(
            (n_pieces * self._record.piece_samples, self._held.shape[1]), dtype=np.float32
        )
        inside = np.zeros(len(signal), dtype=np.float32)
        n_held = min(len(self._held), len(signal))
        signal[:n_held] = self._held[:n_held]
        inside[self._n_outside : n_held] = 1
        n_skipped = max(self._record.delay_frames - self._n_hops, 0)
        return self._scored(signal, inside)[: n_left - n_skipped]

    def _scored(self, signal: Signal, inside: NDArray[np.float32]) -> Frames:
        """Return the frames of whole hops, less those before the recording."""
        hop_samples = self._record.hop_samples
        found = []
        first, n_hops = 0, len(signal) // hop_samples
        while first < n_hops:
            # The recurrence begins with a call.
            n_before_it = self._record.n_warm_up - self._n_hops
            last = min(n_hops, first + n_before_it) if n_before_it > 0 else n_hops
            piece = slice(first * hop_samples, last * hop_samples)
            scores, self._state = self._network.step(
                np.ascontiguousarray(signal[None, piece], dtype=np.float32),
                inside[None, piece, None],
                self._state,
            )
            n_skipped = max(self._record.delay_frames - self._n_hops, 0)
            found.append(scores[0, n_skipped:])
            self._n_hops += last - first
            first = last
        n_values, n_types = self._network.graph.n_values, len(self._network.header.classes)
        none = np.zeros((0, n_values, n_types), dtype=np.float32)
        return np.concatenate([none, *found])
