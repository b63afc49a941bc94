"""Measure what plans of many runs cost before anything runs: a dry run, and `seqbench status`.

``python benchmarks/plans.py 1000 20000`` prints a table of processor seconds and peak memory for
plans of so many runs. Nothing is trained: the dry run is of an empty folder, and the status of one
in which every job has left empty files and a short log.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from common import ROOT

N_RUNS = (1000, 5000)
DATASETS = ("one", "two", "three", "four")
ARCHITECTURES = ("cnn1d", "rnn", "lstm", "gru", "cnn_lstm")
LOG = (
    "begun 2026-01-02T03:04:05+00:00 by process 1 on elsewhere\n"
    + "".join(f"epoch {epoch}: loss 0.5, val_loss 0.5\n" for epoch in range(40))
    + "done after 2.00 s, 1.50 s of processor time\n"
)


def configuration(n_runs: int) -> dict[str, Any]:
    """Return a benchmark of so many trainings, which differ in dataset, architecture and seed."""
    n_seeds = n_runs // (len(DATASETS) * len(ARCHITECTURES))
    grid = {
        "datasets": [*DATASETS],
        "architectures": [*ARCHITECTURES],
        "seeds": list(range(n_seeds)),
    }
    return {
        "runs": [grid | {"arms": ["scratch"], "labels": [1.0]}],
        "baselines": ["majority"],
        "datasets": {
            name: {"source": "waves", "n_windows": 80, "window_samples": 40} for name in DATASETS
        },
        "tensorboard": False,
    }


def finish(config: Path, folder: Path) -> None:
    """Leave empty files and a log of each job, as if all were done."""
    from seqbench import layout
    from seqbench.cli.plans import read_config
    from seqbench.plan.plan import Plan
    from seqbench.plan.workflow_jobs import jobs_of

    plan = Plan(read_config(config))
    jobs = jobs_of(plan)
    for folders in {(folder / path).parent for job in jobs for path in (*job.outputs, job.log)}:
        folders.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        (folder / job.log).write_text(LOG, encoding="utf-8")
        for path in job.outputs:
            if job.step == "best":
                (folder / path).mkdir()
            else:
                (folder / path).touch()
    (folder / layout.CONFIG).write_text(plan.benchmark.to_yaml(), encoding="utf-8")


def measure(*command: str) -> str:
    """Run a module of this Python; return its processor seconds and peak memory as cells."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return f"{used.ru_utime + used.ru_stime:.1f} s | {used.ru_maxrss / 1024:.0f} MiB"


def lines(sizes: Iterable[int] = N_RUNS) -> list[str]:
    """Measure plans of these sizes and return the lines of their table."""
    found = ["| trainings | `snakemake -n --quiet` | | `seqbench status` | |", "|---" * 5 + "|"]
    for n_runs in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder, config = Path(name), Path(name) / "config.yaml"
            config.write_text(yaml.safe_dump(configuration(n_runs)), encoding="utf-8")
            planned = measure(
                *("snakemake", "--dry-run", "--quiet"),  # it prints counts of jobs, and not each
                *("--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", name),
                *("--configfile", str(config)),
            )
            finish(config, folder)
            status = measure("seqbench.cli", "status", "--directory", name)
        found.append(f"| {n_runs} | {planned} | {status} |")
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[*N_RUNS], help="trainings of a plan")
    print("\n".join(lines(parser.parse_args().sizes)))


if __name__ == "__main__":
    main()
