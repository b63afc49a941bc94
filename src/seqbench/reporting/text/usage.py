"""How a model is used on new recordings: the command, and the lines of Python."""

from dataclasses import dataclass

from seqbench import layout
from seqbench.plan.plan import Plan
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores

SAMPLES = ("series", "tokens", "video")


@dataclass(frozen=True)
class Usage:
    """A model in words, and how it predicts."""

    model: str
    command: str
    python: str


def usage(model: str, path: str, sample: str) -> Usage:
    """Return how the model at a path is used, in the folder that holds `results/`.

    Parameters
    ----------
    model
        In words.
    path
        File or folder.
    sample
        Kind of sample of its dataset.
    """
    new = "A TEXT" if sample == "tokens" else "FILE"
    return Usage(
        model=model,
        command=f"seqbench predict --model {path} --recording FILE",
        python=f'import seqbench\n\nmodel = seqbench.load("{path}")\n'
        f'table = model.predict("{new}").to_frame()',
    )


def usages(plan: Plan, board: Leaderboard) -> list[Usage]:
    """Return how the model selected on val and the best baseline are used."""
    return [usage_of(plan, board, row) for row in board.compared]


def usage_of(plan: Plan, board: Leaderboard, row: ModelScores) -> Usage:
    """Return how one of these is used.

    Parameters
    ----------
    plan
        With runs left out, the folder of the best models is not made yet: runs stand in for it.
    board
        Leaderboard of the dataset.
    row
        The model selected on val or the best baseline.
    """
    run = row.chosen.run
    if not row.is_baseline:
        path = plan.model_file(run) if plan.unfinished else layout.BEST
        words = f"The model selected on val, {_named(row)}"
    else:
        has_folder = board.selected is not None and not plan.unfinished
        path = layout.BEST_BASELINE if has_folder else run.fill(layout.MODEL)
        words = f"The best baseline, {row.architecture}"
    return usage(words, path.format(dataset=board.dataset), plan.benchmark.sample(board.dataset))


def _named(row: ModelScores) -> str:
    n_seeds = row.n_seeds
    return f"{row.name}, the mean of {n_seeds} seeds" if n_seeds > 1 else row.name
