"""What a training leaves beside its model: the history of its epochs, and a transfer manifest."""

from io import StringIO
from pathlib import Path

import pandas as pd

from seqbench.errors import DamagedError
from seqbench.storage.kinds import read_text
from seqbench.storage.records import Record


class Skipped(Record):
    """A tensor that did not move into an encoder, and why."""

    name: str
    why: str


class Transfer(Record):
    """What became of the tensors of a pretrained encoder; see `pretraining.transfer`."""

    encoder: str
    fraction: float | None
    copied: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def read_transfer(path: Path) -> Transfer:
    """Read a `transfer.json`; a FormatError says what is wrong with it."""
    text = read_text(path, "transfer")
    try:
        return Transfer.parse(text)
    except ValueError as error:
        raise DamagedError(f"{path}: damaged or cut short ({error})") from None


def read_history(path: Path, n_epochs: int | None = None) -> pd.DataFrame:
    """Read a `history.csv`, which has a row for each epoch.

    Parameters
    ----------
    n_epochs
        Number of epochs, where it is known: a file cut between two rows shows by that alone.

    Raises
    ------
    FormatError
        If the file is missing, no regular file, damaged or cut short.
    """
    text = read_text(path, "history")
    try:
        table = pd.read_csv(StringIO(text), index_col=False)
    except ValueError as error:
        raise DamagedError(f"{path}: damaged or cut short ({error})") from None
    epochs = list(range(1, (n_epochs or max(len(table), 1)) + 1))
    is_whole = text.endswith("\n") and list(table.get("epoch", ())) == epochs
    if not is_whole or table.select_dtypes("number").shape != table.shape:
        raise DamagedError(
            f"{path}: damaged or cut short, not the history of {len(epochs)} epochs in numbers"
        )
    return table
