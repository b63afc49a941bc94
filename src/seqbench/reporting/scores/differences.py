"""How results of one benchmark differ from those of another: scores, costs, and origins."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from statistics import geometric_mean
from typing import Any, Literal, get_args

from seqbench.reporting.read.results import origin_of
from seqbench.reporting.read.stored import Fitted, Stored, StoredRun
from seqbench.reporting.scores.estimates import Estimate
from seqbench.statistics.comparison import holm
from seqbench.statistics.student import mean_interval, mean_p

ALPHA = 0.05  # of a false alarm among all models that are compared
COSTS = ("train_cpu_s", "peak_memory_bytes")
Verdict = Literal["lower", "higher", "not significant", "not tested", "not defined", "identical"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)  # what asks for attention first


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One model on one dataset, in A and in B, over the seeds that both have.

    Parameters
    ----------
    metric
        The headline, higher is better; empty where none is known.
    a, b
        Its values on test.
    difference
        B less A, seed by seed.
    interval
        95 % interval of its mean, Student's t; None for fewer than two seeds.
    p
        That of the paired t test; None for fewer than two seeds.
    is_identical
        Whether every value is the same to the last digit.
    cost_ratios
        By `COSTS`, the geometric mean over seeds of B over A; None where it was not measured.
    """

    model: Fitted
    metric: str
    a: Estimate
    b: Estimate
    difference: Estimate
    interval: tuple[float, float] | None
    p: float | None
    is_identical: bool
    cost_ratios: dict[str, float | None]

    @property
    def n_seeds(self) -> int:
        """Number of seeds that are compared."""
        return self.difference.n

    @property
    def verdict(self) -> Verdict:
        """Verdict on B against A."""
        if not self.n_seeds:
            return "not defined"
        if self.is_identical:
            return "identical"
        if self.interval is None:
            return "not tested"
        if self.interval[0] > 0:
            return "higher"
        return "lower" if self.interval[1] < 0 else "not significant"


@dataclass(frozen=True)
class Equality:
    """How many values two benchmarks have in common, and how many are equal to the last digit."""

    n_common: int
    n_equal: int
    n_only_a: int
    n_only_b: int


def differences(a: Stored, b: Stored) -> list[Difference]:
    """Compare each model that both have, by `VERDICTS`, then by name."""
    common = _seeds_by_model(a.values.keys() & b.values.keys())
    found = [_difference(a, b, model, seeds) for model, seeds in common.items()]
    return sorted(found, key=lambda one: VERDICTS.index(one.verdict))


def worse(found: Iterable[Difference]) -> list[Difference]:
    """Return the models with a lower score in B, beyond chance among all that are compared.

    Of many intervals some leave 0 out by chance, so the p-values are adjusted by Holm's
    procedure: where nothing has changed, the probability that a model is named is 5 % at most.
    Models that are identical, or have a single seed, are not tested.
    """
    tested = [one for one in found if one.p is not None and not one.is_identical]
    adjusted = holm([one.p for one in tested if one.p is not None])
    return [
        one
        for one, p in zip(tested, adjusted, strict=True)
        if p <= ALPHA and one.verdict == "lower"
    ]


def equality(a: Stored, b: Stored, *, costs: bool) -> Equality:
    """Count equal values, of scores on val and test, or of costs."""

    def of(stored: Stored) -> dict[Any, float]:
        return {
            (run, key): value
            for run, scores in stored.values.items()
            for key, value in scores.items()
            if (key[0] == "cost") == costs
        }

    one, other = of(a), of(b)
    common = one.keys() & other.keys()
    n_equal = sum(one[key] == other[key] for key in common)
    return Equality(len(common), n_equal, len(one) - len(common), len(other) - len(common))


def only_in(one: Stored, other: Stored) -> dict[Fitted, list[int]]:
    """Return the models and seeds that the first has and the second has not."""
    return _seeds_by_model(one.values.keys() - other.values.keys())


def ranked_otherwise(a: Stored, b: Stored) -> dict[str, tuple[str, str]]:
    """Return the datasets that are ranked by one metric in A and by another in B."""
    common = sorted(a.headlines.keys() & b.headlines.keys())
    return _unequal(*({name: one.headlines[name] for name in common} for one in (a, b)))


def other_origin(a: Stored, b: Stored) -> dict[str, tuple[str, str]] | None:
    """Return what differs in versions, commit and machine; None where one of them has no record."""
    if not a.metrics or not b.metrics:
        return None
    return _unequal(*(origin_of(m.provenance for m in one.metrics.values()) for one in (a, b)))


def other_settings(a: Stored, b: Stored) -> dict[str, tuple[str, str]] | None:
    """Return the settings that differ, by key; None where one of them has no config."""
    if a.config is None or b.config is None:
        return None
    return _unequal(dict(flat(a.config)), dict(flat(b.config)))


def _seeds_by_model(runs: Iterable[StoredRun]) -> dict[Fitted, list[int]]:
    by_model = groupby(sorted(runs), itemgetter(0))
    return {model: [seed for _, seed in of_model] for model, of_model in by_model}


def _difference(a: Stored, b: Stored, model: Fitted, seeds: list[int]) -> Difference:
    metric = a.headlines.get(model.dataset) or b.headlines.get(model.dataset) or ""
    pairs = _pairs(a, b, model, seeds, ("test", metric))
    of_b_less_a = [second - first for first, second in pairs]
    return Difference(
        model=model,
        metric=metric,
        a=Estimate.of_values(first for first, _ in pairs),
        b=Estimate.of_values(second for _, second in pairs),
        difference=Estimate.of_values(of_b_less_a),
        interval=mean_interval(of_b_less_a),
        p=mean_p(of_b_less_a),
        is_identical=all(first == second for first, second in pairs),
        cost_ratios={key: _ratio(_pairs(a, b, model, seeds, ("cost", key))) for key in COSTS},
    )


def _pairs(
    a: Stored, b: Stored, model: Fitted, seeds: list[int], key: tuple[str, str]
) -> list[tuple[float, float]]:
    """Return a value in A and in B for every seed of which both have it."""
    both = ((a.values[model, seed].get(key), b.values[model, seed].get(key)) for seed in seeds)
    return [(first, second) for first, second in both if first is not None and second is not None]


def _ratio(pairs: list[tuple[float, float]]) -> float | None:
    ratios = [second / first for first, second in pairs if first > 0 and second > 0]
    return geometric_mean(ratios) if ratios else None


def _unequal(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str, str]]:
    keys = dict.fromkeys([*one, *other])
    both = {key: (one.get(key, ""), other.get(key, "")) for key in keys}
    return {key: values for key, values in both.items() if values[0] != values[1]}


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of nested mappings by dotted key; a list is one value."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, json.dumps(value, ensure_ascii=False, default=str)
