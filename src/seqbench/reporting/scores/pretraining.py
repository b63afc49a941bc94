"""What pretraining changed, what it cost, and a plain sentence on whether it helped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from seqbench.config.arms import Arm
from seqbench.plan.plan import BASELINE
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import estimates, formats
from seqbench.reporting.scores.estimates import Difference, Estimate
from seqbench.reporting.scores.metrics import metric_label
from seqbench.statistics.student import mean_interval
from seqbench.storage.records import PretrainingOutcome

SCRATCH = "scratch"
REFERENCES = (SCRATCH, "random_frozen")
# What an encoder shows of collapse, and what the page calls it.
SIGNS = {
    "effective_rank": "effective rank",
    "error_over_mean": "error / error of the mean",
    "alignment": "alignment",
    "uniformity": "uniformity",
    "kl_per_unit": "KL per unit (nats)",
    "active_units": "active units",
}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An arm against another of the same architecture, seed by seed and fold by fold.

    Parameters
    ----------
    difference
        In the headline on test.
    interval
        95 % interval of the mean difference; None for a single run.
    among
        How many seeds or folds the interval is of, in words.
    n_better
        Runs in which the arm is ahead.
    cost_ratio
        Processor time of pretraining and training over that of the reference,
        as if the encoder served this run alone; None where it was not measured.
    results
        Runs of the arm.
    """

    dataset: str
    architecture: str
    arm: str
    labels: str
    reference: str
    headline: str
    difference: Estimate
    interval: tuple[float, float] | None
    among: str
    n_better: int
    cost_ratio: float | None
    results: tuple[Result, ...]

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return _leaves_zero_out(self.interval)


@dataclass(frozen=True)
class Signs:
    """What was watched on held-out train recordings in the epochs whose encoders were kept.

    Parameters
    ----------
    n
        Encoders, one for each seed and fold.
    values
        By key of `SIGNS`; undefined where the objective has no such thing.
    """

    dataset: str
    architecture: str
    objective: str
    n: int
    values: dict[str, Estimate]


@dataclass(frozen=True)
class Summary:
    """What an arm changed over all datasets and architectures.

    Parameters
    ----------
    difference
        Over pairs of dataset and architecture, each with the mean of its runs.
    interval
        95 % interval of its mean, Student's over these pairs; None for a single one.
    n_better
        Pairs in which the arm is ahead.
    """

    arm: str
    labels: str
    reference: str
    difference: Estimate
    interval: tuple[float, float] | None
    n_better: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return _leaves_zero_out(self.interval)


def effects(results: Iterable[Result]) -> list[Effect]:
    """Compare each pretrained arm with `scratch` and `random_frozen`, paired by seed."""
    by_model: dict[tuple[str, str, str, str], list[Result]] = {}
    for result in sorted(results, key=lambda result: (*_model(result), result.run)):
        by_model.setdefault(_model(result), []).append(result)
    return [
        _effect(pairs, reference)
        for (dataset, model, arm, labels), group in by_model.items()
        if arm != BASELINE and Arm.parse(arm).is_pretrained
        for reference in REFERENCES
        if (others := by_model.get((dataset, model, reference, labels)))
        and (pairs := estimates.paired(group, others))
    ]


def _model(result: Result) -> tuple[str, str, str, str]:
    run = result.run
    return result.dataset, run.architecture, run.arm, run.labels


def _effect(pairs: Sequence[Difference], reference: str) -> Effect:
    differences, first = [pair.value for pair in pairs], pairs[0].result
    return Effect(
        dataset=first.dataset,
        architecture=first.run.architecture,
        arm=first.run.arm,
        labels=first.run.labels,
        reference=reference,
        headline=first.headline,
        difference=Estimate.of_values(differences),
        interval=estimates.difference_interval(pairs),
        among=estimates.independent(pair.result for pair in pairs),
        n_better=sum(difference > 0 for difference in differences),
        cost_ratio=_cost_ratio(pairs),
        results=tuple(pair.result for pair in pairs),
    )


def summaries(found: Iterable[Effect]) -> list[Summary]:
    """Summarise effects by arm; each dataset and architecture counts once, whatever its seeds."""

    def key(effect: Effect) -> tuple[str, str, str]:
        return effect.arm, effect.labels, effect.reference

    made = []
    for (arm, labels, reference), group in groupby(sorted(found, key=key), key):
        of_arm = list(group)
        means = [mean for effect in of_arm if (mean := effect.difference.mean) is not None]
        difference, interval = Estimate.of_values(means), mean_interval(means)
        n_better = sum(mean > 0 for mean in means)
        made.append(Summary(arm, labels, reference, difference, interval, n_better))
    return sorted(made, key=lambda s: (s.arm, -float(s.labels), s.reference != SCRATCH))


