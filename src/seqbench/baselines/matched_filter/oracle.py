"""The matched filter with the templates of a generator."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.base import TemplateBaseline
from seqbench.baselines.matched_filter.detector import FittedEvent
from seqbench.baselines.matched_filter.interpolation import Floats, Integers
from seqbench.baselines.matched_filter.joined import JoinedSignal
from seqbench.baselines.matched_filter.whitening import Whitener
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.windows import WindowSet


@BASELINES.register(
    "oracle",
    accepts=("series",),
    tasks=("detection",),
    needs=("truth",),
    ceiling_of=("detection",),
    stochastic=False,
    imports=("scipy.ndimage",),
)
class OracleBaseline(TemplateBaseline):
    """The matched filter of a generator's own templates, in noise as train has it.

    Parameters
    ----------
    peel
        Subtract each event found before looking for the next, which
        separates events that collide.

    Notes
    -----
    Scores grow with the log-odds of an event against none, with normal
    amplitudes and events at random; they are no probabilities, because events
    close to one another are not independent.

    References
    ----------
    Turin (1960). An introduction to matched filters. IRE Transactions on
    Information Theory 6(3). Mallat, Zhang (1993). Matching pursuits with
    time-frequency dictionaries. IEEE Transactions on Signal Processing 41(12).
    """

    def __init__(self, *, peel: bool = True) -> None:
        self.peel = peel

    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return the truth of the generator; its labels are exact."""
        truth = self._truth(train)
        return truth["templates"].shape[2], float(truth["template_onset"]), 0

    def templates(
        self, train: WindowSet, joined: JoinedSignal, events: list[FittedEvent], pre: Whitener
    ) -> Floats:
        """Return the generator's templates, normalised like the signal."""
        scaled = self._truth(train)["templates"] / train.normalization.scale[:, None]
        return pre(scaled, extend=True)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return the templates: they hold no noise."""
        del n_events
        return templates

    def _truth(self, train: WindowSet) -> dict[str, NDArray[np.float64]]:
        expected = (len(train.classes), len(train.channels))
        for name in ("templates", "template_onset"):
            if name not in train.truth:
                raise UserError(
                    f"the dataset holds no `truth/{name}`, which `oracle` needs; take a dataset"
                    " that is generated, or the baseline `matched_filter`"
                )
        if train.truth["templates"].shape[:2] != expected:
            raise UserError(
                f"`truth/templates` has shape {train.truth['templates'].shape}; it must be"
                f" {expected[0]} types by {expected[1]} channels by samples"
            )
        return train.truth
