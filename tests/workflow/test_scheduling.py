"""What Snakemake is made to do otherwise while jobs wait."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow
RULES = Path(__file__).parents[2] / "workflow/rules"
N_JOBS = 12
SNAKEFILE = f"""
import sys
from pathlib import Path

IS_MODULE = False

def code_of_jobs():
    return Path()

rule all:
    input: expand("{{n}}.txt", n=range({N_JOBS}))

rule one:
    output: "{{n}}.txt"
    shell: "sleep 0.5; touch {{output}}"

include: "{RULES / "snakemake.smk"}"
"""


def test_waiting_jobs_are_looked_at_when_one_ends_and_once_a_second(snakemake, tmp_path):
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(SNAKEFILE)

    done = snakemake(
        "--cores=1", "--verbose", "--scheduler=greedy", folder=tmp_path, snakefile=snakefile
    )

    assert done.returncode == 0, done.output
    assert all((tmp_path / f"{n}.txt").exists() for n in range(N_JOBS))
    n_looks = done.output.count("\nReady jobs")
    assert N_JOBS <= n_looks < 2 * N_JOBS  # a timer for every look makes it more than forty
