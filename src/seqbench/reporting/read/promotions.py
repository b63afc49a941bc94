"""Which trials of searches have gone on from rung to rung."""

from pathlib import Path

from seqbench import layout
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan
from seqbench.plan.searches import Promotions
from seqbench.storage.trials import read_promotion


def read_promotions(plan: Plan, root: Path) -> Promotions:
    """Return the trials that go on from each rung, as far as these are ranked.

    A file that names other trials than the plan has is of another configuration, and its rung
    will be ranked again; so will those behind it.

    Raises
    ------
    FormatError
        If a file is damaged, or of another model.
    """
    found = {}
    for dataset, architecture in plan.tuned:
        reached = set(range(len(plan.trials(architecture))))
        for rung in range(len(plan.rungs(architecture)) - 1):
            names = {"dataset": dataset, "architecture": architecture, "rung": rung}
            path = root / layout.PROMOTION.format(**names)
            if not path.exists():
                break
            promotion = read_promotion(path)
            if {name: getattr(promotion, name) for name in names} != names:
                raise FormatError(f"{path}: is of another search; delete it and run again")
            if not {0} <= set(promotion.trials) <= reached:
                break
            found[dataset, architecture, rung] = promotion.trials
            reached = set(promotion.trials)
    return found
