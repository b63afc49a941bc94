"""Text of the page on leaks between train, val and test."""

from collections.abc import Sequence

from seqbench.config.arms import Arm
from seqbench.datasets.base import counted
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.crossings import Matrix
from seqbench.storage.overlaps import Overlap
from seqbench.storage.windows import LeakCheck

SHARED_BY_NONE = {
    "group": "no group",
    "recording": "no recording",
    "time": "no interval of a recording",
}
SORTED = 0.5  # from here on neighbours in the list have the same label more often than not


def leak_fact(checks: Sequence[LeakCheck]) -> str:
    """Return what was looked for and found.

    Parameters
    ----------
    checks
        Of the dataset, or of each of its folds.
    """
    if not checks:
        return "not run"
    repeated = " · ".join(
        f"{formats.amount(_total(checks, 'n_repeated', split))} of"
        f" {formats.amount(_total(checks, 'n_windows', split))} {split} windows repeat train"
        for split in checks[0].n_windows
    )
    none = SHARED_BY_NONE[checks[0].by]
    return f"{none} in two splits · statistics of train alone · {repeated}"


def leak_warnings(checks: Sequence[LeakCheck]) -> list[str]:
    """Return what was found that makes scores look better, as sentences."""
    found = []
    for split in checks[0].n_windows if checks else ():
        n_repeated = _total(checks, "n_repeated", split)
        if not n_repeated:
            continue
        n_windows = _total(checks, "n_windows", split)
        n_same = _total(checks, "n_same_target", split)
        share = formats.percent(n_repeated / n_windows)
        labelled = (
            f"{formats.amount(n_same)} of them with the same label, which memorising gets right"
            if n_same
            else "all with another label, which memorising gets wrong"
        )
        found.append(
            f"{formats.amount(n_repeated)} of {counted(n_windows, f'{split} window')} ({share})"
            f" {'stands' if n_repeated == 1 else 'stand'} in train too, {labelled}."
        )
    n_shared = max((check.n_shared_groups for check in checks), default=0)
    if n_shared:
        found.append(
            f"{counted(n_shared, 'group')} have windows in more than one split, as `split.by:"
            " recording` allows: scores are no estimate for new groups."
        )
    return found


def overlap_warnings(overlaps: Sequence[Overlap]) -> list[str]:
    """Return what pretraining on other datasets has seen of val and test, as sentences."""
    return [_overlap_warning(one) for one in overlaps if one.is_leak]


def _overlap_warning(one: Overlap) -> str:
    seen = [
        f"{formats.amount(n)} of {counted(one.n_windows[split], f'{split} window')}"
        for split, n in one.n_repeated.items()
        if n
    ]
    seen += [f"{counted(n, f'{split} group')}" for split, n in one.n_shared_groups.items() if n]
    return (
        f"Pretraining on {one.source} has seen {' and '.join(seen)} of {one.dataset}: arms that"
        " start from it are no estimate for what is new, and do not count."
    )


def cross_warnings(matrices: Sequence[Matrix]) -> list[str]:
    """Return which tests of other datasets models have learned from, each pair once."""
    leaky = {
        (one.source, one.dataset, "trained" if one.source == row else "pretrained"): one
        for matrix in matrices
        for (row, _), cell in matrix.cells.items()
        for one in cell.overlaps
        if one.n_known("test") or one.n_known_groups("test")
    }
    return [
        f"Train and val of {source} hold"
        f" {formats.amount(one.n_known('test'))} of"
        f" {counted(one.n_windows['test'], 'test window')}"
        + (f" and {counted(n_groups, 'group')}" if (n_groups := one.n_known_groups("test")) else "")
        + f" of {dataset}: what is {how} on {source} knows that test."
        for (source, dataset, how), one in sorted(leaky.items())
    ]


def file_note(material: Material) -> list[str]:
    """State that nobody knows what a file of weights has seen, where a model starts from one."""
    arms = [arm for arm in material.arms if Arm.parse(arm).from_file]
    if not arms:
        return []
    return [
        f"{' and '.join(arms)} start from a file. Whether what trained it holds val or test is not"
        " known here."
    ]


def order_note(checks: Sequence[LeakCheck]) -> list[str]:
    """State whether the position of a recording in the list predicts its label."""
    known = [one.order_agreement for one in checks if one.order_agreement is not None]
    if not known or max(known) < SORTED:
        return []
    return [
        "Recordings are listed by label (the label of a neighbour agrees"
        f" {formats.score(max(known))} beyond chance, 1 when sorted), so the position predicts the"
        " label. Models are given neither position nor name."
    ]


def _total(checks: Sequence[LeakCheck], count: str, split: str) -> int:
    return sum(getattr(check, count)[split] for check in checks)
