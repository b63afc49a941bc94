"""The tier of a label file that holds several."""

from pathlib import Path

from seqbench.config.registry import suggestion
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import plain


def chosen_tier(path: Path, tiers: list[str], requested: str | None) -> str:
    """Return the requested tier, or the only one.

    Raises
    ------
    DataError
        If there is no such tier, or none is requested and there are several.
    """
    if requested is not None:
        for tier in tiers:
            if plain(tier) == plain(requested):
                return tier
        raise fault(path, f"it has no tier '{requested}'", suggestion(requested, tiers))
    if len(tiers) != 1:
        problem = f"it has the tiers {', '.join(tiers)}" if tiers else "it has no tier"
        raise fault(path, problem, "name the one to read in `tier` of `labels`")
    return tiers[0]
