"""The first screen: requested runs, result, cost and warnings."""

from collections.abc import Iterable
from typing import NamedTuple

from seqbench.config.arms import Arm
from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import formats, pretraining
from seqbench.reporting.scores.leaderboards import Lead
from seqbench.reporting.text.leaks import leak_warnings, overlap_warnings

FEW_SEEDS = 3


class Tile(NamedTuple):
    """One fact of the first screen: what it is of, itself, and what it means."""

    heading: str
    fact: str
    meaning: str


def requested(plan: Plan) -> list[tuple[str, list[str]]]:
    """Return the questions of the config as headings with their values."""
    trained = plan.trained
    labels = sorted({run.labels for run in trained}, key=float)
    tuned = dict.fromkeys(name for _, name in plan.tuned)
    searched = [f"{name}: {counted(len(plan.trials(name)), 'trial')}" for name in tuned]
    return [
        ("datasets", plan.base_datasets),
        ("architectures", list(dict.fromkeys(run.architecture for run in trained))),
        ("arms", list(dict.fromkeys(run.arm for run in trained))),
        ("labels", [formats.percent(float(fraction)) for fraction in labels]),
        ("seeds", [str(seed) for seed in sorted({run.seed for run in trained})]),
        ("baselines", list(dict.fromkeys(run.architecture for run in plan.baselines))),
        *([("search of options", searched)] if searched else []),
    ]


def lede(materials: list[Material]) -> str:
    """Return the result on the datasets that count, in a sentence or two."""
    if all(material.board.lead is None for material in materials):
        return "There is no baseline to hold the models against."
    leads, uncounted = _counted(materials), _uncounted(materials)
    if not leads:
        return f"No dataset counts.{uncounted}"
    n_ahead = sum(lead.mean > 0 for lead in leads)
    n_sure = sum(lead.verdict == "ahead" for lead in leads)
    n_behind = sum(lead.verdict == "behind" for lead in leads)
    if len(leads) == 1:
        verb = "beats" if n_ahead else "does not beat"
        sure = " more clearly than chance would" if n_sure else ", but chance could do that"
        result = f"The model selected on val {verb} the best baseline{sure if n_ahead else ''}."
        return f"{result}{uncounted}"
    count = "all" if n_ahead == len(leads) else "none" if n_ahead == 0 else f"{n_ahead}"
    result = (
        f"The model selected on val beats the best baseline on {count} of {len(leads)} datasets"
    )
    if n_ahead:
        result += f", beyond chance on {n_sure if n_sure else 'none'}"
    lost = f" It is clearly behind on {n_behind}." if n_behind else ""
    return f"{result}.{lost}{uncounted}"


def _counted(materials: list[Material]) -> list[Lead]:
    """Return the leads on datasets where a baseline has learned something and nothing leaks."""
    return [
        lead
        for one in materials
        if (lead := one.board.lead) is not None and one.board.has_rival and not _leaks(one)
    ]


def _uncounted(materials: list[Material]) -> str:
    """State which datasets do not count, and why."""
    led = [one for one in materials if one.board.lead is not None]
    leaky = [one.dataset for one in led if _leaks(one)]
    alone = [one.dataset for one in led if not one.board.has_rival and one.dataset not in leaky]
    found = ""
    if alone:
        found += f" Not counted, with no baseline but the floor: {', '.join(alone)}."
    if leaky:
        found += (
            f" Not counted, as test or val shares windows or groups with train: {', '.join(leaky)}."
        )
    return found


def _leaks(material: Material) -> bool:
    """Return whether what the model selected on val has learned from holds val or test."""
    selected = material.board.selected
    return bool(leak_warnings(material.leakchecks)) or (
        selected is not None and material.has_seen_test(selected.chosen.run)
    )


def tiles(
    plan: Plan, materials: list[Material], results: list[Result], warnings: list[str]
) -> list[Tile]:
    """Return requested runs, result, cost and warnings."""
    leads = _counted(materials)
    runs = plan.trained
    values = {"dataset": plan.base_datasets} | {
        name: {getattr(run, name) for run in runs} for name in ("architecture", "arm", "seed")
    }
    grid = [counted(len(of_name), name) for name, of_name in values.items()]
    return [
        Tile("Requested", counted(len(runs), "training"), ", ".join(grid)),
        Tile(
            "Result",
            f"{sum(lead.mean > 0 for lead in leads)} of {len(leads)}",
            "datasets on which the model selected on val leads the best baseline, beyond chance on"
            f" {sum(lead.verdict == 'ahead' for lead in leads)}",
        ),
        Tile("Cost", formats.seconds(_spent(results)), _memory(results)),
        Tile(
            "Warnings",
            counted(len(warnings), "warning") if warnings else "nothing",
            "below, to be read before the numbers" if warnings else "no warning",
        ),
    ]


def _spent(results: Iterable[Result]) -> float | None:
    """Return the processor seconds of all trainings; those that arms share count once."""
    spent: dict[object, float | None] = {}
    for result in results:
        run = result.run
        spent[run] = result.cost("train_cpu_s")
        if pretraining := result.metrics.pretraining:
            where = pretraining.dataset or run.dataset
            shared = where, run.architecture, pretraining.objective, run.seed
            if not Arm.parse(run.arm).from_file:  # which was trained elsewhere
                spent[shared] = result.cost("pretrain_cpu_s")
    known = [seconds for seconds in spent.values() if seconds is not None]
    return sum(known) if known else None


def _memory(results: Iterable[Result]) -> str:
    peaks = [peak for result in results if (peak := result.cost("peak_memory_bytes")) is not None]
    most = f", at most {formats.memory(max(peaks))} of memory" if peaks else ""
    return f"of processor time for training and pretraining{most}"


def warnings(materials: list[Material], results: list[Result]) -> list[str]:
    """Return what should be known before any number is read, as sentences."""
    found: list[str] = []
    boards = [material.board for material in materials]
    leaky = [one.dataset for one in materials if leak_warnings(one.leakchecks)]
    if leaky:
        found.append(
            f"Test or val shares windows or groups with train on {', '.join(leaky)}: scores there"
            " may look better than they are."
        )
    found += [one for material in materials for one in overlap_warnings(material.overlaps)]
    # Folds differ in what is learned from as well: they vary by more than chance in training.
    seeds = [r.n_seeds for b in boards if b.n_folds == 1 for r in b.rows if not r.is_baseline]
    fewest = min(seeds, default=FEW_SEEDS)
    if fewest < FEW_SEEDS:
        found.append(
            f"Some models were trained with only {counted(fewest, 'seed')}. With fewer than"
            f" {FEW_SEEDS}, chance can decide which one leads."
        )
    commits = {result.metrics.provenance.commit for result in results}
    if len(commits) > 1:
        found.append(f"The results come from {len(commits)} states of the code; see Provenance.")
    if any("uncommitted" in commit for commit in commits):
        found.append("Some results come from code with uncommitted changes.")
    halved = sum(bool(r.metrics.provenance.batch_size_halved) for r in results)
    if halved:
        runs = counted(halved, "run")
        found.append(f"{runs} used half the batch size, as a GPU had no room for all of it.")
    n_collapsed = len(pretraining.collapsed(results))
    if n_collapsed:
        found.append(f"{counted(n_collapsed, 'pretrained encoder')} collapsed; see Pretraining.")
    weak = [board.dataset for board in boards if any(row.below_floor for row in board.rows)]
    if weak:
        found.append(f"Some models lie below the floor, on {', '.join(weak)}; see there.")
    return found
