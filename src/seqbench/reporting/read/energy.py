"""GPU time and energy of runs, worked out from what was recorded of them.

Nothing is measured here: a run leaves processor seconds, wall seconds, its device and the number
of its GPUs; the watts are those of the configuration, and can change without a training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqbench.config.energy import EnergySettings
    from seqbench.plan.plan import Plan, Run
    from seqbench.storage.metrics import Metrics

DERIVED = ("train_gpu_s", "pretrain_gpu_s", "energy_wh")
S_PER_H = 3600


def derived_costs(plan: Plan, run: Run, metrics: Metrics) -> dict[str, float]:
    """Return costs that follow from recorded ones, those alone that are known.

    Returns
    -------
    dict
        ``train_gpu_s`` and ``pretrain_gpu_s``, wall seconds times GPUs of what ran on some, and
        ``energy_wh``, watt hours of training and of the pretraining that it starts from, where the
        device is recorded. That of another benchmark, from which `init` has a file, counts there.

    Notes
    -----
    A pretraining is taken to have had the device of its run, as both request the same.
    """
    cost, provenance = metrics.cost, metrics.provenance
    found: dict[str, float] = {}
    if provenance.device is None:
        return found
    cpu_s, pretraining = cost.train_cpu_s, plan.pretraining(run)
    if pretraining is not None and cpu_s is not None:
        cpu_s = None if cost.pretrain_cpu_s is None else cpu_s + cost.pretrain_cpu_s
    if provenance.device == "cuda":
        of_each = [("train_gpu_s", cost.train_s, provenance.gpus or 1)]
        if pretraining is not None:
            gpus = plan.benchmark.pretraining(run.architecture).gpus
            of_each.append(("pretrain_gpu_s", cost.pretrain_s, gpus))
        found = {name: seconds * n for name, seconds, n in of_each if seconds is not None}
        if len(found) < len(of_each):
            return found
    energy_wh = estimated_wh(plan.benchmark.energy, cpu_s, sum(found.values()))
    return found if energy_wh is None else found | {"energy_wh": energy_wh}


def estimated_wh(settings: EnergySettings, cpu_s: float | None, gpu_s: float) -> float | None:
    """Return the watt hours of processor and GPU seconds; None where seconds or watts lack.

    References
    ----------
    Lannelongue, Grealey, Inouye (2021). Green Algorithms: quantifying the carbon footprint of
    computation. Advanced Science 8:2100707. Its calculator has 12 W for a core of a processor
    that it does not list. Departs from it in that idle hardware, memory and cooling are left out.
    """
    if cpu_s is None or (gpu_s and settings.gpu_w is None):
        return None
    return (settings.core_w * cpu_s + (settings.gpu_w or 0.0) * gpu_s) / S_PER_H
