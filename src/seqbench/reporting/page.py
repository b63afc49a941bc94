"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from seqbench import layout
from seqbench.plan import Plan
from seqbench.registry import METRICS
from seqbench.reporting import formats, pretraining, questions, tables
from seqbench.reporting.across import Across
from seqbench.reporting.across_section import across_sections
from seqbench.reporting.catalog import metric_label
from seqbench.reporting.figures import Drawing
from seqbench.reporting.leaks import leak_warnings
from seqbench.reporting.material import Material
from seqbench.reporting.origin import commit_of, origin_of
from seqbench.reporting.sections import section
from seqbench.reporting.tables import Leaderboard, Result, Row
from seqbench.statistics.comparison import N_DECIMALS
from seqbench.tasks.metric_names import family_of

TEMPLATES = Path(__file__).parent / "templates"
FEW_SEEDS = 3


def render_page(
    plan: Plan,
    results: list[Result],
    materials: list[Material],
    compared: list[Across],
    drawings: Mapping[tuple[str, str], Drawing],
) -> str:
    """Return the page.

    Parameters
    ----------
    plan
        What was asked.
    results
        As `tables.collect` returns them.
    materials
        One for each dataset.
    compared
        Models across datasets, one for each task that has several.
    drawings
        By dataset, or what stands in its place, and name of the figure.
    """
    sections = [section(plan, material, drawings) for material in materials]
    effects = pretraining.effects(results)
    boards = [material.board for material in materials]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=plan.benchmark.title,
            plan=plan,
            asked=_asked(plan),
            lede=_lede(boards),
            boards=boards,
            warnings=_general_warnings(materials, results),
            sections=sections,
            across=across_sections(compared, drawings),
            n_decimals=N_DECIMALS,
            answers=questions.answers(plan, results),
            effects=effects,
            summaries=pretraining.summaries(effects),
            verdicts=pretraining.verdicts(effects),
            collapsed=pretraining.collapsed(results),
            signs=pretraining.signs(results),
            sign_names=pretraining.SIGNS,
            skipped=_skipped(materials),
            has_detection=any(material.detection is not None for material in materials),
            has_ceiling=any(board.ceiling is not None for board in boards),
            has_folds=any(board.n_folds > 1 for board in boards),
            metrics={
                family: METRICS.entry(family).summary
                for board in boards
                for family in (family_of(name)[0] for name in board.metric_names)
            },
            provenance=origin_of(result.content for result in results),
            config=plan.benchmark.to_yaml(),
            config_path=layout.CONFIG,
            summary_path=layout.SUMMARY,
            style=style(),
        )
    )


def style() -> Markup:
    """Return the style of our pages, from our own file."""
    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))


def environment() -> Environment:
    """Return what fills our templates: every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "score": formats.score,
        "signed": formats.signed_score,
        "amount": formats.amount,
        "seconds": formats.seconds,
        "memory": formats.memory,
        "percent": formats.percent,
        "p_value": formats.p_value,
        "relative": formats.relative,
        "decimal": formats.decimal,
        "count": formats.count,
        "rate": formats.rate,
        "milliseconds": formats.milliseconds,
        "metric": lambda name: metric_label(name).replace(" ms", "\N{NO-BREAK SPACE}ms"),
        "metric_value": formats.metric_value,
    }
    environment.globals |= {
        "bar": _bar,
        "higher_is_better": tables.higher_is_better,
        "best_at_zero": tables.best_at_zero,
        "decided": formats.decided,
        "nothing": formats.NOTHING,
    }
    return environment


def _asked(plan: Plan) -> list[tuple[str, list[str]]]:
    """Return the questions of the config as headings with their values."""
    trained = plan.trained
    labels = sorted({run.labels for run in trained}, key=float)
    return [
        ("datasets", plan.wholes),
        ("architectures", _unique(run.architecture for run in trained)),
        ("arms", _unique(run.arm for run in trained)),
        ("labels", [formats.percent(float(fraction)) for fraction in labels]),
        ("seeds", [str(seed) for seed in sorted({run.seed for run in trained})]),
        ("baselines", _unique(run.architecture for run in plan.baselines)),
    ]


def _lede(boards: list[Leaderboard]) -> str:
    """Return the answer in one sentence."""
    margins = [board.margin for board in boards if board.margin is not None]
    if not margins:
        return "There is no baseline to hold the models against."
    n_won = sum(margin > 0 for margin in margins)
    if len(margins) == 1:
        verb = "beats" if n_won else "does not beat"
        return f"The model picked on val {verb} the best baseline."
    count = "all" if n_won == len(margins) else "none" if n_won == 0 else f"{n_won}"
    return f"The model picked on val beats the best baseline on {count} of {len(margins)} datasets."


def _general_warnings(materials: list[Material], results: list[Result]) -> list[str]:
    found: list[str] = []
    boards = [material.board for material in materials]
    leaky = [one.dataset for one in materials if leak_warnings(one.leakchecks)]
    if leaky:
        found.append(f"Test or val shares something with train on {', '.join(leaky)}; see there.")
    # Folds differ in what is learned from as well: chance in training is not all that they tell.
    seeds = [r.n_seeds for b in boards if b.n_folds == 1 for r in b.rows if not r.is_baseline]
    fewest = min(seeds, default=FEW_SEEDS)
    if fewest < FEW_SEEDS:
        count = "one seed" if fewest == 1 else f"{fewest} seeds"
        found.append(
            f"Some models were trained with only {count}. With fewer than {FEW_SEEDS}, chance can"
            " decide which one leads."
        )
    commits = {commit_of(result.content) for result in results}
    if len(commits) > 1:
        found.append(f"The results come from {len(commits)} states of the code; see Provenance.")
    if any("uncommitted" in commit for commit in commits):
        found.append("Some results come from code with uncommitted changes.")
    halved = sum(bool(r.content["provenance"].get("batch_size_halved")) for r in results)
    if halved:
        runs = "One run was" if halved == 1 else f"{halved} runs were"
        found.append(
            f"{runs} trained with half the batch size, as a GPU had no room for all of it."
        )
    weak = [board.dataset for board in boards if any(row.below_floor for row in board.rows)]
    if weak:
        found.append(f"Some models lie below the floor, on {', '.join(weak)}; see there.")
    return found


def _skipped(materials: Iterable[Material]) -> list[str]:
    """Return a sentence for each run into which a part of the encoder did not move."""
    found = []
    for material in materials:
        for run, transfer in sorted(material.transfers.items()):
            skipped = transfer.get("skipped") or []
            if skipped:
                names = ", ".join(f"{entry['name']} ({entry['why']})" for entry in skipped)
                moved = formats.percent(transfer.get("fraction"))
                found.append(
                    f"{run.dataset}, {run.architecture}, {run.arm}, seed {run.seed}:"
                    f" {moved} of the encoder moved; skipped {names}."
                )
    return found


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _bar(row: Row, board: Leaderboard) -> str:
    """Return the length of the bar behind a score, in percent of the cell."""
    largest = max((r.score.mean or 0 for r in board.rows), default=0)
    share = max(row.score.mean or 0, 0) / max(largest, 1) if largest > 0 else 0
    return f"{100 * share:.1f}%"
