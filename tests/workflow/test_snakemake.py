"""What Snakemake is made to do otherwise."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow
RULES = Path(__file__).parents[2] / "workflow/rules"
N_JOBS = 12
BESIDE_RULES = """
import sys
from pathlib import Path

IS_MODULE = False

def code_of_jobs():
    return Path()
"""
INCLUDE = f"""
include: "{RULES / "snakemake.smk"}"
"""
WAITING = f"""
rule all:
    input: expand("{{n}}.txt", n=range({N_JOBS}))

rule one:
    output: "{{n}}.txt"
    shell: "sleep 0.5; touch {{output}}"
"""
ENVIRONMENTS = """
def noted(name):
    Path(name).touch()
    return name

rule all:
    input: "same.txt", "own.txt"

rule same:
    output: "same.txt"
    params: lambda wildcards: noted("asked_for_same")
    conda: "environment.yaml"
    shell: "touch {output}"

rule own:
    output: "own.txt"
    params: lambda wildcards: noted("own.yaml")
    conda: lambda wildcards, params: params[0]
    shell: "touch {output}"
"""


def test_waiting_jobs_are_looked_at_when_one_ends_and_once_a_second(snakemake, tmp_path):
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(BESIDE_RULES + WAITING + INCLUDE)

    done = snakemake(
        "--cores=1", "--verbose", "--scheduler=greedy", folder=tmp_path, snakefile=snakefile
    )

    assert done.returncode == 0, done.output
    assert all((tmp_path / f"{n}.txt").exists() for n in range(N_JOBS))
    n_looks = done.output.count("\nReady jobs")
    assert N_JOBS <= n_looks < 2 * N_JOBS  # a timer for every look makes it more than forty


def test_parameters_are_worked_out_for_environments_that_depend_on_them(snakemake, tmp_path):
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(BESIDE_RULES + ENVIRONMENTS + INCLUDE)
    (tmp_path / "environment.yaml").write_text("dependencies: []\n")

    done = snakemake("--dry-run", "--quiet", folder=tmp_path, snakefile=snakefile)

    assert done.returncode == 0, done.output
    assert (tmp_path / "own.yaml").exists()
    assert not (tmp_path / "asked_for_same").exists()
