"""Code, versions and machines of results."""

from __future__ import annotations

import json
from collections.abc import Iterable

from seqbench.storage.records import Provenance


def origin_of(provenances: Iterable[Provenance]) -> dict[str, str]:
    """Return commit, versions, machine and device; several values of one thing stand side by side.

    Parameters
    ----------
    provenances
        Of each run.
    """
    found: dict[str, set[str]] = {}
    for one in provenances:
        flat = {
            "commit": one.commit,
            **one.versions,
            **one.machine,
            "device": one.device,
            "threads": one.threads,
        }
        for key, value in flat.items():
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                found.setdefault(key, set()).add(text)
    return {key: "; ".join(sorted(values)) for key, values in found.items()}