def verdicts(found: Iterable[Effect]) -> list[str]:
    """State for each dataset, architecture and fraction of labels whether pretraining helped."""

    def key(effect: Effect) -> tuple[str, str, float]:
        return effect.dataset, effect.architecture, float(effect.labels)

    against_scratch = sorted((e for e in found if e.reference == SCRATCH), key=key)
    return [
        _verdict(dataset, architecture, labels, list(group))
        for (dataset, architecture, labels), group in groupby(against_scratch, key)
    ]


def _verdict(dataset: str, architecture: str, labels: float, group: list[Effect]) -> str:
    best = max(group, key=lambda effect: effect.difference.mean or 0.0)
    where = f"{dataset}, {architecture}, {formats.percent(labels)} of the labels"
    mean = formats.signed_score(best.difference.mean)
    change = f"{mean} {metric_label(best.headline)} against scratch"
    if best.interval is not None:
        change += f" (95 % interval {formats.signed_interval(best.interval)}, {best.among})"
    if best.cost_ratio is not None:
        change += f", for {best.cost_ratio:.1f} times the processor time"
    chosen = f", the best of {len(group)} arms" if len(group) > 1 else ""
    if best.is_clear and (best.difference.mean or 0) > 0:
        return f"{where}: pretraining helps. {best.arm}{chosen}: {change}."
    if all(e.is_clear and (e.difference.mean or 0) < 0 for e in group):
        return f"{where}: pretraining hurts. {best.arm}{chosen}: {change}."
    reason = "a single seed" if best.interval is None else "no gain that chance rules out"
    return f"{where}: {reason}. {best.arm}{chosen}: {change}."


def _leaves_zero_out(interval: tuple[float, float] | None) -> bool:
    return interval is not None and (interval[0] > 0 or interval[1] < 0)


def sign_names(signs: Iterable[Signs]) -> dict[str, str]:
    """Return the signs that any encoder has, and what the page calls them."""
    known = {name for one in signs for name, value in one.values.items() if value.n}
    return {name: called for name, called in SIGNS.items() if name in known}


def signs(results: Iterable[Result]) -> list[Signs]:
    """Summarise what was watched in the encoders, each counted once however many runs use it."""
    found = []
    for (dataset, architecture, objective), group in groupby(_outcomes(results), itemgetter(0)):
        watched = [outcome.watched for *_, outcome in group]
        values = {key: Estimate.of_values(one.get(key) for one in watched) for key in SIGNS}
        found.append(Signs(dataset, architecture, objective, len(watched), values))
    return found


def collapsed(results: Iterable[Result]) -> list[str]:
    """Return a sentence for each pretrained encoder that collapsed."""
    return [
        f"{dataset}, {architecture}, {objective}, seed {seed}: the encoder collapsed:"
        f" {outcome.collapse}. Its runs are averaged with the others; read them with that in mind."
        for (_, architecture, objective), dataset, seed, outcome in _outcomes(results)
        if outcome.collapse
    ]


def _outcomes(
    results: Iterable[Result],
) -> list[tuple[tuple[str, str, str], str, int, PretrainingOutcome]]:
    """Return the objective on an architecture and dataset, fold, seed and end of pretrainings."""
    found = {}
    for result in results:
        if outcome := result.metrics.pretraining:
            run, where = result.run, result.dataset
            trained_on = outcome.dataset or run.dataset
            if trained_on != run.dataset:  # else results of folds stand together
                where = trained_on
            model = where, run.architecture, outcome.objective
            found[model, trained_on, run.seed] = outcome
    return [(*key, outcome) for key, outcome in sorted(found.items(), key=itemgetter(0))]


def _cost_ratio(pairs: Sequence[Difference]) -> float | None:
    """Return the processor time of arms over that of their references."""
    spent = [0.0, 0.0]
    for pair in pairs:
        for i, result in enumerate((pair.result, pair.other)):
            training = result.cost("train_cpu_s")
            if training is None:
                return None
            spent[i] += training + (result.cost("pretrain_cpu_s") or 0.0)
    return spent[0] / spent[1] if spent[1] else None
