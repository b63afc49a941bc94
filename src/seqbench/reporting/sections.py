"""What the page says of one dataset: facts, warnings, and figures with their words."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from seqbench import layout
from seqbench.datasets.base import counted
from seqbench.plan import Plan
from seqbench.reporting import formats, pretraining
from seqbench.reporting.catalog import CAPTIONS, Caption, figures_of, floor_of, metric_label
from seqbench.reporting.classification import ClassificationMaterial
from seqbench.reporting.detection import DetectionMaterial
from seqbench.reporting.figures import Drawing
from seqbench.reporting.leaks import leak_fact, leak_warnings, order_note
from seqbench.reporting.material import Answers, Material
from seqbench.reporting.tables import Estimate, Leaderboard, Result, ahead, mean_interval_of
from seqbench.storage.windows import WindowSet

FEW_TEST_WINDOWS, FEW_TEST_EVENTS = 30, 30


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page."""

    name: str
    caption: Caption
    alt: str
    source: str
    remarks: list[str]
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of one dataset.

    Parameters
    ----------
    facts
        Values by what they are.
    counts_of, class_counts
        What is counted, and how many there are by name of the class.
    notes, warnings
        Sentences: of the source on its data, and on the results.
    model_path
        File of the model and seed that val picks.
    """

    material: Material
    facts: dict[str, str]
    counts_of: str
    class_counts: list[tuple[str, str]]
    pictures: list[Picture]
    notes: list[str]
    warnings: list[str]
    model_path: str | None


def section(plan: Plan, material: Material, drawings: Mapping[tuple[str, str], Drawing]) -> Section:
    """Return the section of a dataset."""
    best, detection = material.board.picked, material.detection
    if detection is None:
        things = "windows" if material.windows.targets is None else "samples"
        counts_of, class_counts = f"Train {things} of each class", _window_counts(material)
        few = _few_windows(material)
    else:
        counts_of = "Labelled events of each type: train · val · test"
        class_counts = _event_counts(detection)
        few = _few_events(detection)
    return Section(
        material=material,
        facts=_facts(plan, material),
        counts_of=counts_of,
        class_counts=class_counts,
        pictures=[
            _picture(name, material, drawings[material.dataset, name])
            for name in figures_of(plan, material.dataset)
        ],
        notes=[
            *map(str, material.windows.source.get("notes", ())),
            *order_note(material.leakchecks),
            *_lead(material.board),
        ],
        warnings=[*leak_warnings(material.leakchecks), *few, *_warnings(material.board)],
        model_path=None if best is None else best.chosen.run.fill(layout.MODEL),
    )


def _facts(plan: Plan, material: Material) -> dict[str, str]:
    windows, detection = material.windows, material.detection
    entry = plan.benchmark.all_datasets[material.dataset]
    options = ", ".join(f"{key} {value}" for key, value in entry.source_options.items())
    results = [result for result in material.results if result.run.dataset == material.shown]
    n_val, n_test = (formats.amount(_first_number(results, split)) for split in ("val", "test"))
    lengths = sorted({int(n) for n in windows.length})
    span = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    rate = windows.sampling_rate_hz
    return {
        "task": material.board.task,
        "source": f"{entry.source} ({options})" if options else entry.source,
        **({} if detection is None else _recorded(detection)),
        **_folds(material),
        "windows": f"{formats.amount(len(windows))} train · {n_val} val · {n_test} test",
        **_asked(material),
        **_shape(windows),
        "length" if detection is None else "length of a window": f"{span} samples"
        if lengths
        else formats.NOTHING,
        "sampling rate": "not stated" if rate is None else f"{rate:g} Hz",
        **({} if detection is None else _rules(detection)),
        "normalisation": windows.normalization.mode,
        **leak_fact(material.leakchecks),
    }


def _shape(windows: WindowSet) -> dict[str, str]:
    """Return what a sample is made of."""
    n = len(windows.channels)
    if windows.sample == "tokens":
        return {"vocabulary": f"{n}"}
    if windows.sample == "video":
        rows, columns = windows.frame_size
        return {"frame": f"{rows} x {columns} pixels", "planes": f"{n}"}
    return {"channels": f"{n}"}


def _folds(material: Material) -> dict[str, str]:
    """Return how many folds there are, and which one is shown; nothing where there are none."""
    folds = {result.fold for result in material.results} - {None}
    if not folds:
        return {}
    n_repeats = len({fold.repeat for fold in folds if fold})
    return {
        "folds": f"{len(folds)} in {counted(n_repeats, 'draw')}",
        "fold shown": material.shown,
    }


def _lead(board: Leaderboard) -> list[str]:
    """Say over folds by how much the model that val picks is ahead of the best baseline."""
    best, baseline = board.picked, board.best_baseline
    if board.n_folds == 1 or best is None or baseline is None or board.margin is None:
        return []
    interval = mean_interval_of(ahead(best, baseline))
    if interval is None:
        return []
    low, high = (formats.signed_score(bound) for bound in interval)
    verdict = "more than chance does" if interval[0] > 0 or interval[1] < 0 else "as chance can do"
    return [
        f"Fold by fold, {best.name} scores {formats.signed_score(board.margin)}"
        f" {metric_label(board.headline)} against {baseline.architecture}, {verdict}"
        f" (95 % interval {low} to {high}, widened for the training data that folds share)."
    ]


def _asked(material: Material) -> dict[str, str]:
    """Return what is to be told."""
    windows, targets = material.windows, material.windows.targets
    if material.detection is not None:
        return {"event types": f"{len(windows.classes)}"}
    if targets is None or windows.classes:
        return {"classes": f"{len(windows.classes)}"}
    facts = {"values": ", ".join(targets.names)}
    if targets.horizon_samples:
        facts["horizon"] = counted(targets.horizon_samples, "sample")
        steps = ["logarithm"] if targets.transform.log else []
        steps += [f"difference over {lag}" for lag in targets.transform.difference_samples]
        facts["transform"] = ", ".join(steps) or "none"
    return facts


def _recorded(detection: DetectionMaterial) -> dict[str, str]:
    """Return how much there is in each part."""

    def parts(values: Iterable[str], unit: str = "") -> str:
        pairs = zip(values, detection.parts, strict=True)
        return " · ".join(f"{value}{unit} {part.split}" for value, part in pairs)

    def duration(seconds: list[float]) -> str:
        values, unit = formats.durations(seconds)
        return parts(values, f" {unit}")

    facts = {
        "recordings": parts(formats.amount(part.n_recordings) for part in detection.parts),
        "duration": duration([part.seconds for part in detection.parts]),
        "labelled events": parts(formats.amount(int(p.events.sum())) for p in detection.parts),
    }
    if any(part.known_s < part.seconds for part in detection.parts):
        facts["labelled duration"] = duration([part.known_s for part in detection.parts])
    return facts


def _rules(detection: DetectionMaterial) -> dict[str, str]:
    period = detection.refractory_s
    return {
        "refractory period": "none known" if period is None else formats.seconds(period),
        "tolerance": f"{detection.tolerance_ms:g} ms",
    }


def _window_counts(material: Material) -> list[tuple[str, str]]:
    if material.windows.targets is not None and material.windows.classes:
        told = material.windows.targets.values[:, 0]
        samples = Counter(told[np.isfinite(told)].astype(int).tolist())
        return [(name, f"{samples[k]}") for k, name in enumerate(material.windows.classes)]
    counts = Counter(material.windows.label.tolist())
    return [(name, f"{counts[k]}") for k, name in enumerate(material.windows.classes)]


def _event_counts(detection: DetectionMaterial) -> list[tuple[str, str]]:
    return [
        (name, " · ".join(f"{part.events[k]}" for part in detection.parts))
        for k, name in enumerate(detection.classes)
    ]


def _few_windows(material: Material) -> list[str]:
    n_test = _first_number(material.results, "test")
    if n_test is None:
        return []
    fold = material.results[0].fold
    n_test *= fold.n_folds if fold else 1
    if n_test >= FEW_TEST_WINDOWS:
        return []
    found = f"Only {counted(n_test, 'test window')}"
    if material.board.task != "classification":
        return [f"{found}, which is little to tell models apart."]
    share = formats.percent(1 / max(n_test, 1))
    return [f"{found}: one window is {share} of {metric_label(material.board.headline)}."]


def _few_events(detection: DetectionMaterial) -> list[str]:
    test = detection.part("test")
    n_events = int(test.events.sum())
    if not n_events:
        return ["No event of test is labelled, so there is nothing to find."]
    found: list[str] = []
    if n_events < FEW_TEST_EVENTS:
        found.append(
            f"Only {n_events} labelled events in test: one is {formats.percent(1 / n_events)} of"
            " recall."
        )
    absent = [name for name, n in zip(detection.classes, test.events, strict=True) if not n]
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
    best, baseline = board.picked, board.best_baseline
    if best is not None and baseline is not None and board.margin is not None and board.margin <= 0:
        word = "lies below" if board.margin < 0 else "only equals"
        found.append(f"The model picked on val {word} the baseline {baseline.architecture}.")
    elif (
        board.n_folds == 1  # else the deviation is that over folds, and `_lead` says more
        and best is not None
        and board.margin is not None
        and board.margin <= (best.score.sd or 0)
    ):
        found.append("The model picked on val leads the best baseline by no more than one s.d.")
    return found


def _picture(name: str, material: Material, drawing: Drawing) -> Picture:
    # An image of its own keeps the ids inside an SVG from meeting those of another.
    encoded = base64.b64encode(drawing.svg).decode("ascii")
    return Picture(
        name=name,
        caption=CAPTIONS[name],
        alt=_alternative(name, material),
        source=f"data:image/svg+xml;base64,{encoded}",
        remarks=_remarks(name, material),
        width=drawing.width,
        height=drawing.height,
    )


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
        shown = [
            f"{c.row.name}: {int(c.counts.trace())} of {int(c.counts.sum())} windows right"
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
    return f"{'; '.join(shown) or 'All of them are right in the mean of the runs'}."


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
