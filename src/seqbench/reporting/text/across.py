"""Text of the page on models across datasets, in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass

from seqbench.datasets.base import counted
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.metrics import metric_label
from seqbench.statistics.attainable import ALPHA, datasets_needed, smallest_adjusted_p, smallest_p


@dataclass(frozen=True, kw_only=True)
class AcrossSection:
    """An `Across` with the words of the page around it.

    Parameters
    ----------
    chosen, findings, warnings
        Sentences: what is compared and why that, what was found, and what is too little.
    left_out
        Sentences that name datasets and models outside of the table.
    """

    across: Across
    chosen: list[str]
    left_out: list[str]
    warnings: list[str]
    findings: list[str]


def across_sections(compared: Iterable[Across]) -> list[AcrossSection]:
    """Return the sections of the page."""
    return [
        AcrossSection(
            across=one,
            chosen=_chosen(one),
            left_out=_left_out(one),
            warnings=_warnings(one),
            findings=_findings(one) if one.can_test else [],
        )
        for one in compared
    ]


def _chosen(across: Across) -> list[str]:
    block = across.block
    fewest, most = across.n_runs
    n_runs = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    by_metric: dict[str, list[str]] = {}
    for name in across.values.index:
        by_metric.setdefault(metric_label(across.headlines[name]), []).append(name)
    metrics = " and ".join(
        metric if len(by_metric) == 1 else f"{metric} ({', '.join(names)})"
        for metric, names in by_metric.items()
    )
    why = "All of them were run everywhere."
    if block.other_datasets or block.other_models:
        why = (
            "Not every model was run everywhere. Of the tables without gaps on the datasets of one"
            " model, or on those that two have in common, this is the largest, datasets counting"
            " twice since the tests rest on them; one in which a test can distinguish models would"
            " go first."
        )
    return [
        f"{counted(across.n_datasets, 'dataset')} and {counted(len(across.models), 'model')},"
        f" with all labels, ranked by {metrics}: the mean over {n_runs} runs on test, folds and"
        f" seeds together. {why}"
    ]


def _left_out(across: Across) -> list[str]:
    block = across.block
    found = [
        f"{model.name}: no runs on {', '.join(absent)}."
        for model, absent in block.other_models.items()
    ]
    if block.other_datasets:
        found.insert(0, f"Datasets outside of the table: {', '.join(block.other_datasets)}.")
    return [*found, *across.undefined]


def _warnings(across: Across) -> list[str]:
    """Return what cannot be tested, with the numbers."""
    n, k = across.n_datasets, len(across.models)
    if not across.can_compare:
        return ["Nothing is left to compare: too few of these values are defined."]
    if across.can_tell:
        return []
    needed = f"Distinguishing {k} models takes {datasets_needed(k)} datasets or more"
    if not across.can_test:
        return [
            f"{n} datasets are too few for a test: the smallest p-value that Wilcoxon's two-sided"
            f" test can give is 2 / 2^{n} = {smallest_p(n):.3g}, which cannot reach {ALPHA:g}; with"
            f" 6 datasets it can. {needed}. So there are no p-values and no diagram here, and ranks"
            " and wins may be chance."
        ]
    n_pairs = k * (k - 1) // 2
    return [
        f"{n} datasets are too few to distinguish any two of {k} models: the smallest p-value that"
        f" Wilcoxon's two-sided test can give is 2 / 2^{n} = {smallest_p(n):.3g}, and Holm's"
        f" correction for {n_pairs} pairs makes it {smallest_adjusted_p(n, k):.3g}. {needed}, so"
        " there is no diagram here."
    ]


def _findings(across: Across) -> list[str]:
    found = []
    if across.friedman is None:
        found.append("All models are tied on every dataset.")
    else:
        statistic, degrees, p_value = across.friedman
        verdict = "that all models do equally well cannot be ruled out"
        if p_value <= ALPHA:
            verdict = "the models do not all do equally well"
        p = formats.p_value(p_value)
        found.append(
            f"Friedman's test: {verdict} (χ² = {statistic:.2f} with {counted(degrees, 'degree')} of"
            f" freedom, p {p if p.startswith('<') else f'= {p}'}, {across.n_datasets} datasets)."
        )
    if across.can_tell:
        best, *others = across.standings
        worse = [one.model for one in others if across.pair(best.model, one.model).differs]
        names = ", ".join(model.name for model in worse) or "no other model"
        found.append(
            f"The best average rank is that of {best.model.name}, {best.rank:.2f}. It differs from"
            f" {names}; of {len(across.pairs)} pairs in all,"
            f" {sum(pair.differs for pair in across.pairs)} differ."
        )
    return found
