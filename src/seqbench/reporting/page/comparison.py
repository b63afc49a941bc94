"""The page of differences between two benchmarks: two versions, or two machines."""

from __future__ import annotations

from seqbench.reporting.page.report import environment, style
from seqbench.reporting.read.stored import Stored
from seqbench.reporting.scores import differences
from seqbench.reporting.text.differences import Names, by_chance, label, lede, verdicts, warnings


def render_comparison(a: Stored, b: Stored, names: Names = ("A", "B")) -> str:
    """Return the page; `names` are what it calls the two."""
    found = differences.differences(a, b)
    scores = differences.equality(a, b, costs=False)
    rows = [(row, label(row.metric)) for row in found]
    is_equal = [row.verdict == "identical" for row in found]
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            a=names[0],
            b=names[1],
            sides=list(zip(names, (a, b), strict=True)),
            lede=lede(found, scores, names),
            warnings=warnings(a, b, found, names),
            words=verdicts(names),
            rows=[row for row, equal in zip(rows, is_equal, strict=True) if not equal],
            identical=[row for row, equal in zip(rows, is_equal, strict=True) if equal],
            shows_labels=any(row.model.labels != 1 for row in found),
            by_chance=by_chance(found),
            scores=scores,
            costs=differences.equality(a, b, costs=True),
            only=list(
                zip(names, (differences.only_in(a, b), differences.only_in(b, a)), strict=True)
            ),
            origin=differences.other_origin(a, b),
            settings=differences.other_settings(a, b),
            style=style(),
        )
    )
