"""Words on the energy of a benchmark: what was measured, and what is an estimate."""

from seqbench.config.energy import EnergySettings
from seqbench.datasets.base import counted
from seqbench.reporting.read.energy import estimated_wh
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.effort import Effort

LEFT_OUT = (
    "Not counted are idle hardware, memory, cooling, and the jobs that read data, predict, score"
    " and report."
)


def energy_sentences(effort: Effort, settings: EnergySettings) -> list[str]:
    """Return the time of all trainings as it was measured, and the energy that it is taken for."""
    if effort.cpu_s is None:
        return []
    cpu_s = effort.cpu_s + effort.search_cpu_s
    what = "Training and pretraining"
    if effort.search_cpu_s:
        what += ", with the trials of searches,"
    spent = f"{formats.seconds(cpu_s)} of processor time"
    watts, keys = f"{settings.core_w:g} W a core", "energy.core_w"
    if effort.gpu_s:
        spent += f" and {formats.seconds(effort.gpu_s)} of GPU time"
        if settings.gpu_w is not None:
            watts, keys = f"{watts} and {settings.gpu_w:g} W a GPU", f"{keys} and energy.gpu_w"
    energy_wh = estimated_wh(settings, cpu_s, effort.gpu_s)
    if energy_wh is None:
        return [
            f"{what} took {spent}, as measured. The energy is not estimated, as energy.gpu_w, the"
            " watts of a GPU, is not set in the config."
        ]
    carbon = ""
    if (factor := settings.carbon_g_per_kwh) is not None:
        grams = formats.grams(energy_wh / 1000 * factor)
        carbon = f", or {grams} of CO2 equivalent at {factor:g} g a kWh"
    found = [
        f"{what} took {spent}, as measured: an estimated {formats.energy(energy_wh)} at"
        f" {watts}{carbon} ({keys} in the config).",
        LEFT_OUT,
    ]
    if effort.n_unknown:
        of_some = counted(effort.n_unknown, "training")
        found.append(f"Time or device of {of_some} is not recorded, so all took more than this.")
    if effort.gpu_s and effort.search_cpu_s:
        found.append("Trials do not record the time of a GPU, so theirs is not counted either.")
    return found
