"""Which trials of a rung of a search go on to the next one."""

from collections.abc import Sequence
from pathlib import Path

from seqbench.storage.trials import Promotion, Trial, read_trial, write_promotion
from seqbench.tuning.ranking import ranked


def promote(trials: Sequence[Path], n_promoted: int, promotion: Path) -> None:
    """Write the numbers of the trials of a rung that go on."""
    found = [read_trial(path) for path in trials]
    first = found[0]
    numbers = promoted(found, n_promoted)
    write_promotion(
        promotion,
        Promotion(
            dataset=first.dataset,
            architecture=first.architecture,
            rung=first.rung,
            trials=tuple(numbers),
        ),
    )


def promoted(trials: Sequence[Trial], n: int) -> list[int]:
    """Return the numbers of the `n` best trials on val and of trial 0, in order.

    Trial 0 has the options as configured. With all its epochs it is what other options must
    beat, however it does with a part of them. A trial without a score does not go on.
    """
    best = [one.trial for one in ranked(trials) if one.score is not None][:n]
    return sorted({0, *best})
