"""What energy is estimated from."""

from pydantic import Field

from seqbench.config.options import Level, Options, Positive


class EnergySettings(Options):
    """Power of the hardware, from which the report, and no other job, estimates energy."""

    core_w: Positive = Field(
        12.0,
        description="Watts of a busy processor core: the processor's thermal design power, divided"
        " by its cores; 12 is for an unknown one.",
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
