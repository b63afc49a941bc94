"""What the report shows of a detection dataset, gathered from windows and predictions.

Axes: S recordings, K types of event, C channels.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import EVIDENCE
from seqbench.plan.plan import Run
from seqbench.reporting.evidence.calibration import Calibrated, Calibration
from seqbench.reporting.evidence.excerpts import Excerpt, excerpts_of
from seqbench.reporting.evidence.material import EvidenceInputs
from seqbench.reporting.read.banks import Bank, read_bank
from seqbench.reporting.read.event_shapes import EventShapes, read_event_shapes
from seqbench.reporting.read.split_sizes import SplitSize, split_size
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.storage.detections import Detections
from seqbench.storage.windows import WindowSet, read_windows
from seqbench.tasks.detection import end_metrics, metrics
from seqbench.tasks.detection.comparison import LEAST_ERROR_TOLERANCE_MS, errors_ms
from seqbench.tasks.detection.per_type import per_type
from seqbench.tasks.detection.refractory import DECODERS


@dataclass(frozen=True)
class Timing:
    """Onset errors of all seeds of a model: type (P,) and milliseconds late (P,)."""

    row: ModelScores
    type: NDArray[np.int64]
    late_ms: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """What one way of decoding makes of the candidates of a model, over its seeds, on test.

    Parameters
    ----------
    is_answer
        Whether the metrics are those of this decoder.
    violations
        Detections that follow one of their type too soon.
    """

    name: str
    is_answer: bool
    f1: Estimate
    precision: Estimate
    recall: Estimate
    violations: Estimate
    false_alarms_per_hour: Estimate
    latency_p95_ms: Estimate


@dataclass(frozen=True, kw_only=True)
class DetectionEvidence(Calibrated):
    """Evidence of a detection dataset.

    Parameters
    ----------
    test
        How much there is in test.
    rate_hz
        Samples per second.
    tolerance_ms, refractory_s
        Of the dataset; no refractory period: None.
    timings
        Of the model selected on val and the best baseline, in this order.
    excerpts
        Parts of test with what the selected model and seed finds there.
    types
        What `per_type` returns for the selected model and seed, where ends are scored with
        `ends_per_type`, and before it the same of all types together, if there are several.
    has_ends
        Whether the ends of events are scored.
    decoders
        Of the selected model.
    banks
        Templates that models of the plan have learned.
    shapes
        Whitened shape of each type, from which the least error in time follows; None:
        neither a generator nor `matched_filter` knows them.
    """

    classes: list[str]
    test: SplitSize
    rate_hz: float
    tolerance_ms: float
    refractory_s: float | None
    timings: list[Timing]
    excerpts: list[Excerpt]
    types: list[dict[str, Any]]
    has_ends: bool
    decoders: list[Decoder]
    banks: list[Bank]
    shapes: EventShapes | None

    @property
    def error_tolerance_ms(self) -> float:
        """Pairs within this count for errors in time."""
        return max(LEAST_ERROR_TOLERANCE_MS, self.tolerance_ms)

    @cached_property
    def bounds_ms(self) -> list[float | None]:
        """Least standard deviation of the onset of each type, (K,); None where it is not known."""
        if self.shapes is None:
            return [None] * len(self.classes)
        return [b if np.isfinite(b) else None for b in self.shapes.bound_ms.tolist()]


@EVIDENCE.register("detection", tasks=("detection",))
def gather_detection(inputs: EvidenceInputs) -> DetectionEvidence:
    """Read the detections and events of test; of the signal, test alone is read."""
    test, board = read_windows(inputs.windows, "test", memory_limit_bytes=0), inputs.board
    timeline = test.events
    found = {
        row.name: {one.run: inputs.predictions(one.run, Detections) for one in row.results}
        for row in board.compared
    }
    selected = board.selected
    of_selected = {} if selected is None else found[selected.name]
    of_seeds = list(of_selected.values())
    chosen = calibration = None
    if selected is not None:
        chosen, bins = of_selected[selected.chosen.run], map(metrics.reliability, of_seeds)
        calibration = Calibration.of_runs(selected, bins, of="candidate", error="presence_ece")
    templated = _with_templates(board, inputs.template_files)
    shapes = _shapes(inputs, test)
    return DetectionEvidence(
        classes=test.classes,
        test=split_size(test),
        rate_hz=test.required_rate_hz,
        tolerance_ms=timeline.tolerance_ms,
        refractory_s=timeline.refractory_s,
        timings=[_timing(row, list(found[row.name].values())) for row in board.compared],
        excerpts=[] if chosen is None else excerpts_of(test, chosen),
        types=[] if chosen is None else _types(chosen, shapes),
        has_ends=chosen is not None and chosen.has_ends,
        decoders=[_decoder(name, of_seeds) for name in DECODERS] if of_seeds else [],
        calibration=calibration,
        banks=[
            read_bank(row.chosen, test, inputs.template_files[row.chosen.run]) for row in templated
        ],
        shapes=shapes,
    )


def _shapes(inputs: EvidenceInputs, test: WindowSet) -> EventShapes | None:
    own = [
        path
        for run, path in inputs.template_files.items()
        if run.is_baseline and run.dataset == inputs.shown
    ]
    return read_event_shapes(test, own[0] if own else None)


def _timing(row: ModelScores, of_seeds: list[Detections]) -> Timing:
    types, late_ms = zip(*map(errors_ms, of_seeds), strict=True)
    return Timing(row, np.concatenate(types), np.concatenate(late_ms))


def _types(found: Detections, shapes: EventShapes | None) -> list[dict[str, Any]]:
    """Return a row for each type, the sum of several in front; with the least mean error."""
    least_ms = [np.inf] * len(found.classes) if shapes is None else shapes.least_mean_error_ms
    rows = [
        row | {"least_mae_ms": float(least) if np.isfinite(least) else None}
        for row, least in zip(per_type(found), least_ms, strict=True)
    ]
    once = np.ones((1, len(found)))
    ends = {}
    if found.has_ends:
        rows = [row | own for row, own in zip(rows, end_metrics.ends_per_type(found), strict=True)]
        ends = {
            "event_f1": _number(end_metrics.event_f1_at(found, once, found.tolerance_ms)),
            "end_mae_ms": _number(end_metrics.end_mae_ms(found, once)),
            "end_bias_ms": _number(end_metrics.end_bias_ms(found, once)),
        }
    gap = _number(metrics.coverage_gap(found, once))
    together = {
        "type": "all types",
        "n_references": sum(row["n_references"] for row in rows),
        "n_detections": sum(row["n_detections"] for row in rows),
        **_matching(found),
        "bias_ms": _number(metrics.onset_bias_ms(found, once)),
        "mae_ms": _number(metrics.onset_mae_ms(found, once)),
        "p95_ms": _number(metrics.onset_p95_ms(found, once)),
        "coverage": None if gap is None else gap + metrics.COVERAGE,
        "threshold": None,
        "least_mae_ms": None,
        **ends,
    }
    return [together, *rows] if len(rows) > 1 else rows


def _decoder(name: str, of_seeds: list[Detections]) -> Decoder:
    scores = [_scores(found, name) for found in of_seeds]
    return Decoder(
        name=name,
        is_answer=all(found.decoding.decoder == name for found in of_seeds),
        **{key: Estimate.of_values(score[key] for score in scores) for key in scores[0]},
    )


def _scores(found: Detections, decoder: str) -> dict[str, float | None]:
    """Return the metrics as if a decoder were that of the model; None where one is not defined."""
    as_if = replace(found, decoding=replace(found.decoding, decoder=decoder))
    once = np.ones((1, len(found)))
    return {
        **_matching(as_if),
        "violations": _number(metrics.refractory_violations(as_if, once)),
        "false_alarms_per_hour": _number(metrics.false_alarms_per_hour(as_if, once)),
        "latency_p95_ms": _number(metrics.latency_p95_ms(as_if, once)),
    }


def _matching(found: Detections) -> dict[str, float | None]:
    once, tolerance_ms = np.ones((1, len(found))), found.tolerance_ms
    return {
        name: _number(getattr(metrics, f"{name}_at")(found, once, tolerance_ms))
        for name in ("f1", "precision", "recall")
    }


def _with_templates(board: Leaderboard, banked: Collection[Run]) -> list[ModelScores]:
    """Return the models whose templates are shown: of each architecture the arm selected on val."""
    holders: dict[str, list[ModelScores]] = {}
    for row in board.rows:
        if row.results[0].run in banked:
            holders.setdefault(row.architecture, []).append(row)
    selected = (board.selected_among(rows) or rows[0] for rows in holders.values())
    return sorted(selected, key=lambda row: row.is_baseline)


def _number(value: NDArray[np.float64]) -> float | None:
    """Return a single value, None where it is not defined."""
    return float(value.item()) if np.isfinite(value).all() else None
