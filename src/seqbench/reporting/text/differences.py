"""How results differ from others in sentences, for the page and for the terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence

from seqbench.datasets.base import counted
from seqbench.reporting.read.stored import Fitted, Stored
from seqbench.reporting.scores import differences
from seqbench.reporting.scores.differences import Difference, Equality, Verdict
from seqbench.reporting.scores.formats import percent, signed_interval, signed_score
from seqbench.reporting.scores.formats import score as score_text
from seqbench.reporting.scores.metrics import metric_label

Names = tuple[str, str]  # what the results are called
UNDECIDED: dict[Verdict, str] = {
    "not significant": "not significant",
    "not tested": "not tested",
    "not defined": "without a score",
    "identical": "identical",
}


def lede(found: Sequence[Difference], scores: Equality, names: Names) -> str:
    """Return the result in one sentence."""
    a, b = names
    if not found:
        return f"{a} and {b} have no run in common."
    if scores.n_equal == scores.n_common:
        return f"All {scores.n_common} scores that {a} and {b} have in common are identical."
    n = Counter(one.verdict for one in found)
    counts = [f"{words}: {n[verdict]}" for verdict, words in UNDECIDED.items() if n[verdict]]
    return (
        f"Of {counted(len(found), 'model')} that both have, {b} scores higher than {a} with"
        f" {n['higher']} and lower with {n['lower']}{'; ' if counts else ''}{', '.join(counts)}."
    )


def warnings(a: Stored, b: Stored, found: Sequence[Difference], names: Names) -> list[str]:
    """Return sentences on what makes the comparison doubtful."""
    sentences = []
    for name, stored in zip(names, (a, b), strict=True):
        if missing := len(stored.runs) - len(stored.metrics):
            sentences.append(
                f"{name}: no metrics.json was found of {missing} of its"
                f" {counted(len(stored.runs), 'run')}, so what versions and machine they"
                " come from is not known, and the metric that ranks models may be a guess: the"
                " usual one of the task."
            )
    for dataset, (of_a, of_b) in differences.ranked_otherwise(a, b).items():
        sentences.append(
            f"{dataset} is ranked by {label(of_a)} in {names[0]} and by {label(of_b)} in"
            f" {names[1]}; compared is the former."
        )
    if unknown := ", ".join(sorted({one.model.dataset for one in found if not one.metric})):
        sentences.append(f"No known metric ranks the models of {unknown}.")
    return sentences


def by_chance(found: Sequence[Difference]) -> str:
    """Return in a sentence how many intervals leave 0 out, beside how many would by chance."""
    compared = [one for one in found if one.interval is not None and not one.is_identical]
    if not compared:
        return ""
    n_clear = sum(one.verdict in ("higher", "lower") for one in compared)
    return (
        f"Intervals that leave 0 out: {n_clear} of {len(compared)}; by chance alone, about"
        f" {0.05 * len(compared):.2g} would."
    )


def verdicts(names: Names) -> dict[Verdict, str]:
    """Return the words for each verdict."""
    return {
        "lower": f"{names[1]} is lower",
        "higher": f"{names[1]} is higher",
        "not significant": "not significant",
        "not tested": "not tested",
        "not defined": "not defined",
        "identical": "identical",
    }


def change(one: Difference) -> str:
    """Return what became of the score of a model."""
    if one.difference.mean is None:
        return "no score that both have"
    seeds = f"over {counted(one.n_seeds, 'seed')}"
    over = "mean over the seeds of each" if one.model.is_ensemble else seeds
    bounds = "" if one.interval is None else f", 95 % interval {signed_interval(one.interval)}"
    return (
        f"{label(one.metric)} {score_text(one.a.mean)} to {score_text(one.b.mean)},"
        f" {signed_score(one.difference.mean)} {over}{bounds}"
    )


def fitted(model: Fitted) -> str:
    """Return the name of a model on its dataset."""
    of_labels = "" if model.labels == 1 else f", {percent(model.labels)} of the labels"
    return f"{model.dataset}: {model.architecture} · {model.arm}{of_labels}"


def lone(found: Mapping[Fitted, Sequence[int]]) -> list[str]:
    """Return the runs that only one of the two has, a model each."""
    return [
        f"{fitted(model)}, {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
        for model, seeds in found.items()
    ]


def label(metric: str) -> str:
    """Return what a metric is called, if it is known."""
    try:
        return metric_label(metric)
    except KeyError:
        return metric  # of another version of this package
