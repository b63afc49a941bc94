"""What the page says of one dataset: facts, warnings, and figures with their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from seqbench import layout
from seqbench.config.registry import TASK_PROFILES
from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.classification import ClassificationMaterial
from seqbench.reporting.evidence.detection import DetectionMaterial
from seqbench.reporting.evidence.material import Answers, Material
from seqbench.reporting.figures import Drawing
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import formats, pretraining
from seqbench.reporting.scores.catalog import CAPTIONS, Caption, figures_of, floor_of, metric_label
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.reporting.text.cards import Card, card
from seqbench.reporting.text.leaks import leak_warnings, order_note

FEW_TEST_WINDOWS, FEW_TEST_EVENTS = 30, 30
OF_DATA = ("examples", "pictures")  # figures that show no model


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page."""

    name: str
    caption: Caption
    alt: str
    source: Markup
    remarks: list[str]
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of one dataset.

    Parameters
    ----------
    card
        What there is to say of its data.
    examples
        Figures of the data alone; `pictures` are all others.
    notes, warnings
        Sentences: of the source on its data, and on the results.
    model_path
        File of the model and seed that val picks.
    table_path
        File of the leaderboard in LaTeX.
    """

    material: Material
    card: Card
    examples: list[Picture]
    pictures: list[Picture]
    notes: list[str]
    warnings: list[str]
    model_path: str | None
    table_path: str


def section(plan: Plan, material: Material, drawings: Mapping[tuple[str, str], Drawing]) -> Section:
    """Return the section of a dataset."""
    best, detection = material.board.picked, material.detection
    few = _few_windows(material) if detection is None else _few_events(detection)
    pictures = [
        picture(
            name,
            drawings[material.dataset, name],
            _alternative(name, material),
            _remarks(name, material),
        )
        for name in figures_of(plan, material.dataset)
    ]
    return Section(
        material=material,
        card=card(plan, material),
        examples=[one for one in pictures if one.name in OF_DATA],
        pictures=[one for one in pictures if one.name not in OF_DATA],
        notes=[
            *map(str, material.windows.source.get("notes", ())),
            *order_note(material.leakchecks),
            *_lead(material.board),
        ],
        warnings=[*leak_warnings(material.leakchecks), *few, *_warnings(material.board)],
        model_path=None if best is None else best.chosen.run.fill(layout.MODEL),
        table_path=layout.TABLE.format(dataset=material.dataset, form="tex"),
    )


def _lead(board: Leaderboard) -> list[str]:
    """Say over folds by how much the model that val picks is ahead of the best baseline."""
    best, baseline, lead = board.picked, board.best_baseline, board.lead
    if board.n_folds == 1 or best is None or baseline is None or lead is None or not lead.interval:
        return []
    verdict = "as chance can do" if lead.verdict == "within chance" else "more than chance does"
    return [
        f"Fold by fold, {best.name} scores {formats.signed_score(lead.mean)}"
        f" {metric_label(board.headline)} against {baseline.architecture}, {verdict}"
        f"{_within(lead.interval)}; the interval is widened for the training data that folds share."
    ]


def _within(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return ", without an interval"
    low, high = (formats.signed_score(bound) for bound in interval)
    return f" (95 % interval {low} to {high})"


def _few_windows(material: Material) -> list[str]:
    n_test = _first_number(material.results, "test")
    if n_test is None:
        return []
    fold = material.results[0].fold
    n_test *= fold.n_folds if fold else 1
    if n_test >= FEW_TEST_WINDOWS:
        return []
    found = f"Only {counted(n_test, 'test window')}"
    if material.classification is None:
        return [f"{found}, which is little to tell models apart."]
    share = formats.percent(1 / max(n_test, 1))
    return [f"{found}: one window is {share} of {metric_label(material.board.headline)}."]


def _few_events(detection: DetectionMaterial) -> list[str]:
    test = detection.test
    n_events = test.n_labelled
    if not n_events:
        return ["No event of test is labelled, so there is nothing to find."]
    found: list[str] = []
    if n_events < FEW_TEST_EVENTS:
        found.append(
            f"Only {n_events} labelled events in test: one is {formats.percent(1 / n_events)} of"
            " recall."
        )
    absent = [name for name, n in zip(detection.classes, test.counts, strict=True) if not n]
    if absent:
        found.append(f"Types that do not occur in test: {', '.join(absent)}.")
    if test.n_groups == 1:
        found.append(
            "Test is a single recording or subject, so no interval can say how others would do."
        )
    return found


def _warnings(board: Leaderboard) -> list[str]:
    """Return what a reader of one dataset's numbers should know, as sentences."""
    found: list[str] = []
    weak = [row.name for row in board.rows if row.below_floor]
    if weak:
        found.append(
            f"Below the {floor_of(board.task)} floor, so nothing was learned: {', '.join(weak)}."
        )
    baseline, lead = board.best_baseline, board.lead
    if baseline is not None and lead is not None and lead.mean <= 0:
        word = "lies below" if lead.mean < 0 else "only equals"
        chance = ", by what may be chance" if lead.mean and lead.verdict == "within chance" else ""
        found.append(
            f"The model picked on val {word} the baseline {baseline.architecture}{chance}."
        )
    elif board.n_folds == 1 and lead is not None and lead.verdict != "ahead":  # else see `_lead`
        found.append(
            "Chance may be all that puts the model picked on val ahead of the best baseline:"
            f" {formats.signed_score(lead.mean)} {metric_label(board.headline)}"
            f"{_within(lead.interval)}."
        )
    return found


