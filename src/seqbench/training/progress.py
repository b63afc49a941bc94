"""What a person sees while a model trains: a bar on a terminal, a few lines in a log."""

import logging
import sys
import time
from typing import Any

LOG_EVERY_S = 15.0
logger = logging.getLogger("seqbench")


class Progress:
    """Epochs passed and the numbers of the last one.

    Parameters
    ----------
    label
        What is being trained.
    n_epochs
        Epochs at most.
    """

    def __init__(self, label: str, n_epochs: int) -> None:
        self.label = label
        self.n_epochs = n_epochs
        self._bar: Any = None
        self._last = time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=n_epochs, desc=label, unit="epoch")

    def epoch(self, row: dict[str, float]) -> None:
        """Show that an epoch has passed."""
        losses = {key: f"{value:.4g}" for key, value in row.items() if key.endswith("loss")}
        if self._bar is not None:
            self._bar.set_postfix(losses)
            self._bar.update()
        elif time.monotonic() - self._last > LOG_EVERY_S:
            self._last = time.monotonic()
            logger.info("%s: epoch %d of %d, %s", self.label, row["epoch"], self.n_epochs, losses)

    def end(self, sentence: str) -> None:
        """Show how training ended."""
        if self._bar is not None:
            self._bar.close()
        logger.info("%s: %s", self.label, sentence)
