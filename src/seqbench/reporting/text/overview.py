"""The first screen around its table: the result in a sentence, requested runs and warnings."""

from collections.abc import Iterable

from seqbench.datasets.base import counted
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import formats, pretraining
from seqbench.reporting.scores.effort import effort
from seqbench.reporting.text.leaks import leak_warnings, overlap_warnings

FEW_SEEDS = 3


def requested(plan: Plan) -> list[tuple[str, list[str]]]:
    """Return the questions of the config as headings with their values."""
    trained = plan.trained
    labels = sorted({run.labels for run in trained}, key=float)
    tuned = dict.fromkeys(name for _, name in plan.tuned)
    searched = [
        f"{name}: {counted(len(plan.trials(name)), 'trial')}"
        + (" by halving" if len(plan.rungs(name)) > 1 else "")
        for name in tuned
    ]
    return [
        ("datasets", plan.base_datasets),
        ("architectures", list(dict.fromkeys(run.architecture for run in trained))),
        ("arms", list(dict.fromkeys(run.arm for run in trained))),
        ("labels", [formats.percent(float(fraction)) for fraction in labels]),
        ("seeds", [str(seed) for seed in sorted({run.seed for run in trained})]),
        ("baselines", list(dict.fromkeys(run.architecture for run in plan.baselines))),
        *([("search of options", searched)] if searched else []),
    ]


def lede(margins: Margins) -> str:
    """Return the result on the datasets that count, in a sentence or two."""
    if not margins.rows:
        return "There is no baseline to hold the models against."
    leads, uncounted = margins.counted, _uncounted(margins)
    if not leads:
        return f"No dataset counts.{uncounted}"
    n_ahead = sum(lead.mean > 0 for lead in leads)
    n_sure = sum(lead.verdict == "ahead" for lead in leads)
    n_behind = sum(lead.verdict == "behind" for lead in leads)
    if len(leads) == 1:
        verb = "beats" if n_ahead else "is behind" if n_behind else "does not beat"
        how = " beyond chance" if n_sure or n_behind else ""
        if n_ahead and not n_sure:
            how = ", but chance alone can explain the margin"
        return f"The model selected on val {verb} the best baseline{how}.{uncounted}"
    count = "all" if n_ahead == len(leads) else "none" if n_ahead == 0 else f"{n_ahead}"
    result = (
        f"The model selected on val beats the best baseline on {count} of {len(leads)} datasets"
    )
    if n_ahead:
        result += f", beyond chance on {n_sure if n_sure else 'none'}"
    lost = f" It is behind beyond chance on {n_behind}." if n_behind else ""
    return f"{result}.{lost}{uncounted}"


def _uncounted(margins: Margins) -> str:
    """State which datasets do not count, and why."""
    alone, leaky = margins.without("floor"), margins.without("leak")
    found = ""
    if alone:
        found += f" Not counted, with no baseline but the floor: {', '.join(alone)}."
    if leaky:
        found += (
            f" Not counted, as test or val shares windows or groups with train: {', '.join(leaky)}."
        )
    return found


def effort_line(plan: Plan, results: list[Result]) -> str:
    """Return how many runs there are and what they cost, in a line."""
    runs = (
        f"{counted(len(plan.trained), 'training')}, {counted(len(plan.baselines), 'baseline run')}"
    )
    spent = formats.seconds(effort(results).cpu_s)
    return f"{runs} · {spent} of processor time for training and pretraining{_memory(results)}"


def _memory(results: Iterable[Result]) -> str:
    peaks = [peak for result in results if (peak := result.cost("peak_memory_bytes")) is not None]
    return f", at most {formats.memory(max(peaks))} of memory" if peaks else ""


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
