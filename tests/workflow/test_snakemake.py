"""What Snakemake is made to do otherwise."""

import ast
import time
from pathlib import Path
from types import SimpleNamespace

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
    began = time.monotonic()

    done = snakemake(
        "--cores=1", "--verbose", "--scheduler=greedy", folder=tmp_path, snakefile=snakefile
    )

    assert done.returncode == 0, done.output
    assert all((tmp_path / f"{n}.txt").exists() for n in range(N_JOBS))
    n_looks = done.output.count("\nReady jobs")
    n_seconds = time.monotonic() - began
    assert N_JOBS <= n_looks <= 2 + N_JOBS + n_seconds  # a timer for every look: more than forty


def patched(name, **names):
    """Return a function of `snakemake.smk`, which has no rules and so is Python."""
    module = ast.parse((RULES / "snakemake.smk").read_text(encoding="utf-8"))
    module.body = [one for one in module.body if getattr(one, "name", "") == name]
    exec(compile(module, name, "exec"), names)
    return names[name]


def test_looks_are_left_out_only_where_one_is_due_and_jobs_may_start():
    n_free, now, looks = [1], [100.0], []
    clock = SimpleNamespace(monotonic=lambda: now[0])
    limit = SimpleNamespace(get_free_jobs=lambda: n_free[0])
    look_again = patched("one_at_a_time", time=clock)(lambda _, delay: looks.append(now[0] + delay))
    scheduler = type("Scheduler", (), {"job_rate_limiter": limit})()

    def looks_after(now_s, delay, free=1):
        now[0], n_free[0] = now_s, free
        look_again(scheduler, delay)
        return looks

    assert looks_after(100.0, 1.0) == [101.0]
    assert looks_after(100.5, 1.0) == [101.0]  # one is due before
    assert looks_after(100.6, 0.2) == pytest.approx([101.0, 100.8])  # none is due so soon
    assert looks_after(101.1, 6.0)[2:] == pytest.approx([107.1])
    assert looks_after(104.1, 6.0, free=0)[3:] == pytest.approx([110.1])  # jobs may start then
    scheduler.job_rate_limiter = None
    assert looks_after(105.0, 6.0)[4:] == []
    assert looks_after(110.2, 6.0)[4:] == pytest.approx([116.2])


def test_parameters_are_worked_out_for_environments_that_depend_on_them(snakemake, tmp_path):
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(BESIDE_RULES + ENVIRONMENTS + INCLUDE)
    (tmp_path / "environment.yaml").write_text("dependencies: []\n")

    done = snakemake("--dry-run", "--quiet", folder=tmp_path, snakefile=snakefile)

    assert done.returncode == 0, done.output
    assert (tmp_path / "own.yaml").exists()
    assert not (tmp_path / "asked_for_same").exists()