def picture(name: str, drawing: Drawing, alt: str, remarks: Sequence[str] = ()) -> Picture:
    """Return a figure with its caption as the page holds it."""
    return Picture(
        name=name,
        caption=CAPTIONS[name],
        alt=alt,
        source=data_url(drawing.svg),
        remarks=list(remarks),
        width=drawing.width,
        height=drawing.height,
    )


def data_url(svg: bytes) -> Markup:
    """Return an SVG as the address of an image, ready to stand in a quoted attribute.

    An image of its own keeps the ids inside one SVG from meeting those of another,
    and runs no script. As text it takes a quarter less room than as base64: only
    what would end the attribute or mean something in an address is written otherwise.
    """
    text = " ".join(svg.decode().split("\n"))  # an address loses its line ends
    for mark, written in (("%", "%25"), ("#", "%23"), ("&", "%26"), ('"', "%22")):
        text = text.replace(mark, written)
    return Markup(f"data:image/svg+xml,{text}")


def _remarks(name: str, material: Material) -> list[str]:
    """Return what follows from a figure, as sentences that stand under it."""
    if name != "label_efficiency":
        return []
    return pretraining.verdicts(pretraining.effects(material.results))


def _alternative(name: str, material: Material) -> str:
    """Say in words what a figure shows, for those who cannot see it."""
    about = f"{CAPTIONS[name].title}, dataset {material.dataset}."
    return f"{about} {_shown(name, material) or CAPTIONS[name].text}"


def _shown(name: str, material: Material) -> str:
    """Return the main values of a figure as sentences; none for curves without such values."""
    board = material.board
    if name in ("leaderboard", "cost"):
        ranked = [
            f"{row.name} {formats.score(row.score.mean)}" for row in board.rows if row.score.n
        ]
        return f"Mean {metric_label(board.headline)} on test: {', '.join(ranked)}."
    if name == "confusion":
        judged = TASK_PROFILES[board.task].counted
        shown = [
            f"{c.row.name}: {int(c.counts.trace())} of {int(c.counts.sum())} {judged} right"
            for c in material.confusions
        ]
        return f"{'; '.join(shown)}."
    if name in ("roc", "calibration", "hardest") and material.classification is not None:
        return _shown_of_classes(name, material.classification)
    if name in ("answers", "agreement", "frames", "horizon"):
        shown = [f"{a.row.name} with RMSE {_rmse(a)}" for a in material.answers]
        return f"Drawn: {', '.join(shown)}."
    if name in ("examples", "pictures"):
        return f"Windows of the classes {', '.join(material.windows.classes)}."
    if material.detection is not None:
        return _shown_of_events(name, material.board, material.detection)
    return ""


def _rmse(answers: Answers) -> str:
    value = answers.result.value("rmse")
    return formats.NOTHING if value is None else f"{value:.3g}"


def _shown_of_classes(name: str, judged: ClassificationMaterial) -> str:
    if name == "roc":
        shown = [
            f"{one.row.name}: AUROC {formats.score(float(one.auroc.mean()))}, average precision"
            f" {formats.score(float(one.average_precision.mean()))}"
            for one in judged.curves
            if one.classes
        ]
        return f"{'; '.join(shown) or 'Test holds a single class'}."
    if name == "calibration":
        row = judged.calibration and judged.calibration.row
        error = row.metrics.get("ece") if row else None
        return f"{row.name}: ECE {formats.score(error.mean)}." if row and error else ""
    shown = [
        f"{one.recording}: {one.true} taken for {one.told} with {one.of_told:.2f}"
        for one in judged.hardest
        if one.told != one.true
    ]
    return f"{'; '.join(shown) or 'None drawn is taken for another class in the mean'}."


def _shown_of_events(name: str, board: Leaderboard, detection: DetectionMaterial) -> str:
    best = board.picked
    if name == "tolerance" and best is not None:
        values = [
            f"{formats.score(mean)} at {tolerance} ms"
            for tolerance in ("0.5", "5", "150")
            if (mean := Estimate.of(best.results, f"f1_at_{tolerance}ms").mean) is not None
        ]
        return f"{best.name}, picked on val: F1 {', '.join(values) or formats.NOTHING}."
    if name == "timing_errors":
        biases = {t.row.name: float(t.late_ms.mean()) for t in detection.timings if len(t.late_ms)}
        means = [f"{n} {formats.milliseconds(ms, signed=True)} ms" for n, ms in biases.items()]
        return f"Mean lateness: {', '.join(means) or formats.NOTHING}."
    if name == "timeline":
        stretches = [
            f"{stretch.recording} from {stretch.start_s:.1f} s: {len(stretch.labelled)} labelled,"
            f" {stretch.n_missed} missed, {stretch.n_false} false"
            for stretch in detection.stretches
        ]
        return f"{'; '.join(stretches) or 'Nothing of test is labelled'}."
    if name == "templates":
        return f"Templates of {'; '.join(bank.name for bank in detection.banks)}."
    return ""


def _first_number(results: Iterable[Result], split: str) -> int | None:
    return next((n for result in results if (n := result.n_windows(split)) is not None), None)
