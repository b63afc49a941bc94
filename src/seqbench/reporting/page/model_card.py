"""The card of the model that val selects on a dataset, as JSON values and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seqbench.config.arms import Arm
from seqbench.config.registry import TASKS
from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.page.escapes import markdown
from seqbench.reporting.read.settings import step_settings
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.cards import NOT_STATED
from seqbench.reporting.text.cards import card as data_card
from seqbench.reporting.text.leaks import leak_warnings, overlap_warnings
from seqbench.reporting.text.runs import COSTS
from seqbench.reporting.text.usage import usages
from seqbench.storage.model_card import CardModel, CardScore, Ensemble, ModelCard
from seqbench.storage.model_header import ModelHeader, PredictorHeader

TEMPLATES = Path(__file__).parent / "templates"
N_SHOWN = 12  # channels that are listed one by one
LABELS = {
    "units_of_values": "their units",
    "refractory_s": "refractory period (s)",
    "tolerance_ms": "tolerance (ms)",
    "horizon_samples": "horizon (samples)",
}
OF_TRAIN = ("zscore", "robust")
REFIT = (
    " Then it was trained once more, on train and val, for the epochs that val had chosen; its"
    " scores on val are those before."
)
SELECTION = (
    "Of the trained models with most labels, the one with the highest mean {headline} on val over"
    " its seeds{folds}; of equals the one with the lower {tiebreak} there. Test took no part. No"
    " baseline is scored on val, as most of them learn from it, so the baseline beside the model is"
    " the best on test, which favours it."
)


def model_card(
    plan: Plan,
    material: Material,
    header: ModelHeader,
    models: Sequence[CardModel],
    baseline: CardModel | None,
    ensemble: Ensemble | None,
) -> ModelCard:
    """Return the card of the selected model of a dataset.

    Parameters
    ----------
    plan
        Its runs have finished.
    material
        The dataset, with a selected model.
    header
        Of the first model.
    models, baseline, ensemble
        What lies in the folder.
    """
    board, best = material.board, material.board.selected
    if best is None:
        raise ValueError(f"{material.dataset}: no model is selected")
    uses = usages(plan, board)
    chapters = data_card(plan, material)
    first = min((r for r in best.results if r.run.dataset == material.shown), key=lambda r: r.run)
    return ModelCard(
        dataset=material.dataset,
        task=board.task,
        model=best.name,
        selection=_selection(board) + (REFIT if header.refit else ""),
        models=tuple(models),
        ensemble=ensemble,
        baseline=baseline,
        inputs=_inputs(header),
        outputs=_outputs(header),
        headline=board.headline,
        scores=tuple(_score(board, best, name) for name in board.metric_names),
        costs={name: cost for name in COSTS if (cost := best.cost(name)) is not None},
        data={
            heading: {fact.name: fact.text for fact in facts if fact.text}
            for heading, facts in ({"In short": chapters.glance} | chapters.chapters).items()
        },
        settings={
            step: job.model_dump(mode="json")
            for step, job in step_settings(plan, first.run, material.choices).items()
        },
        provenance=first.metrics.provenance.model_dump(mode="json", exclude_none=True),
        command=uses[0].command,
        python=uses[0].python,
        limits=tuple(_limits(header, material, plan)),
    )


def card_text(card: ModelCard, plan: Plan, material: Material) -> str:
    """Return a card as Markdown."""
    board, inputs = material.board, card.inputs
    best = board.selected
    rate_hz = inputs["sampling_rate_hz"]
    baseline = board.best_baseline.architecture if board.best_baseline else "no baseline"
    text = _environment().get_template("model_card.md.j2").render(
        card=card,
        channels=_some(inputs["channels"]),
        units=_units(inputs["units"]),
        normalization=_normalization(inputs["normalization"]["mode"]),
        rate=f"{rate_hz:g} Hz" if rate_hz else NOT_STATED,
        window=_window(inputs),
        outputs=[(LABELS.get(k, k), _words(v)) for k, v in card.outputs.items() if v],
        uses=usages(plan, board),
        rows=[_row(one) for one in card.scores],
        floor=f"floor ({board.floor.architecture})" if board.floor else "no floor",
        ceiling=f"ceiling ({board.ceiling.architecture})" if board.ceiling else "no ceiling",
        baseline=f"best baseline ({baseline})" if board.best_baseline else baseline,
        n_runs=counted(len(best.results) if best else 0, "run"),
        headline=metric_label(card.headline),
        costs=[(COSTS[name][0], COSTS[name][1](cost)) for name, cost in card.costs.items()],
        ensemble=_of_ensemble(card, board),
        of_fold="" if material.shown == card.dataset else f", on the test of {material.shown}",
        files=card.files,
        provenance=_flat(card.provenance),
        settings=json.dumps(card.settings, indent=1, ensure_ascii=False),
    )  # fmt: skip
    return f"{text}\n"


def _of_ensemble(card: ModelCard, board: Leaderboard) -> list[list[str]]:
    found = card.ensemble.scores["test"] if card.ensemble else {}
    return [
        [
            metric_label(name),
            formats.metric_value(one.value, name),
            _bounds(one.low, one.high, name),
        ]
        for name in board.metric_names
        if (one := found.get(name)) is not None
    ]


def _flat(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Return versions, machine and commit as pairs."""
    flat: dict[str, Any] = {}
    for key, value in provenance.items():
        flat |= value if isinstance(value, dict) else {key: value}
    return [(name.replace("_", " "), str(value)) for name, value in flat.items()]


def _words(value: object) -> str:
    return _some(value) if isinstance(value, list) else str(value)


