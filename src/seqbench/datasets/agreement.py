"""What the recordings of a folder must have in common: channels, units, rate and precision."""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from seqbench.datasets.base import Faults, counted, fault
from seqbench.datasets.reading.clock import RATE_TOLERANCE
from seqbench.datasets.reading.precision import FEWEST_STEPS, Precision
from seqbench.datasets.reading.recording import Recording
from seqbench.datasets.reading.source import same_unit


def check_agreement(root: Path, found: Mapping[str, Recording], faults: Faults) -> None:
    """Find recordings whose channels or units differ from those that most have."""
    counts = Counter(tuple(one.channels) for one in found.values())
    most = [one for one in found.values() if counts[*one.channels] == max(counts.values())]
    for one in found.values():
        with faults.collected():
            _check_channels(root, one, most[0])


def common_rate_hz(
    root: Path, found: Mapping[str, Recording], stated: float | None, faults: Faults
) -> float | None:
    """Return the sampling rate that option and files agree on; None if neither has one."""
    rates = {one.files[0]: one.sampling_rate_hz for one in found.values()}
    known = {file: rate for file, rate in rates.items() if rate is not None}
    if stated is not None:
        common, origin = stated, "`sampling_rate_hz`"
    elif known:
        reference = next(iter(known))
        common, origin = known[reference], str(reference.relative_to(root))
    else:
        return None
    for file, rate in rates.items():
        with faults.collected():
            if rate is None and stated is None:
                problem = f"it has no sampling rate, while {origin} has {common:.10g} Hz"
                raise fault(file, problem, "set `sampling_rate_hz` if all have the same")
            if rate is not None and not math.isclose(rate, common, rel_tol=RATE_TOLERANCE):
                problem = (
                    f"its sampling rate is {rate:.10g} Hz, but it is {common:.10g} Hz in {origin}"
                )
                key = f"`resample: true` and `sampling_rate_hz: {common:.10g}`"
                raise fault(file, problem, f"set {key}, or correct the rate")
    return common


def refuse_losses(found: Mapping[str, Recording]) -> None:
    """Refuse channels of which single precision keeps too few steps whatever is subtracted."""
    whole = Precision.joined(one.precision for one in found.values())
    n_steps = whole.n_steps()
    worst = int(n_steps.argmin())
    if n_steps[worst] >= FEWEST_STEPS:
        return
    lossy = max(found.values(), key=lambda one: float(one.precision.error[worst]))
    problem = (
        f"channel '{lossy.channels[worst]}' varies by {whole.spread[worst]:.4g} around offsets as"
        f" far apart as {abs(whole.centre[worst]):.4g}, of which single precision, in which models"
        f" compute, keeps {counted(int(n_steps[worst]), 'step')}"
    )
    hint = "subtract the offset of each recording in its file, or name the others in `channels`"
    raise fault(lossy.files[0], problem, hint)


def _check_channels(root: Path, one: Recording, first: Recording) -> None:
    """Refuse a recording whose channels or units are not those of `first`."""
    file, model = one.files[0], first.files[0].relative_to(root)
    n, expected = len(one.channels), len(first.channels)
    if n != expected:
        problem = f"it has {counted(n, 'channel')}, but {model} has {expected}"
        hint = "record the same channels everywhere (rows are samples), or name them in"
        raise fault(file, problem, f"{hint} `channels`")
    for i, name in enumerate(first.channels):
        if one.channels[i] != name:
            problem = f"channel {i + 1} is named '{one.channels[i]}', but '{name}' in {model}"
            hint = "rename it, or give the common names and their order in `channels`"
            raise fault(file, problem, hint)
        if not same_unit(one.units[i], first.units[i]):
            problem = f"its channel '{name}' is in '{one.units[i]}', but '{first.units[i]}' in"
            raise fault(file, f"{problem} {model}", "convert one of them")
