"""`model_card.json`: the model that val selects on a dataset, for people and for prediction.

It lies in ``results/best/DATASET`` beside the models that it names.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from seqbench import layout
from seqbench.errors import DamagedError, FormatError
from seqbench.storage.kinds import read_text
from seqbench.storage.metrics import Score
from seqbench.storage.records import Count, Name, Record, RunIdentity

CARD = Path(layout.CARD).name
File = Annotated[str, Field(pattern=r"^(seed\d{1,19}|baseline)/model\.safetensors$")]
Scores = dict[str, dict[str, Score]]


class CardModel(Record):
    """A model file of the folder.

    Attributes
    ----------
    file
        Relative to the folder of the card.
    sha256
        Of the file, so that nobody takes the card for that of another model.
    run
        Identity of the run that made it.
    """

    file: File
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    run: RunIdentity


class Ensemble(Record):
    """The models of all seeds, their scores averaged.

    Attributes
    ----------
    tuned
        What val chooses for the averaged scores, as in the header of a model.
    scores
        By split, then by metric, as of a run.
    """

    tuned: dict[str, Any] = Field(default_factory=dict)
    scores: Scores


class CardScore(Record):
    """A metric on test: mean and interval over the runs of the model, and what stands beside it.

    Attributes
    ----------
    mean, sd, n, low, high
        Over seeds and folds, as on the page; bounds of the 95 % interval.
    val
        Mean on val.
    floor, ceiling, baseline
        Means of the baselines that know nothing and the truth, and of the best one.
    """

    metric: Name
    mean: float | None
    sd: float | None
    n: Count
    low: float | None
    high: float | None
    val: float | None
    floor: float | None = None
    ceiling: float | None = None
    baseline: float | None = None


class ModelCard(Record):
    """What is known of a model that is handed over.

    Attributes
    ----------
    dataset, task, model, selection
        Of what, for what, which (architecture and arm), and the rule that selected it.
    models
        A file for each seed.
    ensemble
        None of a single model.
    baseline
        The best baseline; None where there is none.
    inputs
        Channels, units, sampling rate, window, normalisation.
    outputs
        Classes, event types or values.
    headline, scores
        The metric that ranks models, and all metrics of the leaderboard.
    costs
        Of one run, by name as in `summary.csv`: the mean over the runs of the model.
    data
        Chapters of the data card.
    settings, provenance
        Of each step that made the first model, and the code and machine behind it.
    command, python
        How to predict.
    limits
        What the model is not made for, as far as it is known.
    """

    dataset: Name
    task: Name
    model: Name
    selection: str
    models: Annotated[tuple[CardModel, ...], Field(min_length=1, max_length=10_000)]
    ensemble: Ensemble | None
    baseline: CardModel | None
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    headline: Name
    scores: tuple[CardScore, ...]
    costs: dict[Name, float] = Field(default_factory=dict)
    data: dict[str, dict[str, str]]
    settings: dict[str, Any]
    provenance: dict[str, Any]
    command: str
    python: str
    limits: tuple[str, ...]

    @property
    def files(self) -> tuple[CardModel, ...]:
        """The models of the folder, and the best baseline behind them."""
        return (*self.models, *([self.baseline] if self.baseline else []))


def read_card(folder: Path) -> ModelCard:
    """Read the card of a folder of models.

    Raises
    ------
    FormatError
        If it is missing, damaged, no card, or one of other models than lie there.
    """
    path = folder / CARD
    try:
        card = ModelCard.parse(read_text(path, "card"))
    except ValueError as error:
        raise DamagedError(f"{path}: not the card of a model ({error})") from None
    for one in card.models:
        if not (folder / one.file).is_file() or sha256(folder / one.file) != one.sha256:
            raise FormatError(
                f"{folder / one.file}: is not the model of {path}; run the benchmark again"
            )
    return card


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
