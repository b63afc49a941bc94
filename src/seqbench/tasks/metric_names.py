"""Names of metrics: a family, registered once, has a value at each tolerance.

``f1_at`` is registered and tagged ``at_tolerances``; results hold
``f1_at_0.5ms`` to ``f1_at_150ms``. All other metrics are their own family.
"""

import re
from typing import Any

from seqbench.config.registry import METRICS
from seqbench.config.tolerances import TOLERANCES_MS


def expand(family: str) -> list[str]:
    """Return the names under which the values of a family stand in results."""
    if not METRICS.entry(family).tags.get("at_tolerances", False):
        return [family]
    return [f"{family}_{tolerance_ms:g}ms" for tolerance_ms in TOLERANCES_MS]


def family_of(name: str) -> tuple[str, float | None]:
    """Return the registered family of a metric and its tolerance in milliseconds.

    Raises
    ------
    KeyError
        If no metric has that name; the message lists the known ones.
    """
    found = re.fullmatch(r"(\w+)_([\d.]+)ms", name)
    if found and found[1] in METRICS and name in expand(found[1]):
        return found[1], float(found[2])
    if METRICS.entry(name).tags.get("at_tolerances", False):
        raise KeyError(f"metric '{name}' has a value at each tolerance: " + ", ".join(expand(name)))
    return name, None


def tags(name: str) -> dict[str, Any]:
    """Return the tags under which a metric is registered."""
    return METRICS.entry(family_of(name)[0]).tags


def summary(name: str) -> str:
    """Return what a metric is, in one sentence."""
    family, tolerance_ms = family_of(name)
    of_family = METRICS.entry(family).summary
    if tolerance_ms is None:
        return of_family
    return f"{of_family.removesuffix('.')}, at a tolerance of {tolerance_ms:g} ms."


def higher_is_better(metric: str) -> bool:
    """Return whether a metric improves upwards."""
    return bool(tags(metric)["better"] == "higher")


def best_at_zero(metric: str) -> bool:
    """Return whether a metric may have either sign and is best at zero."""
    return bool(tags(metric)["better"] == "zero")
