"""Output layer for an encoder that finds events itself: it adds to their log-odds and times."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder
from seqbench.models.matching_pursuit import NEVER
from seqbench.storage.detections import Candidates, Detections
from seqbench.storage.model_header import DataHeader
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.gain import f1_gain
from seqbench.tasks.detection.head import BIN, HALF, N_BINS, SPREAD_BINS, DetectionHead

logger = logging.getLogger("seqbench")
SURE = 1 + 1e-6  # standard errors by which events must be found better; one event is never enough


class PursuitHead(DetectionHead):
    """What is added to the log-odds of an event, and its duration, by one layer for all types.

    Notes
    -----
    What is added is 0 at first, and always where the encoder finds no event: the head judges
    events, it makes none. Times stay those of the encoder: corrections of them that were
    learned with those of the log-odds made the error larger (strikes in noise of 0.6: .49 to
    .56 ms).
    """

    has_frame_loss = False  # its one layer is small

    def add_layers(self, encoder: Encoder) -> None:
        """Add what has weights; see `DetectionHead`."""
        self.added = nn.Linear(encoder.n_type_features, self.n_values - 1)
        nn.init.zeros_(self.added.weight)
        nn.init.zeros_(self.added.bias)

    @torch.no_grad()
    def settle(
        self, predicted: Callable[[], Candidates], windows: WindowSet, data: DataHeader
    ) -> tuple[bool, Candidates]:
        """Withdraw what is added to log-odds, unless events of val are found better with it.

        By more than one standard error of F1: the loss also falls where scores only fit better
        what the filter finds anyway, and F1 then rises on val as often as it falls.

        References
        ----------
        After Breiman, Friedman, Olshen, Stone (1984), Classification and regression trees,
        section 3.4.3: of models within one standard error of the best the simplest. Here it is
        the error of the difference; about one time in six chance alone exceeds it.
        """
        found = predicted()
        after = self._found(found, windows, data)
        learned = [one.clone() for one in self._of_presence()]
        for one in self._of_presence():
            one.zero_()
        plain = predicted()
        gain, error = f1_gain(self._found(plain, windows, data), after)
        is_better = gain > SURE * error
        logger.info(
            "F1 on val changes by %.4f \N{PLUS-MINUS SIGN} %.4f with what was learned: %s",
            gain, error, "kept" if is_better else "withdrawn",
        )  # fmt: skip
        if not is_better:
            return False, plain
        for one, weight in zip(self._of_presence(), learned, strict=True):
            one.copy_(weight)
        return True, found

    def _of_presence(self) -> tuple[Tensor, Tensor]:
        return self.added.weight[0], self.added.bias[0]

    def _found(self, found: Candidates, windows: WindowSet, data: DataHeader) -> Detections:
        tuned = self.task.tune(windows, found, are_probabilities=True, data=data)
        return self.task.join(windows, found, are_probabilities=True, tuned=tuned)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, F, 32 or 33, K); see `DetectionHead`."""
        frames = frames.unflatten(2, (self.n_types, -1))  # (B, F, K, W + 2)
        log_odds, time = frames[:, :, None, :, -2], frames[:, :, None, :, -1]
        is_found = log_odds > NEVER
        added = self.added(self.dropout(frames[..., :-2])).transpose(2, 3) * is_found
        bins = torch.arange(N_BINS, device=frames.device)[:, None] - HALF
        bell = -0.5 * ((bins - time / (self.hop * BIN)) / SPREAD_BINS).square() * is_found
        return torch.cat([log_odds + added[:, :, :1], bell, added[:, :, 1:]], dim=2)
