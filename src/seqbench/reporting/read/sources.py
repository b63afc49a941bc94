"""Results of several people or machines, as they are read to be joined."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.errors import FormatError, UserError
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.read.finished import finished_part
from seqbench.reporting.read.results import Result, collect, origin_of
from seqbench.reporting.read.searches import Choices, read_choices
from seqbench.storage.publication import Digests, read_publication
from seqbench.storage.static_folder import INDEX, PUBLISHED, check, is_made_by
from seqbench.storage.window_digest import window_digest
from seqbench.storage.windows import SPLITS


@dataclass(frozen=True)
class Source:
    """What one of several leaves to be joined.

    Parameters
    ----------
    name
        What it is called.
    plan
        Its runs have finished.
    results
        One of each run.
    windows
        Digests of windows, by dataset or fold of one, and split.
    choices
        Options that were chosen on val.
    """

    name: str
    plan: Plan
    results: list[Result]
    windows: Digests
    choices: Choices

    @cached_property
    def by_run(self) -> dict[Run, Result]:
        """The results by run."""
        return {one.run: one for one in self.results}

    @property
    def origin(self) -> dict[str, str]:
        """Versions, machine and device, as the page of a report has them."""
        return origin_of(one.metrics.provenance for one in self.results)


def read_source(root: Path, name: str) -> Source:
    """Read results, or what was published of them.

    Parameters
    ----------
    root
        Folder that holds `results/`.
    name
        What they are called.

    Raises
    ------
    UserError
        If a file is missing, damaged, or not what was published; or no trained model has finished.
    """
    config = root / layout.CONFIG
    if not config.is_file():
        raise UserError(
            f"{config}: no such file; name a folder of results, or one that `seqbench publish` made"
        )
    whole = Plan(Benchmark.read(config))
    if is_made_by(root, PUBLISHED):
        check(root)
        missing = [run for run in whole.runs if not (root / run.fill(layout.METRICS)).exists()]
        plan = Plan(whole.benchmark, missing)
        windows = _published_digests(root, plan)
    else:
        plan = finished_part(whole, root)
        windows = window_digests(plan, root)
    choices = {
        pair: choice
        for dataset in plan.base_datasets
        for pair, choice in read_choices(plan, root, dataset).items()
    }
    return Source(name, plan, collect(plan, root), windows, choices)


def window_digests(plan: Plan, root: Path) -> Digests:
    """Return the digests of all windows that runs of a plan learned from or were scored on."""
    names = dict.fromkeys([*plan.windowed, *(run.dataset for run in plan.runs)])
    return {
        name: {s: window_digest(root / layout.WINDOWS.format(dataset=name), s) for s in SPLITS}
        for name in names
    }


def _published_digests(root: Path, plan: Plan) -> Digests:
    found = read_publication(root).windows
    for run in plan.runs:
        if not set(SPLITS) <= found.get(run.dataset, {}).keys():
            raise FormatError(
                f"{root / INDEX}: has no windows of {run.dataset}; publish the results anew"
            )
    return found
