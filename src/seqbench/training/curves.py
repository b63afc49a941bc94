"""TensorBoard logs of a training: curves, hyper-parameters and kept values, without effect."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, float]
PLACE = ("epoch", "steps")  # of a row in the course of the training
NO_RESULT = (*PLACE, "learning_rate", "gradient_norm", "seconds")  # neither loss nor score
KEPT = "kept"  # in front of the values of the epoch whose weights were kept


@dataclass(frozen=True)
class Curves:
    """Where a training draws its curves.

    Parameters
    ----------
    folder
        For TensorBoard logs; those in it are removed.
    hyperparameters
        Settings of the training, nested as they are.
    """

    folder: Path
    hyperparameters: Mapping[str, Any]


class Drawing:
    """What adds to a log; without a writer, nothing is written."""

    def __init__(
        self, writer: Any = None, hyperparameters: Mapping[str, Any] | None = None
    ) -> None:
        self._writer = writer
        self._hyperparameters = dict(flat(hyperparameters or {}))

    def epoch(self, row: Row) -> None:
        """Add the values of an epoch."""
        if self._writer is not None:
            for name in row.keys() - {*PLACE}:
                self._writer.add_scalar(name, row[name], int(row["epoch"]))

    def end(self, history: Sequence[Row], best_epoch: int) -> None:
        """Add the hyper-parameters, with the values of the epoch that was kept.

        The first weights, epoch 0, have no row; then there are hyper-parameters alone.
        """
        if self._writer is None:
            return
        from torch.utils.tensorboard.summary import hparams

        row = history[best_epoch - 1] if best_epoch else {}
        kept = {f"{KEPT}/{name}": row[name] for name in sorted(row) if name not in NO_RESULT}
        for summary in hparams(self._hyperparameters, kept):
            self._writer.file_writer.add_summary(summary)
        for name, value in kept.items():
            self._writer.add_scalar(name, value, best_epoch)


@contextmanager
def drawing(curves: Curves | None, history: Sequence[Row]) -> Iterator[Drawing]:
    """Give what adds epochs to a new TensorBoard log, which begins with the finished ones."""
    if curves is None:
        yield Drawing()
        return
    from torch.utils.tensorboard import SummaryWriter

    for old in curves.folder.glob("events.out.tfevents.*"):
        old.unlink()
    with SummaryWriter(str(curves.folder)) as writer:
        draw = Drawing(writer, curves.hyperparameters)
        for row in history:
            draw.epoch(row)
        yield draw


def flat(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, bool | float | str]]:
    """Yield nested settings by dotted name, as TensorBoard takes them, without None."""
    for key, value in settings.items():
        name = f"{place}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        elif isinstance(value, bool | int | float | str):
            yield name, value
        elif value is not None:
            yield name, ", ".join(map(str, value))
