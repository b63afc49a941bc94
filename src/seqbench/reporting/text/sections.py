"""Text of the page on one dataset: facts, warnings, and figures with their words."""

from dataclasses import dataclass

from seqbench import layout
from seqbench.config.registry import TASKS
from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.classification import ClassificationEvidence
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.reporting.scores.metrics import floor_of, metric_label
from seqbench.reporting.text.cards import Card, card
from seqbench.reporting.text.leaks import file_note, leak_warnings, order_note, overlap_warnings
from seqbench.reporting.text.searches import SearchRow, search_rows, tuned_notes
from seqbench.reporting.text.usage import Usage, usages

FEW_TEST_WINDOWS, FEW_TEST_EVENTS, FEW_GROUPS = 30, 30, 5


@dataclass(frozen=True, kw_only=True)
class Section:
    """Text of the page on one dataset.

    Parameters
    ----------
    card
        Card of its data.
    notes, warnings
        Sentences: of the source on its data, and on the results.
    uses
        How the model selected on val and the best baseline predict.
    table_path
        File of the leaderboard in LaTeX.
    searches
        Of options of its models.
    """

    material: Material
    card: Card
    detection: DetectionEvidence | None
    notes: list[str]
    warnings: list[str]
    uses: list[Usage]
    table_path: str
    searches: list[SearchRow]


def section(plan: Plan, material: Material) -> Section:
    """Return the section of a dataset."""
    evidence = material.evidence
    detection = evidence if isinstance(evidence, DetectionEvidence) else None
    few = _few_windows(material) if detection is None else _few_events(detection)
    return Section(
        material=material,
        card=card(plan, material),
        detection=detection,
        notes=[
            *map(str, material.windows.source.get("notes", ())),
            *order_note(material.leakchecks),
            *file_note(material),
            *_lead(material.board),
            *_ties(material.board),
            *tuned_notes(material.board),
            *_refits(plan, material.board),
        ],
        warnings=[
            *leak_warnings(material.leakchecks),
            *overlap_warnings(material.overlaps),
            *few,
            *_few_groups(material),
            *_warnings(material.board),
        ],
        uses=usages(plan, material.board),
        table_path=layout.TABLE.format(dataset=material.dataset, form="tex"),
        searches=search_rows(material.searches, material.dataset),
    )


def _lead(board: Leaderboard) -> list[str]:
    """State over folds by how much the model selected on val is ahead of the best baseline."""
    best, baseline, lead = board.selected, board.best_baseline, board.lead
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
    return f" (95 % interval {formats.signed_interval(interval)})"


def _few_windows(material: Material) -> list[str]:
    sizes = (n for one in material.results if (n := one.n_windows("test")) is not None)
    fold = material.results[0].fold
    n_test = next(sizes, FEW_TEST_WINDOWS) * (fold.n_folds if fold else 1)
    if n_test >= FEW_TEST_WINDOWS:
        return []
    found = f"Only {counted(n_test, 'test window')}"
    if not isinstance(material.evidence, ClassificationEvidence):
        return [f"{found}, which is little to compare models on."]
    share = formats.percent(1 / max(n_test, 1))
    return [f"{found}: one window is {share} of {metric_label(material.board.headline)}."]


def _few_groups(material: Material) -> list[str]:
    """Warn where few people or recordings decide; folds take turns."""
    if material.board.n_folds > 1:
        return []
    n_groups = {one.split: one.n_groups for one in material.splits if one.split != "train"}
    few = [f"{name} holds {counted(n, 'group')}" for name, n in n_groups.items() if n < FEW_GROUPS]
    if not few:
        return []
    words = " and ".join(few).capitalize()
    return [f"{words}: which model is selected, or how it scores, may be a matter of these few."]


def _ties(board: Leaderboard) -> list[str]:
    """State where models are equal on val."""
    tied = board.tied_on_val
    if len(tied) < 2 or board.selected is None:
        return []
    tiebreak = metric_label(TASKS[board.task]().tiebreak)
    return [
        f"{counted(len(tied), 'model')} tie on val with {formats.score(tied[0].on_val.mean)}"
        f" {metric_label(board.headline)}; the lowest {tiebreak} there, then the first"
        f" name, selects {board.selected.name}."
    ]


def _refits(plan: Plan, board: Leaderboard) -> list[str]:
    """State which models have learned from val too, and what of them has not."""
    runs = (row.results[0].run for row in board.rows)
    names = sorted({run.architecture for run in runs if plan.is_refit(run)})
    if not names:
        return []
    baselines = "train alone" if TASKS[board.task]().tunes_on_val else "both too"
    return [
        f"Trained once more on train and val, for the epochs that val chose: {', '.join(names)}."
        f" Scores on val are those before; baselines learn from {baselines}."
    ]


def _few_events(detection: DetectionEvidence) -> list[str]:
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
            "Test is a single recording or subject, so there is no interval for other recordings."
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
            f"The model selected on val {word} the baseline {baseline.architecture}{chance}."
        )
    elif board.n_folds == 1 and lead is not None and lead.verdict != "ahead":  # else see `_lead`
        found.append(
            "Chance may be all that puts the model selected on val ahead of the best baseline:"
            f" {formats.signed_score(lead.mean)} {metric_label(board.headline)}"
            f"{_within(lead.interval)}."
        )
    return found
