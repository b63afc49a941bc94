"""Names of arms: how the encoder starts and what may move."""

from typing import Annotated, NamedTuple, Self

from pydantic import Field

MODES = ("probe", "finetune")  # last words of names of arms but the first two
FROM = "_from_"  # between an objective and the dataset that it pretrains on
FILE = "from_file"  # in place of an objective
# Longer than other names, as it holds those of an objective and a dataset.
ArmName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=160)]


class Arm(NamedTuple):
    """How the encoder starts and what may move.

    Parameters
    ----------
    objective
        That pretrained the encoder; None: random weights, or those of a file.
    frozen
        Whether the encoder keeps its weights.
    dataset
        On which it was pretrained; None: that of the run.
    from_file
        Whether it starts from the file that `init` of the architecture names.
    """

    objective: str | None
    frozen: bool
    dataset: str | None = None
    from_file: bool = False

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read the name of an arm; names of objectives hold no `FROM`, those of datasets may."""
        if name in ("scratch", "random_frozen"):
            return cls(objective=None, frozen=name == "random_frozen")
        start, _, mode = name.rpartition("_")
        if start == FILE:
            return cls(objective=None, frozen=mode == "probe", from_file=True)
        objective, _, dataset = start.partition(FROM)
        return cls(objective=objective, frozen=mode == "probe", dataset=dataset or None)

    @property
    def is_pretrained(self) -> bool:
        """Whether the encoder starts from weights that were trained before."""
        return self.objective is not None or self.from_file
