"""Which code, versions and machines results come from, as their `metrics.json` says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def origin_of(contents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return commit, versions, machine and device; several values of one thing stand side by side.

    Parameters
    ----------
    contents
        The `metrics.json` of each run.
    """
    said: dict[str, list[str]] = {}
    for content in contents:
        provenance = content.get("provenance") or {}
        flat = {
            "commit": commit_of(content),
            **(provenance.get("versions") or {}),
            **(provenance.get("machine") or {}),
            "device": provenance.get("device"),
            "threads": provenance.get("threads"),
        }
        for key, value in flat.items():
            if value is not None:
                said.setdefault(key, []).append(
                    value if isinstance(value, str) else json.dumps(value)
                )
    return {key: "; ".join(sorted(set(values))) for key, values in said.items()}


def commit_of(content: Mapping[str, Any]) -> str:
    """Return the commit of the code that made a run, or "unknown"."""
    return str((content.get("provenance") or {}).get("commit") or "unknown")
