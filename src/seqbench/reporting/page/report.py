"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from seqbench import layout
from seqbench.config.registry import METRICS
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.drawing import Drawing
from seqbench.reporting.page.arrangement import arranged
from seqbench.reporting.page.script import script, script_digest
from seqbench.reporting.read.finished import unfinished_by_dataset, unfinished_warnings
from seqbench.reporting.read.results import Result, origin_of
from seqbench.reporting.scores import formats, pretraining, questions
from seqbench.reporting.scores.column_bests import ColumnBests
from seqbench.reporting.scores.crossings import Matrix
from seqbench.reporting.scores.effort import effort
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text import overview
from seqbench.reporting.text.across import across_sections
from seqbench.reporting.text.beside import Beside
from seqbench.reporting.text.energy import energy_sentences
from seqbench.reporting.text.leaks import cross_warnings
from seqbench.reporting.text.models import listed_models, model_values
from seqbench.reporting.text.published import published_sentences
from seqbench.reporting.text.recommended import recommended
from seqbench.reporting.text.runs import key_of, run_details
from seqbench.reporting.text.sections import section
from seqbench.statistics.comparison import N_DECIMALS
from seqbench.tasks.metric_names import best_at_zero, family_of, higher_is_better

TEMPLATES = Path(__file__).parent / "templates"
STYLES = ("style", "first_screen", "sections", "models", "figures", "print")
FILTERS = (
    *("score", "amount", "seconds", "memory", "percent", "p_value", "relative", "decimal"),
    *("count", "energy", "rate", "milliseconds", "metric_value"),
)  # functions of `formats` that templates use under their own names


def render_page(
    plan: Plan,
    results: list[Result],
    materials: list[Material],
    margins: Margins,
    compared: list[Across],
    crossed: list[Matrix],
    published: Published | None,
    drawings: Mapping[tuple[str, str], Drawing],
    beside: Beside,
) -> str:
    """Return the page.

    Parameters
    ----------
    plan
        Requested runs.
    results
        As `results.collect` returns them.
    materials
        One for each dataset.
    margins
        Of the selected models over the best baselines.
    compared
        Models across datasets, one for each task that has several.
    published
        Scores beside published ones; None without a dataset of which some are known.
    crossed
        Models of one dataset on test of another.
    drawings
        By dataset, or what stands in its place, and name of the figure.
    beside
        What the page links to.
    """
    figures: dict[str, list[Drawing]] = {}
    for (place, _), drawing in drawings.items():
        figures.setdefault(place, []).append(drawing)
    seen_test = {r.run for m in materials for r in m.results if m.has_seen_test(r.run)}
    effects = pretraining.effects(one for one in results if one.run not in seen_test)
    signs = pretraining.signs(results)
    boards = [material.board for material in materials]
    models = listed_models(materials)
    searches = [search for material in materials for search in material.searches]
    warnings = [*unfinished_warnings(plan), *overview.warnings(materials, results)]
    return (
        environment(beside.results)
        .get_template("report.html.j2")
        .render(
            title=plan.benchmark.heading,
            plan=plan,
            requested=overview.requested(plan.requested),
            unfinished=unfinished_by_dataset(plan),
            lede=overview.lede(margins),
            effort=overview.effort_line(plan, results),
            energy=energy_sentences(effort(results, searches), plan.benchmark.energy),
            has_gpu=any(one.cost("train_gpu_s") for one in results),
            recommended=recommended(plan, materials),
            margins_place=margins.place,
            boards=boards,
            warnings=warnings,
            sections=[section(plan, material) for material in materials],
            figures=figures,
            across=across_sections(compared),
            published=published,
            published_words=published_sentences(published) if published else [],
            matrices=crossed,
            cross_path=layout.CROSS_TABLE,
            cross_warnings=cross_warnings(crossed),
            n_decimals=N_DECIMALS,
            findings=questions.findings(plan, results),
            effects=effects,
            summaries=pretraining.summaries(effects),
            verdicts=pretraining.verdicts(effects),
            collapsed=pretraining.collapsed(results),
            signs=signs,
            sign_names=pretraining.sign_names(signs),
            skipped=_skipped(materials),
            arms={run.arm for run in plan.trained},
            models=models,
            details=run_details(plan, materials, beside) | model_values(models),
            script=script(),
            script_hash=script_digest(script()),
            has_detection=any(isinstance(one.evidence, DetectionEvidence) for one in materials),
            has_ceiling=any(board.ceiling is not None for board in boards),
            has_folds=any(board.n_folds > 1 for board in boards),
            metrics={
                family: METRICS.entry(family).summary
                for board in boards
                for family in (family_of(name)[0] for name in board.metric_names)
            },
            provenance=origin_of(result.metrics.provenance for result in results),
            config=plan.benchmark.to_yaml(),
            config_path=layout.CONFIG,
            summary_path=layout.SUMMARY,
            trials_path=layout.TRIALS_TABLE,
            style=style(),
        )
    )


def style() -> Markup:
    """Return the style of our pages, from our own files."""
    texts = [(TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in STYLES]
    return Markup("\n".join(texts))


@cache  # with the compiled templates
def environment(results: str = "") -> Environment:
    """Return what fills our templates; `results` as of `Beside`. Every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    environment.filters |= {name: getattr(formats, name) for name in FILTERS} | {
        "signed": formats.signed_score,
        "breakable": _breakable,
        "beside_page": lambda path: results + quote(path.removeprefix("results/")),
        "metric": lambda name: metric_label(name).replace(" ms", "\N{NO-BREAK SPACE}ms"),
    }
    environment.globals |= {
        "arranged": arranged,
        "bar": _bar,
        "column_bests": ColumnBests,
        "higher_is_better": higher_is_better,
        "best_at_zero": best_at_zero,
        "run_key": lambda row: key_of(row.chosen.run),
        "key_of": key_of,
        "value_of": lambda value: "" if value is None else repr(float(value)),
        "decided": formats.decided,
        "nothing": formats.NOTHING,
    }
    return environment


def _breakable(name: str) -> Markup:
    """Return a name that a narrow cell breaks behind its underscores, and nowhere else."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _skipped(materials: Iterable[Material]) -> list[str]:
    """Return a sentence for each run into which a part of the encoder did not move."""
    found = []
    for material in materials:
        for run, transfer in sorted(material.transfers.items()):
            if transfer.skipped:
                names = ", ".join(f"{one.name} ({one.why})" for one in transfer.skipped)
                moved = formats.percent(transfer.fraction)
                found.append(
                    f"{run.dataset}, {run.architecture}, {run.arm}, seed {run.seed}:"
                    f" {moved} of the encoder moved; skipped {names}."
                )
    return found


def _bar(row: ModelScores, board: Leaderboard) -> str:
    """Return the length of the bar behind a score, in percent of the cell."""
    largest = max((r.score.mean or 0 for r in board.rows), default=0)
    share = max(row.score.mean or 0, 0) / max(largest, 1) if largest > 0 else 0
    return f"{100 * share:.1f}%"
