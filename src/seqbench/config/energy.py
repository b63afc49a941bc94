"""What energy is estimated from."""

from pydantic import Field

from seqbench.config.options import Level, Options, Positive


class EnergySettings(Options):
    """Power of the hardware, from which the report, and no other job, estimates energy.

    References
    ----------
    Lannelongue, Grealey, Inouye (2021). Green Algorithms: quantifying the carbon footprint of
    computation. Advanced Science 8:2100707. Its calculator has 12 W for a core of a processor
    that it does not list. Departs from it in that idle hardware, memory and cooling are left out.
    """

    core_w: Positive = Field(
        12.0,
        description="Watts of a busy processor core: the processor's thermal design power, divided"
        " by its cores.",
    )
    gpu_w: Positive | None = Field(
        None,
        description="Watts of a busy GPU, such as its power limit (`nvidia-smi -q -d POWER`);"
        " empty: the energy of trainings on a GPU is not estimated.",
    )
    carbon_g_per_kwh: Level | None = Field(
        None,
        description="Grams of CO2 equivalent for a kWh of the grid; empty: none are stated.",
    )
