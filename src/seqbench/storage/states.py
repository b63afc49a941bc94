"""The folder from which an interrupted training goes on: what lies in it, and how it goes."""

from contextlib import suppress
from pathlib import Path

from seqbench.layout import STATES


def state_file(folder: Path) -> Path:
    """Return where the state lies in the folder of a training."""
    return folder / "state.safetensors"


def remove_state(folder: Path) -> None:
    """Remove the state of a training, and its folder if nothing else is in it."""
    state_file(folder).unlink(missing_ok=True)
    remove_empty(folder)


def remove_empty(folder: Path) -> None:
    """Remove a folder, and those above it up to that of all states, as far as they are empty."""
    above = [one for one in folder.parents if Path(STATES).name in one.parts]
    with suppress(OSError):
        for one in (folder, *above):
            one.rmdir()
