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
    """Return how the model selected on val and the best baseline are used.

    Parameters
    ----------
    plan
        With runs left out, the folder of the best models is not made yet: runs stand in for it.
    board
        Leaderboard of the dataset.
    """
    found, sample = [], plan.benchmark.sample(board.dataset)
    if (best := board.selected) is not None:
        path = layout.BEST if not plan.unfinished else plan.model_file(best.chosen.run)
        words = f"The model selected on val, {_named(best)}"
        found.append(usage(words, path.format(dataset=board.dataset), sample))
    if (baseline := board.best_baseline) is not None:
        path = baseline.chosen.run.fill(layout.MODEL)
        if best is not None and not plan.unfinished:
            path = layout.BEST_BASELINE
        words = f"The best baseline, {baseline.architecture}"
        found.append(usage(words, path.format(dataset=board.dataset), sample))
    return found


def _named(row: ModelScores) -> str:
    n_seeds = row.n_seeds
    return f"{row.name}, the mean of {n_seeds} seeds" if n_seeds > 1 else row.name
