"""Questions of a config on its own grid, and findings from the numbers."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from seqbench.config.benchmark import Question
from seqbench.plan.plan import Plan
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.estimates import Estimate, difference_interval, independent, paired
from seqbench.reporting.scores.metrics import metric_label
from seqbench.statistics.comparison import N_DECIMALS


class Candidate(NamedTuple):
    """One of what a question compares: its runs, by seed, and their scores."""

    name: str
    results: list[Result]
    score: Estimate
    train_cpu_s: float | None
    n_parameters: float | None


class PlaceComparison(NamedTuple):
    """The candidates in one place, best first, and a sentence on the first two.

    `place` is the dataset, or where datasets are compared the architecture.
    """

    place: str
    metric: str
    candidates: list[Candidate]
    sentence: str


class Finding(NamedTuple):
    """A question and what was found in each place."""

    question: str
    comparisons: list[PlaceComparison]


def findings(plan: Plan, results: Sequence[Result]) -> list[Finding]:
    """Return a finding for every question of a config, from runs with all labels from scratch."""
    own = [r for r in results if r.run.arm == "scratch" and float(r.run.labels) == 1]
    architectures = list(dict.fromkeys(run.architecture for run in plan.requested.trained))
    return [
        Finding(q.ask, _comparisons(q, own, plan.requested.base_datasets, architectures))
        for q in plan.benchmark.questions
    ]


def _comparisons(
    question: Question, results: Sequence[Result], datasets: list[str], architectures: list[str]
) -> list[PlaceComparison]:
    runs: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        runs.setdefault((result.dataset, result.run.architecture), []).append(result)
    are_datasets = set(question.compare) <= set(datasets)
    found = []
    for place in architectures if are_datasets else datasets:
        keys = {name: (name, place) if are_datasets else (place, name) for name in question.compare}
        of_place = {name: runs[key] for name, key in keys.items() if key in runs}
        if len(of_place) > 1:
            found.append(_comparison(place, of_place))
    return found


def _comparison(place: str, runs: dict[str, list[Result]]) -> PlaceComparison:
    candidates = [_candidate(name, found) for name, found in runs.items()]
    candidates.sort(key=lambda c: -(c.score.mean if c.score.mean is not None else float("-inf")))
    metric = candidates[0].results[0].headline
    sentence = _sentence(candidates[0], candidates[1], metric)
    return PlaceComparison(place, metric, candidates, sentence)


def _candidate(name: str, results: list[Result]) -> Candidate:
    score = Estimate.of(results, results[0].headline)
    train_cpu_s, n_parameters = (
        Estimate.of_values(result.cost(key) for result in results).mean
        for key in ("train_cpu_s", "n_parameters")
    )
    return Candidate(name, results, score, train_cpu_s, n_parameters)


def _sentence(first: Candidate, second: Candidate, metric: str) -> str:
    """State whether the first is ahead of the second by more than chance among seeds or folds."""
    differences = paired(first.results, second.results)
    if not differences:
        return f"{first.name} and {second.name} have no seed in common."
    mean = fmean(difference.value for difference in differences)
    is_level = round(mean, N_DECIMALS) == 0
    side = "ahead of" if mean >= 0 else "behind"
    label = metric_label(metric)
    ahead = (
        f"{first.name} and {second.name} have the same mean {label}"
        if is_level
        else f"{first.name} is {side} {second.name} by {formats.signed_score(mean)} {label}"
    )
    interval = difference_interval(differences)
    if interval is None:
        return f"{ahead}, with a single seed."
    bounds = formats.signed_interval(interval)
    among = independent(difference.result for difference in differences)
    if is_level or interval[0] > 0 or interval[1] < 0:
        return f"{ahead} ({bounds}, {among})."
    return f"{ahead}, which chance among {among} can do ({bounds})."
