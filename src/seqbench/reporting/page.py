"""The report: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from seqbench import layout
from seqbench.plan import Plan
from seqbench.registry import METRICS
from seqbench.reporting import tables
from seqbench.reporting.catalog import CAPTIONS, Caption, figures_of, floor_of, metric_label
from seqbench.reporting.figures import Drawing
from seqbench.reporting.material import Material
from seqbench.reporting.tables import Effect, Estimate, Leaderboard, Result, Row

TEMPLATES = Path(__file__).parent / "templates"
NOTHING = "\N{EN DASH}"
FEW_SEEDS, FEW_TEST_WINDOWS = 3, 30


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page."""

    name: str
    caption: Caption
    alt: str
    source: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """What the page says of one dataset."""

    material: Material
    facts: dict[str, str]
    class_counts: list[tuple[str, int]]
    pictures: list[Picture]
    warnings: list[str]
    model_path: str | None


@dataclass(frozen=True)
class Verdict:
    """What one pretrained arm changed over all datasets and architectures."""

    arm: str
    labels: str
    reference: str
    difference: Estimate
    n_better: int


def render_page(
    plan: Plan,
    results: list[Result],
    materials: list[Material],
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
    drawings
        By dataset and name of the figure.
    """
    sections = [_section(plan, material, drawings) for material in materials]
    effects = tables.effects(results)
    boards = [material.board for material in materials]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=plan.benchmark.title,
            plan=plan,
            asked=_asked(plan),
            lede=_lede(boards),
            boards=boards,
            warnings=_general_warnings(boards, results),
            sections=sections,
            effects=effects,
            verdicts=_verdicts(effects),
            skipped=_skipped(materials),
            metrics={
                name: METRICS.entry(name).summary for board in boards for name in board.metric_names
            },
            provenance=_provenance(results),
            config=plan.benchmark.to_yaml(),
            config_path=layout.CONFIG,
            summary_path=layout.SUMMARY,
            style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),  # our own file
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "score": _score,
        "signed": _signed,
        "amount": _amount,
        "seconds": _seconds,
        "memory": _memory,
        "percent": _percent,
        "metric": metric_label,
        "decimal": lambda value: NOTHING if value is None else f"{value:.1f}".removesuffix(".0"),
    }
    environment.globals |= {
        "bar": _bar,
        "higher_is_better": tables.higher_is_better,
        "nothing": NOTHING,
    }
    return environment


def _section(
    plan: Plan, material: Material, drawings: Mapping[tuple[str, str], Drawing]
) -> Section:
    board = material.board
    counts = Counter(material.windows.label.tolist())
    best = board.picked
    return Section(
        material=material,
        facts=_facts(plan, material),
        class_counts=[(name, counts[k]) for k, name in enumerate(material.windows.classes)],
        pictures=[
            _picture(name, material, drawings[material.dataset, name])
            for name in figures_of(plan, material.dataset)
        ],
        warnings=_warnings(board, _n_test(material)),
        model_path=None if best is None else best.chosen.run.fill(layout.MODEL),
    )


def _facts(plan: Plan, material: Material) -> dict[str, str]:
    windows = material.windows
    entry = plan.benchmark.all_datasets[material.dataset]
    options = ", ".join(f"{key} {value}" for key, value in entry.source_options.items())
    n_val, n_test = (_amount(_first_number(material.results, split)) for split in ("val", "test"))
    lengths = sorted({int(n) for n in windows.length})
    span = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    rate = windows.sampling_rate_hz
    return {
        "task": material.board.task,
        "source": f"{entry.source} ({options})" if options else entry.source,
        "windows": f"{_amount(len(windows))} train · {n_val} val · {n_test} test",
        "classes": f"{len(windows.classes)}",
        "channels": f"{len(windows.channels)}",
        "length": f"{span} samples" if lengths else NOTHING,
        "sampling rate": "not stated" if rate is None else f"{rate:g} Hz",
        "normalisation": windows.normalization.mode,
    }


def _picture(name: str, material: Material, drawing: Drawing) -> Picture:
    # An image of its own keeps the ids inside an SVG from meeting those of another.
    encoded = base64.b64encode(drawing.svg).decode("ascii")
    return Picture(
        name=name,
        caption=CAPTIONS[name],
        alt=_alternative(name, material),
        source=f"data:image/svg+xml;base64,{encoded}",
        width=drawing.width,
        height=drawing.height,
    )


def _alternative(name: str, material: Material) -> str:
    """Say in words what a figure shows, for those who cannot see it."""
    board = material.board
    about = f"{CAPTIONS[name].title}, dataset {material.dataset}."
    if name in ("leaderboard", "cost"):
        ranked = [f"{row.name} {_score(row.score.mean)}" for row in board.rows if row.score.n]
        return f"{about} Mean {metric_label(board.headline)} on test: {', '.join(ranked)}."
    if name == "confusion":
        shown = [
            f"{c.row.name}: {int(c.counts.trace())} of {int(c.counts.sum())} windows right"
            for c in material.confusions
        ]
        return f"{about} {'; '.join(shown)}."
    if name == "examples":
        return f"{about} Windows of the classes {', '.join(material.windows.classes)}."
    return f"{about} {CAPTIONS[name].text}"


def _asked(plan: Plan) -> list[tuple[str, list[str]]]:
    """Return the questions of the config as headings with their values."""
    trained = plan.trained
    labels = sorted({run.labels for run in trained}, key=float)
    return [
        ("datasets", plan.datasets),
        ("architectures", _unique(run.architecture for run in trained)),
        ("arms", _unique(run.arm for run in trained)),
        ("labels", [_percent(float(fraction)) for fraction in labels]),
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


def _general_warnings(boards: list[Leaderboard], results: list[Result]) -> list[str]:
    found: list[str] = []
    fewest = min((row.n_seeds for b in boards for row in b.rows if not row.is_baseline), default=0)
    if fewest < FEW_SEEDS:
        count = "one seed" if fewest == 1 else f"{fewest} seeds"
        found.append(
            f"Some models were trained with only {count}. With fewer than {FEW_SEEDS}, chance can"
            " decide which one leads."
        )
    commits = {_commit(result) for result in results}
    if len(commits) > 1:
        found.append(f"The results come from {len(commits)} states of the code; see Provenance.")
    if any("uncommitted" in commit for commit in commits):
        found.append("Some results come from code with uncommitted changes.")
    for board in boards:
        weak = [row.name for row in board.rows if row.below_floor]
        if weak:
            found.append(
                f"{board.dataset}: below the floor, so nothing was learned: {', '.join(weak)}."
            )
    return found


def _warnings(board: Leaderboard, n_test: int | None) -> list[str]:
    """Return what a reader of one dataset's numbers should know, as sentences."""
    found: list[str] = []
    if n_test is not None and n_test < FEW_TEST_WINDOWS:
        found.append(
            f"Only {n_test} test windows: one window is {_percent(1 / max(n_test, 1))} of"
            f" {metric_label(board.headline)}."
        )
    weak = [row.name for row in board.rows if row.below_floor]
    if weak:
        found.append(
            f"Below the {floor_of(board.task)} floor, so nothing was learned: {', '.join(weak)}."
        )
    best, baseline = board.picked, board.best_baseline
    if best is not None and baseline is not None and board.margin is not None and board.margin <= 0:
        word = "lies below" if board.margin < 0 else "only equals"
        found.append(f"The model picked on val {word} the baseline {baseline.architecture}.")
    elif best is not None and board.margin is not None and board.margin <= (best.score.sd or 0):
        found.append("The model picked on val leads the best baseline by no more than one s.d.")
    return found


def _verdicts(effects: Iterable[Effect]) -> list[Verdict]:
    def key(effect: Effect) -> tuple[str, str, str]:
        return effect.arm, effect.labels, effect.reference

    verdicts = []
    for (arm, labels, reference), group in groupby(sorted(effects, key=key), key):
        of_arm = list(group)
        # Each dataset and architecture counts once, however many seeds it has.
        difference = Estimate.of_values(effect.difference.mean for effect in of_arm)
        n_better = sum((effect.difference.mean or 0) > 0 for effect in of_arm)
        verdicts.append(Verdict(arm, labels, reference, difference, n_better))
    return sorted(verdicts, key=lambda v: (v.arm, -float(v.labels), v.reference != "scratch"))


def _skipped(materials: Iterable[Material]) -> list[str]:
    """Return a sentence for each run into which a part of the encoder did not move."""
    found = []
    for material in materials:
        for run, transfer in sorted(material.transfers.items()):
            skipped = transfer.get("skipped") or []
            if skipped:
                names = ", ".join(f"{entry['name']} ({entry['why']})" for entry in skipped)
                found.append(
                    f"{run.dataset}, {run.architecture}, {run.arm}, seed {run.seed}:"
                    f" {_percent(transfer.get('fraction'))} of the encoder moved; skipped {names}."
                )
    return found


def _provenance(results: list[Result]) -> dict[str, str]:
    """Return versions, machine and device; several values of one thing stand side by side."""
    said: dict[str, list[str]] = {}
    for result in results:
        provenance = result.content.get("provenance") or {}
        flat = {
            "commit": _commit(result),
            **(provenance.get("versions") or {}),
            **(provenance.get("machine") or {}),
            "device": provenance.get("device"),
            "threads": provenance.get("threads"),
        }
        for key, value in flat.items():
            if value is not None:
                said.setdefault(key, []).append(
                    value if isinstance(value, str) else json.dumps(value)
                )
    return {key: "; ".join(sorted(set(values))) for key, values in said.items()}


def _commit(result: Result) -> str:
    return str((result.content.get("provenance") or {}).get("commit") or "unknown")


def _n_test(material: Material) -> int | None:
    return _first_number(material.results, "test")


def _first_number(results: Iterable[Result], split: str) -> int | None:
    return next((n for result in results if (n := result.n_windows(split)) is not None), None)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _bar(row: Row, board: Leaderboard) -> str:
    """Return the length of the bar behind a score, in percent of the cell."""
    largest = max((r.score.mean or 0 for r in board.rows), default=0)
    share = max(row.score.mean or 0, 0) / max(largest, 1) if largest > 0 else 0
    return f"{100 * share:.1f}%"


def _score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return NOTHING if value is None else f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.3g} %"


def _amount(value: float | None) -> str:
    """Write a count exactly up to a hundred thousand, then with a unit."""
    if value is None:
        return NOTHING
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if value >= size:
            return f"{value / min(size, 1e3 if unit == 'k' else size):.3g} {unit}"
    return f"{value:,.0f}".replace(",", "\u202f")


def _seconds(value: float | None) -> str:
    """Write a duration in the unit that fits it."""
    if value is None:
        return NOTHING
    if value < 0.1:
        return f"{1000 * value:.3g} ms"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.1f} s"
    if value < 3600:
        return f"{value // 60:.0f} min {value % 60:02.0f} s"
    return f"{value // 3600:.0f} h {value % 3600 / 60:02.0f} min"


def _memory(value: Any) -> str:
    return NOTHING if value is None else f"{value / 2**20:.0f} MiB"
