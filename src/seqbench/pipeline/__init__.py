"""The workflow, as it travels with the package: links to the folders at the root of the repository.

A wheel holds copies in their place, so that `seqbench run` needs no clone.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SNAKEFILE = (FOLDER / "workflow" / "Snakefile").resolve()  # in a clone the one `snakemake` takes
DEFAULT_CONFIG = SNAKEFILE.parents[1] / "config" / "config.yaml"
PROFILES = SNAKEFILE.parent / "profiles"
