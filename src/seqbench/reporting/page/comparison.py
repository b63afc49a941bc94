"""The page of differences between two benchmarks: two versions, or two machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seqbench.datasets.base import counted
from seqbench.reporting.page.report import environment, style
from seqbench.reporting.read.stored import Stored
from seqbench.reporting.scores import differences
from seqbench.reporting.scores.differences import Difference, Equality
from seqbench.reporting.scores.metrics import metric_label


def render_comparison(a: Stored, b: Stored) -> str:
    """Return the page."""
    found = differences.differences(a, b)
    scores = differences.equality(a, b, costs=False)
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            a=a,
            b=b,
            lede=lede(found, scores),
            warnings=_warnings(a, b, found),
            rows=[(row, _label(row.metric)) for row in found],
            shows_labels=any(row.model.labels != 1 for row in found),
            by_chance=_by_chance(found),
            scores=scores,
            costs=differences.equality(a, b, costs=True),
            only=[("A", differences.only_in(a, b)), ("B", differences.only_in(b, a))],
            origin=differences.other_origin(a, b),
            settings=differences.other_settings(a, b),
            style=style(),
        )
    )


def lede(found: Sequence[Difference], scores: Equality) -> str:
    """Return the result in one sentence."""
    if not found:
        return "A and B have no run in common."
    if scores.n_equal == scores.n_common:
        return f"All {scores.n_common} scores that A and B have in common are identical."
    n = Counter(one.verdict for one in found)
    untested, undefined = n["one seed"], n["not defined"]
    return (
        f"Of {counted(len(found), 'model')} that both have, B scores higher than A with"
        f" {n['higher']} and lower with {n['lower']}; {n['identical']} are identical,"
        f" {n['not significant']} not significant"
        + (f", and {untested} with a single seed cannot be" if untested else "")
        + (f", and {undefined} have no score" if undefined else "")
        + "."
    )


def _warnings(a: Stored, b: Stored, found: Sequence[Difference]) -> list[str]:
    sentences = []
    for name, stored in (("A", a), ("B", b)):
        if missing := len(stored.values) - len(stored.metrics):
            sentences.append(
                f"{name}: no metrics.json was found of {missing} of its"
                f" {counted(len(stored.values), 'run')}, so what versions and machine they"
                " come from is not known, and the metric that ranks models may be a guess: the"
                " usual one of the task."
            )
    for dataset, (of_a, of_b) in differences.ranked_otherwise(a, b).items():
        sentences.append(
            f"{dataset} is ranked by {_label(of_a)} in A and by {_label(of_b)} in B; compared is"
            " the former."
        )
    if unknown := ", ".join(sorted({one.model.dataset for one in found if not one.metric})):
        sentences.append(f"No known metric ranks the models of {unknown}.")
    return sentences


def _by_chance(found: Sequence[Difference]) -> str:
    """Return in a sentence how many intervals leave 0 out, beside how many would by chance."""
    compared = [one for one in found if one.interval is not None and not one.is_identical]
    if not compared:
        return ""
    n_clear = sum(one.verdict in ("higher", "lower") for one in compared)
    return (
        f"{n_clear} of {counted(len(compared), 'interval')} leave 0 out; by chance alone, about"
        f" {0.05 * len(compared):.2g} would."
    )


def _label(metric: str) -> str:
    try:
        return metric_label(metric)
    except KeyError:
        return metric  # of another version of this package
