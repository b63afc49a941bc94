"""Results of several people or machines, as they are read to be joined."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.errors import FormatError, UserError
from seqbench.plan.plan import Plan, Run
from seqbench.plan.workflow_jobs import overlap_files
from seqbench.reporting.read.finished import finished_part
from seqbench.reporting.read.results import Result, collect, origin_of
from seqbench.reporting.read.searches import Choices, read_choices
from seqbench.storage.overlaps import Overlap, read_overlap
from seqbench.storage.publication import Digests, Publication, read_publication
from seqbench.storage.static_folder import INDEX, PUBLISHED, check, is_made_by
from seqbench.storage.window_digest import window_digest
from seqbench.storage.windows import SPLITS, LeakCheck, read_leakcheck


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
    leakchecks
        What splits share, by dataset or fold of one, where it was looked for.
    overlaps
        What datasets share with others that models of them were pretrained on.
    choices
        Options that were chosen on val.
    """

    name: str
    plan: Plan
    results: list[Result]
    windows: Digests
    leakchecks: dict[str, LeakCheck]
    overlaps: list[Overlap]
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
        index = read_publication(root)
        _refuse_unknown_windows(index, root, plan)
        windows, leakchecks = index.windows, index.leakchecks
    else:
        plan = finished_part(whole, root)
        windows, leakchecks = window_digests(plan, root), leakchecks_of(plan, root)
    choices = {
        pair: choice
        for dataset in plan.base_datasets
        for pair, choice in read_choices(plan, root, dataset).items()
    }
    overlaps = [read_overlap(root / path) for path in overlap_files(plan, plan.runs)]
    return Source(name, plan, collect(plan, root), windows, leakchecks, overlaps, choices)


def window_digests(plan: Plan, root: Path) -> Digests:
    """Return the digests of all windows that runs of a plan learned from or were scored on."""
    names = dict.fromkeys([*plan.windowed, *(run.dataset for run in plan.runs)])
    return {
        name: {s: window_digest(root / layout.WINDOWS.format(dataset=name), s) for s in SPLITS}
        for name in names
    }


def leakchecks_of(plan: Plan, root: Path) -> dict[str, LeakCheck]:
    """Return what the splits of datasets share, of those where it was looked for."""
    found = {
        one: read_leakcheck(root / layout.WINDOWS.format(dataset=one)) for one in plan.datasets
    }
    return {name: check for name, check in found.items() if check is not None}


def _refuse_unknown_windows(index: Publication, root: Path, plan: Plan) -> None:
    for name in [*(run.dataset for run in plan.runs), *index.windows]:
        if not set(SPLITS) <= index.windows.get(name, {}).keys():
            raise FormatError(f"{root / INDEX}: has no windows of {name}; publish the results anew")