def _window(inputs: dict[str, Any]) -> str:
    n_samples, rate_hz = inputs["window_samples"], inputs["sampling_rate_hz"]
    longest = n_samples or inputs["longest_window_samples"]
    span = counted(longest, "sample")
    span = f"{span}, {formats.seconds(longest / rate_hz)}" if rate_hz else span
    return span if n_samples else f"a whole recording; in train of at most {span}"


def _normalization(mode: str) -> str:
    return f"{mode}, statistics of train" if mode in OF_TRAIN else mode.replace("_", " ")


def _units(units: Sequence[str]) -> str:
    """Return the unit of all channels, or that of each."""
    named = [unit or NOT_STATED for unit in units] or [NOT_STATED]
    return named[0] if len(set(named)) == 1 else _some(named)


def _some(names: Iterable[object]) -> str:
    """Return the first of several names, and how many more there are."""
    listed = [str(name) for name in names]
    more = len(listed) - N_SHOWN
    return ", ".join(listed[:N_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _selection(board: Leaderboard) -> str:
    folds = f" and {board.n_folds} folds" if board.n_folds > 1 else ""
    tiebreak = metric_label(TASKS[board.task]().tiebreak)
    return SELECTION.format(headline=metric_label(board.headline), folds=folds, tiebreak=tiebreak)


def _score(board: Leaderboard, best: ModelScores, name: str) -> CardScore:
    def of(row: ModelScores | None) -> float | None:
        return None if row is None else row.metrics[name].mean

    test = best.metrics[name]
    low, high = test.interval or (None, None)
    return CardScore(
        metric=name,
        mean=test.mean,
        sd=test.sd,
        n=test.n,
        low=low,
        high=high,
        val=Estimate.of_values(r.value(name, "val") for r in best.results).mean,
        floor=of(board.floor),
        ceiling=of(board.ceiling),
        baseline=of(board.best_baseline),
    )


def _row(one: CardScore) -> list[str]:
    write = partial(formats.metric_value, metric=one.metric)
    spread = "" if one.sd is None else f" ± {write(one.sd)}"
    return [
        metric_label(one.metric),
        f"{write(one.mean)}{spread}",
        _bounds(one.low, one.high, one.metric),
        write(one.val),
        write(one.floor),
        write(one.ceiling),
        write(one.baseline),
    ]


def _bounds(low: float | None, high: float | None, metric: str) -> str:
    bounds = None if low is None or high is None else (low, high)
    return formats.interval(bounds, partial(formats.metric_value, metric=metric))


def _inputs(header: PredictorHeader) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sample": header.sample,
        "channels": list(header.channels),
        "units": list(header.units),
        "sampling_rate_hz": header.sampling_rate_hz,
        "window_samples": _window_samples(header),
        "longest_window_samples": header.window_samples,
        "normalization": header.normalization.model_dump(mode="json"),
    }
    if header.frame_size:
        found["frame_size"] = list(header.frame_size)
    return found


def _window_samples(header: PredictorHeader) -> int | None:
    """Return how long windows of new recordings are; None: each recording is one."""
    is_detection = header.tolerance_ms is not None  # which cuts to the longest of train
    return header.cutting.length_samples or (header.window_samples if is_detection else None)


def _outputs(header: PredictorHeader) -> dict[str, Any]:
    found: dict[str, Any] = {"classes": list(header.classes)}
    if header.targets is not None and not header.classes:
        found |= {
            "values": list(header.targets.names),
            "units_of_values": [unit or NOT_STATED for unit in header.targets.units],
            "horizon_samples": header.targets.horizon_samples,
        }
    if header.tolerance_ms is not None:
        found |= {"refractory_s": header.refractory_s, "tolerance_ms": header.tolerance_ms}
    return found


def _limits(header: PredictorHeader, material: Material, plan: Plan) -> list[str]:
    """Return for what a model is not made, as far as it is known."""
    found = _limits_of_input(header)
    if header.classes:
        kind = "classes" if header.tolerance_ms is None else "types of events"
        found.append(
            f"It knows its {len(header.classes)} {kind} alone; whatever else occurs may be taken"
            " for one of them."
        )
    split = plan.benchmark.all_datasets[material.dataset].split
    if split.by == "time":
        found.append(
            "Its scores are of later samples of recordings that it learned from, and no estimate"
            " for other recordings."
        )
    elif split.by == "recording":
        found.append(
            "Its scores are of other recordings of the same sources, and no estimate for new"
            " subjects, sessions or sites, unless each of them is a recording."
        )
    source = Arm.parse(header.run.arm).dataset
    found += overlap_warnings([one for one in material.overlaps if one.source == source])
    return found + leak_warnings(material.leakchecks)


def _limits_of_input(header: PredictorHeader) -> list[str]:
    if header.sample == "tokens":
        return ["Characters that train does not hold all count as one and the same."]
    rate_hz, mode = header.sampling_rate_hz, header.normalization.mode
    rate = f"at {rate_hz:g} Hz" if rate_hz else "at the sampling rate of train, which is not stated"
    found = [f"Recordings must have the channels above, in this order, {rate}."]
    if mode in OF_TRAIN:
        found.append(
            "Values must be on the scale of train: in other units or with another gain predictions"
            f" mean nothing. Train varied by {_scale(header)}."
        )
    elif mode == "none":
        found.append("Values must be on the scale of train, as they are not normalised.")
    return found


def _scale(header: PredictorHeader) -> str:
    """Return in words where the values of train lay."""
    centre, scale = (
        _some(f"{value:.3g}" for value in values)
        for values in (header.normalization.centre, header.normalization.scale)
    )
    each = "" if len(header.channels) == 1 else ", channel by channel"
    transform = header.targets.transform if header.targets else None
    if transform and (transform.log or transform.difference_samples):
        each += ", after the transform that the data were given"
    return f"{scale} around {centre}{each}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["md"] = markdown
    return made
