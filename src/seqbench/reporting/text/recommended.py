"""Text of the first table: which method to take on each dataset, what it costs, how to use it."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.reporting.scores.recommendations import Recommendation, recommendation
from seqbench.reporting.text.usage import usage_of

TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method with its costs in words."""

    row: ModelScores
    training: str
    prediction: str
    memory: str


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """One dataset of the table.

    Parameters
    ----------
    methods
        The one to take and its runner-up, as far as there are any.
    command
        How the one to take predicts; None where there is none.
    """

    material: Material
    choice: Recommendation
    methods: list[Method]
    command: str | None


def recommended(plan: Plan, materials: Iterable[Material]) -> list[Recommended]:
    """Return the rows of the table, in the order of the plan."""
    return [_recommended(plan, material) for material in materials]


def _recommended(plan: Plan, material: Material) -> Recommended:
    board = material.board
    choice = recommendation(board)
    rows = [row for row in (choice.taken, choice.runner_up) if row is not None]
    taken = choice.taken
    return Recommended(
        material=material,
        choice=choice,
        methods=[_method(row, material) for row in rows],
        command=None if taken is None else usage_of(plan, board, taken).command,
    )


def _method(row: ModelScores, material: Material) -> Method:
    spent = [row.cost(key) for key in ("pretrain_s", "train_s")]
    known = [seconds for seconds in spent if seconds is not None]
    return Method(
        row=row,
        training=formats.seconds(sum(known) if known else None),
        prediction=_prediction(row, material),
        memory=formats.memory(row.cost("peak_memory_bytes")),
    )


def _prediction(row: ModelScores, material: Material) -> str:
    """Return the speed of prediction: of recordings by their duration, else by window."""
    if material.windows.timeline is not None and (share := row.cost("predict_s_per_s")):
        speed = formats.amount(1 / share) if share < 0.1 else f"{1 / share:.2g}"
        return f"{speed} {TIMES} real time"
    times = [
        seconds / n
        for result in row.results
        if (seconds := result.cost("predict_s")) is not None and (n := result.n_windows("test"))
    ]
    return f"{1000 * fmean(times):.2g} ms a window" if times else formats.NOTHING
