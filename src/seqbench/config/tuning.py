"""How options are searched: trials of a model, the space of its options, the points in it."""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_serializer, model_validator

from seqbench.config.options import NaturalNumber, Options
from seqbench.config.rungs import Rung, rungs
from seqbench.config.stages import FinetuneSettings

DIGITS = 3  # significant ones of a number from a range, so that people can copy it
SEED = 0  # of the scrambling of the points
MOST_DRAWS = 4096  # a space whose points are fewer is exhausted long before
FORMS = "takes a list of values, or a range as {low: 0.1, high: 0.5}"
Point = dict[str, Any]


class Dimension(Options):
    """What a search may set an option to: a list of values, or {low, high, log} of a number."""

    values: tuple[Any, ...] | None = Field(None, description="The values.")
    low: float | None = Field(None, description="Lowest number of a range.")
    high: float | None = Field(None, description="Highest number of a range.")
    log: bool = Field(False, description="Whether all orders of magnitude are alike in number.")

    @model_validator(mode="before")
    @classmethod
    def _list_is_of_values(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return {"values": given}
        if isinstance(given, dict | Dimension):
            return given
        raise ValueError(FORMS)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.values is not None:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError("takes a list of values, or low and high, not both")
            if not self.values:
                raise ValueError("lists no value")
            if any(value in self.values[:i] for i, value in enumerate(self.values)):
                raise ValueError("lists a value twice")
            return self
        if self.low is None or self.high is None:
            raise ValueError(FORMS)
        if not self.low < self.high:
            raise ValueError("low must be less than high")
        if self.log and self.low <= 0:
            raise ValueError("low must be above 0 where log is true")
        return self

    @model_serializer
    def _as_written(self) -> Any:
        if self.values is not None:
            return list(self.values)
        return {"low": self.low, "high": self.high, "log": self.log}

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that must be legal for all to be: every one of a list, both ends of a range."""
        return (self.low, self.high) if self.values is None else self.values

    def at(self, share: float, *, is_whole: bool) -> Any:
        """Return the value at a share, in [0, 1), of the way through the values or the range."""
        if self.values is not None:
            return self.values[int(share * len(self.values))]
        low, high = float(self.low or 0.0), float(self.high or 0.0)
        if self.log:
            value = math.exp(math.log(low) + share * math.log(high / low))
        else:
            value = low + share * (high - low)
        if is_whole:
            return min(max(round(value), math.ceil(low)), math.floor(high))
        return min(max(float(f"{value:.{DIGITS}g}"), low), high)


Space = dict[str, Dimension]

# Of all networks, beside the space that an architecture is registered with.
SPACE_OF_TRAINING: Space = {
    "learning_rate": Dimension(low=3e-4, high=1e-2, log=True),
    "weight_decay": Dimension(low=1e-4, high=0.3, log=True),
    "batch_size": Dimension(values=(16, 32, 64)),
}
# Settings of `finetune` that have no effect on trials, or none on how good a model is.
NOT_TUNED = ("precision", "unfreeze", "unfreeze_epochs", "refit", "gpus")


class TuneSettings(Options):
    """Search for options of models, each trial of which is scored on val."""

    trials: NaturalNumber = Field(
        0,
        le=1000,
        description="Trials of each model that has a space, on each dataset and fold; the first has"
        " the options as they are. 0: no search.",
    )
    method: Literal["random", "halving"] = Field(
        "random",
        description="random: all trials train with all epochs; halving: all trials of a network"
        " with a part of the epochs, the best of them again with more, up to all. A baseline has no"
        " epochs, and all its trials are whole.",
    )
    factor: Annotated[int, Field(ge=2, le=10)] = Field(
        3, description="`halving`: one of so many trials goes on, with so many times the epochs."
    )

    @model_validator(mode="after")
    def _has_a_choice(self) -> Self:
        if self.trials == 1:
            raise ValueError("the one trial would have the options as they are; give 2 or more")
        if self.method == "halving" and 0 < self.trials < self.factor:
            raise ValueError(
                f"of {self.trials} trials none would go on by halving; give {self.factor} or more,"
                " a smaller factor, or `method: random`"
            )
        return self

    def rungs(self, n_trials: int, trainings: Sequence[FinetuneSettings]) -> list[Rung]:
        """Return the rungs of so many trials, given how they train; a random search has one."""
        if self.method == "random":
            return [Rung(n_trials, 1)]
        return rungs(n_trials, self.factor, trainings)


class ModelTuneSettings(TuneSettings):
    """The same for one architecture or baseline."""

    space: Space | None = Field(
        None,
        description="Options to search in place of the registered space: of the model, and of an"
        " architecture `embedding_size` and settings of `finetune` too.",
    )


def points(space: Space, untuned: Point, whole: set[str], n: int) -> Iterator[Point]:
    """Yield the points of the trials of a search, all different.

    The first is `untuned`, the others are those of a scrambled Halton sequence: each has its
    place whatever their number is, so more trials leave those before as they are.

    Parameters
    ----------
    space
        Options to search.
    untuned
        Their values without a search.
    whole
        Options whose values are whole numbers.
    n
        Points at most; a space of few values may have less.

    References
    ----------
    Owen (2017). A randomized Halton algorithm in R. arXiv:1706.02808; Bergstra, Bengio (2012).
    Random search for hyper-parameter optimization. JMLR 13.
    """
    from scipy.stats.qmc import Halton  # takes a second, which only a search spends

    names = sorted(space)
    found = [{name: untuned[name] for name in names}]
    yield found[0]
    for shares in Halton(d=len(names), scramble=True, seed=SEED).random(MOST_DRAWS):
        if len(found) >= n:
            return
        point = {
            name: space[name].at(float(share), is_whole=name in whole)
            for name, share in zip(names, shares, strict=True)
        }
        if point not in found:
            found.append(point)
            yield point
