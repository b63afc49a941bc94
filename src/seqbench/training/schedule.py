"""The course of the learning rate."""

import math

import torch

from seqbench.config.stages import OptimizerSettings


class Schedule:
    """Learning rate: a linear warm-up, then a cosine, a plateau or a constant.

    Parameters
    ----------
    optimizer
        Its groups get the rate before every step.
    settings
        Peak rate and course.
    steps_per_epoch
        Turns epochs into steps.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, settings: OptimizerSettings, steps_per_epoch: int
    ) -> None:
        self.optimizer = optimizer
        self.settings = settings
        self.n_warmup = settings.warmup_epochs * steps_per_epoch
        self.n_total = settings.epochs * steps_per_epoch
        self.n_done = 0
        self.factor = 1.0
        self._best, self._waited = math.inf, 0
        self.rate = 0.0

    def step(self) -> None:
        """Set the rate of the coming optimiser step."""
        self.n_done += 1
        if self.n_done <= self.n_warmup:
            share = self.n_done / self.n_warmup
        elif self.settings.schedule == "cosine":
            passed = (self.n_done - self.n_warmup) / max(1, self.n_total - self.n_warmup)
            share = (1 + math.cos(math.pi * passed)) / 2
        else:
            share = self.factor
        self.rate = self.settings.learning_rate * share
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate

    def watch(self, loss: float) -> None:
        """Halve the rate of a plateau schedule after `plateau_epochs` without a better loss."""
        if self.settings.schedule != "plateau" or self.n_done < self.n_warmup:
            return
        if loss < self._best:
            self._best, self._waited = loss, 0
            return
        self._waited += 1
        if self._waited >= self.settings.plateau_epochs:
            self.factor, self._waited = self.factor / 2, 0

    def memory(self) -> dict[str, float]:
        """Return where the schedule stands, as JSON values."""
        return {
            "n_done": self.n_done,
            "factor": self.factor,
            "best": self._best,
            "waited": self._waited,
            "rate": self.rate,
        }

    def recall(self, memory: dict[str, float]) -> None:
        """Take over the `memory` of a schedule that was built the same."""
        self.n_done, self._waited = int(memory["n_done"]), int(memory["waited"])
        self.factor, self._best, self.rate = memory["factor"], memory["best"], memory["rate"]
