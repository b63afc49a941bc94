"""The workflow, as it travels with the package: links to the files at the root of the repository.

A wheel holds copies in their place, so that `seqbench run` needs no clone.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SNAKEFILE = (FOLDER / "Snakefile").resolve()  # in a clone that of its root, as `snakemake` takes it
DEFAULT_CONFIG = SNAKEFILE.parent / "config.yaml"
PROFILES = SNAKEFILE.parent / "profiles"
