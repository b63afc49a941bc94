"""Measure what a run costs on a cluster beside its training, packed with others and by itself.

``python benchmarks/packing.py`` starts the cluster of the tests on this machine, trains and
evaluates the same small runs locally and through SLURM, by themselves and packed, and
prints a table. Data are made before. The ways take turns, so that what else the machine does
falls on all alike, and the median is reported. Seconds by the clock depend on it nonetheless, and
jobs side by side share the cores; processor seconds hardly do. A real cluster adds what each
job waits in the queue.
"""

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "slurm"))

from cluster import Cluster  # noqa: E402 (it lies with the tests)

SET_CHILD_SUBREAPER = 36
LOCALLY = ["-m", "snakemake", "--cores", "1"]
ON_CLUSTER = [
    str(ROOT / "tests/slurm/snakemake_quick_poll.py"),
    *("--workflow-profile", str(ROOT / "workflow/profiles/slurm")),
]


def configuration(n_runs: int) -> dict[str, object]:
    """Return a benchmark of small runs that differ in their seed."""
    grid = {"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": list(range(n_runs))}
    return {
        "runs": [grid | {"arms": ["scratch"], "labels": [1.0]}],
        "baselines": [],
        "datasets": {"tiny": {"source": "waves", "n_windows": 80, "window_samples": 40}},
        "finetune": {"epochs": 2, "min_steps_per_epoch": 2},
        "tensorboard": False,
    }


def snakemake(call: list[str], folder: Path, environment: dict[str, str], *options: str) -> None:
    """Run Snakemake on the configuration in a folder."""
    subprocess.run(
        [sys.executable, *call, "--snakefile", str(ROOT / "workflow/Snakefile"), "--quiet", "all",
         "--directory", str(folder), "--configfile", str(folder / "config.yaml"), *options],
        env=environment, check=True,
    )  # fmt: skip


def processor_s() -> float:
    """Return the processor seconds of all processes started here that have ended.

    Jobs are children of nobody once SLURM has started them; this process takes them in.
    """
    while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is not None:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(call: list[str], n_runs: int, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds of training and evaluating: by the clock, and of processors."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(yaml.safe_dump(configuration(n_runs)))
        snakemake(LOCALLY, folder, environment, "--until", "window")
        began, used = time.perf_counter(), processor_s()
        snakemake(call, folder, environment, "--until", "evaluate")
        time.sleep(2)  # SLURM's own processes of the last job end after it
        return time.perf_counter() - began - 2, processor_s() - used


def main() -> None:
    """Start a cluster, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8, help="small runs to train and evaluate")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is measured")
    parser.add_argument("--pack", type=int, nargs="+", default=[1, 8], help="runs that share a job")
    arguments = parser.parse_args()
    n_runs = arguments.runs
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ways = [("local", LOCALLY, n_runs)]
    ways += [(f"SEQBENCH_PACK={pack}", ON_CLUSTER, pack) for pack in arguments.pack]
    measured: dict[str, list[tuple[int, float, float]]] = {how: [] for how, _, _ in ways}
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder:
        cluster = Cluster(Path(folder))
        cluster.start()
        try:
            for _ in range(arguments.rounds):
                for how, call, pack in ways:
                    before = len(cluster.jobs())
                    environment = cluster.environment | {"SEQBENCH_PACK": str(pack)}
                    elapsed, used = measure(call, n_runs, environment)
                    measured[how].append((len(cluster.jobs()) - before, elapsed, used))
        finally:
            cluster.stop()
    print(f"| {n_runs} runs | SLURM jobs | s | processor s | processor s per run |")
    print("|---|---|---|---|---|")
    for how, rounds in measured.items():
        n_jobs, elapsed, used = (median(column) for column in zip(*rounds, strict=True))
        print(f"| {how} | {n_jobs:.0f} | {elapsed:.0f} | {used:.0f} | {used / n_runs:.1f} |")


if __name__ == "__main__":
    main()
