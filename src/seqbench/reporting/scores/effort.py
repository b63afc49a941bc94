"""What all trainings of a benchmark took together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seqbench.config.arms import Arm
from seqbench.reporting.read.results import Result
from seqbench.reporting.read.searches import Search


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Trainings and pretrainings, each once though arms may share one.

    Parameters
    ----------
    cpu_s
        Processor seconds; None where none were measured.
    gpu_s
        Wall seconds times GPUs of those on some.
    search_cpu_s
        Processor seconds of the trials of searches, in no other count.
    n_unknown
        Trainings and pretrainings that did not record their time or device.
    """

    cpu_s: float | None
    gpu_s: float
    search_cpu_s: float
    n_unknown: int = 0


def effort(results: Iterable[Result], searches: Iterable[Search] = ()) -> Effort:
    """Add up the trainings of runs and the trials of searches."""
    cpu_s: dict[object, float | None] = {}
    gpu_s: dict[object, float | None] = {}
    devices: dict[object, str | None] = {}
    for result in results:
        run, device = result.run, result.metrics.provenance.device
        devices[run] = device
        cpu_s[run], gpu_s[run] = result.cost("train_cpu_s"), result.cost("train_gpu_s")
        pretraining = result.metrics.pretraining
        if pretraining and not Arm.parse(run.arm).from_file:  # which was trained elsewhere
            where = pretraining.dataset or run.dataset
            shared = where, run.architecture, pretraining.objective, run.seed
            devices[shared] = device
            cpu_s[shared] = result.cost("pretrain_cpu_s")
            gpu_s[shared] = result.cost("pretrain_gpu_s")
    unknown = [
        one
        for one, device in devices.items()
        if device is None or cpu_s[one] is None or (device == "cuda" and gpu_s[one] is None)
    ]
    known = [seconds for seconds in cpu_s.values() if seconds is not None]
    return Effort(
        cpu_s=sum(known) if known else None,
        gpu_s=sum(seconds or 0.0 for seconds in gpu_s.values()),
        search_cpu_s=sum(one.cpu_s for one in searches),
        n_unknown=len(unknown),
    )
