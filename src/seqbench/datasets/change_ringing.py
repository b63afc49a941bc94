"""Methods of change ringing: rows of bells from the place notation of a method."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import explained, fault

PLACES = "1234567890ET"  # as place notation writes them
MOST_LEADS_BEFORE = 20  # leads that may be over when a touch is joined
CALLED = 0.3  # fraction of the leads that end in a bob or a single

# A change: index of the place from which each place takes its bell, (n_bells,).
Change = NDArray[np.int64]


class Method(NamedTuple):
    """A method: its name, the changes of a plain lead, and the calls that replace the last one."""

    name: str
    lead: list[Change]
    calls: list[Change]


def methods_for(n_bells: int, tables: list[Path]) -> list[Method]:
    """Return the methods that tables have for a number of bells.

    Parameters
    ----------
    n_bells
        Bells that change places.
    tables
        CSV files with the columns ``Method Name``, ``Number of Bells``, ``Plain
        Lead``, ``Call Row``, ``Bob`` and ``Single``. Methods whose bob is not one
        change in place of the last of a lead (call row 0) are left out.

    Raises
    ------
    DataError
        If a table cannot be read, or a place notation is none.
    """
    found = []
    for path in tables:
        hint = "reinstall the package that it belongs to"
        with explained(path, hint):
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            for number, row in enumerate(rows, start=2):
                bob, single = row["Bob"], row["Single"]
                is_used = int(row["Number of Bells"]) == n_bells and row["Call Row"] == "0"
                if not is_used or not bob or "." in bob:
                    continue
                try:
                    lead = list(changes_of(row["Plain Lead"], n_bells))
                    calls = [_change(call, n_bells) for call in (bob, single) if call]
                except ValueError as error:
                    raise fault(path, str(error), hint, row=number) from None
                found.append(Method(row["Method Name"], lead, calls))
    return found


def changes_of(notation: str, n_bells: int) -> Iterator[Change]:
    """Yield the changes that a place notation stands for.

    Blocks are divided by commas. Behind ``&`` a block is followed by itself
    backwards, its last change not repeated. ``x`` swaps all pairs; digits (``0``
    for ten, ``E``, ``T``) name the places whose bells stay.

    Raises
    ------
    ValueError
        If it is no place notation for so many bells.
    """
    for block in notation.split(","):
        parts = re.findall(r"[xX]|[^xX.&]+", block)
        if block.startswith("&"):
            parts += parts[-2::-1]
        for part in parts:
            yield _change(part, n_bells)


def touch(generator: np.random.Generator, method: Method, n_rows: int) -> NDArray[np.int64]:
    """Return consecutive rows of a method with calls at random, (n_rows, n_bells).

    The touch began in rounds, up to `MOST_LEADS_BEFORE` leads before the first row.
    """
    row = np.arange(len(method.lead[0]))
    n_before = int(generator.integers(MOST_LEADS_BEFORE + 1)) * len(method.lead)
    rows: list[NDArray[np.int64]] = []
    while len(rows) < n_before + n_rows:
        *inner, last = method.lead
        if generator.random() < CALLED:
            last = method.calls[generator.integers(len(method.calls))]
        for change in (*inner, last):
            rows.append(row)
            row = row[change]
    return np.array(rows[n_before : n_before + n_rows])


def _change(part: str, n_bells: int) -> Change:
    staying = set() if part in "xX" else {PLACES.find(place) for place in part}
    change = np.arange(n_bells)
    place = 0
    while place < n_bells:
        if place in staying:
            staying.remove(place)
            place += 1
        elif place + 1 < n_bells and place + 1 not in staying:
            change[[place, place + 1]] = place + 1, place
            place += 2
        else:
            staying.add(n_bells)
            break
    if staying:
        raise ValueError(f"'{part}' is no change of {n_bells} bells")
    return change
