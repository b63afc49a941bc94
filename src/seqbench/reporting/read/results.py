"""What runs left behind: each as a `Result`, and all of them as the tidy summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbench import layout
from seqbench.config.datasets import FoldOf
from seqbench.config.stages import Fold
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.read.energy import DERIVED, derived_costs
from seqbench.storage.metrics import Metrics, Score, read_metrics
from seqbench.storage.records import Provenance

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("dataset", "architecture", "arm", "labels", "seed", "split", "metric", "value")


@dataclass(frozen=True)
class Result:
    """What one run left behind.

    Parameters
    ----------
    run
        Its identity, as the plan has it.
    metrics
        Its `metrics.json`.
    of
        What its dataset is a fold of; None: it is none.
    derived
        Costs that follow from those of `metrics`, by name.
    """

    run: Run
    metrics: Metrics
    of: FoldOf | None = None
    derived: Mapping[str, float] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """Name of the dataset, the same for all of its folds."""
        return self.of.dataset if self.of else self.run.dataset

    @property
    def fold(self) -> Fold | None:
        """Place of the fold; None where the dataset is none."""
        return self.of.fold if self.of else None

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.metrics.task

    @property
    def headline(self) -> str:
        """The metric that ranks models; higher is better."""
        return self.metrics.headline

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.run.is_baseline

    def value(self, metric: str, split: str = "test") -> float | None:
        """Return a metric, or None where it is not defined."""
        return self._score(metric, split).value

    def interval(self, metric: str, split: str = "test") -> tuple[float, float] | None:
        """Return the bootstrap interval of a metric, or None where it is not defined."""
        score = self._score(metric, split)
        return None if score.low is None or score.high is None else (score.low, score.high)

    def resampled(self, metric: str) -> NDArray[np.float64] | None:
        """Return the values of the headline on resamples of test, (R,); None where there are none.

        NaN stands for a resample in which it is not defined. Those of all runs
        on the same windows are of the same resamples.
        """
        values = self._score(metric, "test").resampled
        return None if values is None else np.array(values, dtype=np.float64)

    def cost(self, key: str) -> float | None:
        """Return a cost of the run, or None where it is not known."""
        if key in DERIVED:
            return self.derived.get(key)
        return getattr(self.metrics.cost, key)

    def n_windows(self, split: str) -> int | None:
        """Return the number of windows of a split that the run used."""
        return self.metrics.n_windows.get(split)

    def _score(self, metric: str, split: str) -> Score:
        return self.metrics.scores.get(split, {}).get(metric, Score())


def collect(plan: Plan, root: Path) -> list[Result]:
    """Read what every run of a plan left behind.

    Parameters
    ----------
    plan
        Names the runs; no directory is searched.
    root
        Folder that holds `results/`.

    Returns
    -------
    list
        Sorted by identity, so that the order of a config changes no table.

    Raises
    ------
    FormatError
        If a file is missing, damaged or of another run.
    """
    found = (
        read_result(run, root / run.fill(layout.METRICS), plan.benchmark.folds.get(run.dataset))
        for run in sorted(plan.runs)
    )
    return [replace(one, derived=derived_costs(plan, one.run, one.metrics)) for one in found]


def summary(results: Iterable[Result]) -> pd.DataFrame:
    """Return the tidy table: a row for each defined value, costs with `cost` as their split."""
    import pandas as pd

    frame = pd.DataFrame(
        [(*_identity(result.run), *value) for result in results for value in _values(result)],
        columns=list(COLUMNS),
    )
    return frame.sort_values(list(COLUMNS), ignore_index=True)


def origin_of(provenances: Iterable[Provenance]) -> dict[str, str]:
    """Return commit, versions, machine and device; several values of one thing stand side by side.

    Parameters
    ----------
    provenances
        Of each run.
    """
    found: dict[str, set[str]] = {}
    for one in provenances:
        device = {"device": one.device, "threads": one.threads}
        for key, value in ({"commit": one.commit} | one.versions | one.machine | device).items():
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                found.setdefault(key, set()).add(text)
    return {key: "; ".join(sorted(values)) for key, values in found.items()}


def read_result(run: Run, path: Path, of: FoldOf | None = None) -> Result:
    """Read what a run left behind at one place.

    Raises
    ------
    FormatError
        If the file is missing, damaged or of another run.
    """
    metrics = read_metrics(path)
    if (found := tuple(metrics.run.model_dump().values())) != _identity(run):
        raise FormatError(f"{path}: holds the results of {found}, not of {_identity(run)}")
    return Result(run, metrics, of)


def _identity(run: Run) -> tuple[str, str, str, float, int]:
    return run.dataset, run.architecture, run.arm, float(run.labels), run.seed


def _values(result: Result) -> Iterable[tuple[str, str, float]]:
    for split, scores in result.metrics.scores.items():
        yield from ((split, n, one.value) for n, one in scores.items() if one.value is not None)
    yield from (("cost", n, float(cost)) for n, cost in result.metrics.cost if cost is not None)
    yield from (("cost", name, cost) for name, cost in result.derived.items())
