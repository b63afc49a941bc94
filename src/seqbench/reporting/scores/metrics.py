"""Metrics of a leaderboard and what they are called; floors and ceilings by their tags."""

from collections.abc import Iterable

from seqbench.config.registry import BASELINES, TASKS
from seqbench.tasks.metric_names import expand, family_of

LEADERBOARD_TOLERANCES_MS = (0.5, 1.0, 5.0, 10.0, 20.0, 150.0)
# By family, in the order of the leaderboard's columns beside the headline.
FIRST_METRICS = (
    *("onset_mae_ms", "onset_p95_ms", "onset_bias_ms", "false_alarms_per_hour"),
    *("balanced_accuracy", "macro_f1", "sequence_accuracy", "auroc", "log_loss"),
    *("rmse", "mae", "ssim"),
)
METRIC_LABELS = {
    "macro_f1": "macro F1",
    "mcc": "MCC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "auroc": "AUROC",
    "ece": "ECE",
    "ssim": "SSIM",
    "frame_squared_error": "SE per frame",
    "frame_f1": "F1 of frames",
    "mse": "MSE",
    "f1_at": "F1",
    "macro_f1_at": "macro F1",
    "precision_at": "precision",
    "recall_at": "recall",
    "average_precision_at": "average precision",
    "onset_bias_ms": "bias (ms)",
    "onset_mae_ms": "MAE (ms)",
    "onset_median_ms": "median error (ms)",
    "onset_p95_ms": "95 % error (ms)",
    "refractory_violations": "too close",
    "refractory_violations_before": "too close, thresholds alone",
    "false_alarms_per_hour": "false alarms per hour",
    "presence_ece": "ECE of candidates",
    "event_f1_at": "F1 with ends",
    "macro_event_f1_at": "macro F1 with ends",
    "end_bias_ms": "bias of ends (ms)",
    "end_mae_ms": "MAE of ends (ms)",
    "coverage_gap": "coverage less 0.95",
    "latency_p50_ms": "median latency (ms)",
    "latency_p95_ms": "95 % latency (ms)",
}


def columns(task: str, headline: str) -> list[str]:
    """Return the metrics of a leaderboard, the headline first.

    All of the task; of those with a value at every tolerance the ones that distinguish
    models: at the tolerance that ranks, and the headline from tight to wide.
    """
    family, ranked_ms = family_of(headline)
    names = [name for known in TASKS[task]().metric_names() for name in expand(known)]
    at = {name: family_of(name) for name in names}
    tight_to_wide = {(family, tolerance_ms) for tolerance_ms in LEADERBOARD_TOLERANCES_MS}
    shown = [
        headline,
        *(name for name in names if at[name][1] == ranked_ms),
        *(name for name in names if at[name] in tight_to_wide),
        *(name for name in names if at[name][1] is None),
    ]
    return list(dict.fromkeys(shown))


def first_columns(names: Iterable[str], headline: str) -> tuple[str, ...]:
    """Return the metrics that a reader of a leaderboard needs beside the headline.

    Of a package's own metrics, which nothing here knows, all do.
    """
    others = [name for name in names if name != headline]
    first = [name for known in FIRST_METRICS for name in others if family_of(name)[0] == known]
    return tuple(first or others)


def floor_of(task: str) -> str | None:
    """Return the baseline that knows nothing: what a model must beat to have learned anything."""
    return _tagged("floor_of", task)


def ceiling_of(task: str) -> str | None:
    """Return the baseline that knows the truth: what a model can at best come near."""
    return _tagged("ceiling_of", task)


def metric_label(name: str) -> str:
    """Return how a metric, or a family of metrics at all tolerances, is called."""
    if name in METRIC_LABELS:
        return METRIC_LABELS[name]
    family, tolerance_ms = family_of(name)
    if tolerance_ms is not None:
        return f"{metric_label(family)} at {tolerance_ms:g} ms"
    return name.replace("_", " ")


def _tagged(tag: str, task: str) -> str | None:
    found = [name for name in BASELINES if task in BASELINES.entry(name).tags.get(tag, ())]
    return found[0] if found else None
