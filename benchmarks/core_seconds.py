"""Where the core-seconds of a benchmark go: ``python benchmarks/core_seconds.py [CONFIG]``.

Snakemake and the fork server are read from /proc while they run, steps from their logs, the work
on models from the results. What is left of all is the start of jobs: a shell and a client each.
"""

import argparse
import os
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import yaml
from common import BUILD, workflow

SHORT_RUNS = 200  # of about a second each
INTERVAL_S = 0.05  # between two looks at /proc


@dataclass(frozen=True)
class CoreSeconds:
    """What a benchmark took: seconds by the clock, and core-seconds of its parts."""

    n_runs: int
    wall_s: float
    parts: dict[str, float]

    def total(self) -> float:
        """Return the core-seconds of all parts."""
        return sum(self.parts.values())

    def overhead(self) -> float:
        """Return the fraction of them that was no work on models."""
        return 1 - self.parts[WORK] / self.total()


WORK = "training, fitting, prediction"


def measured(name: str, *options: str) -> tuple[CoreSeconds, list[str]]:
    """Run a benchmark in build/NAME; return what it took, and the command."""
    folder, command = workflow(name, *options)
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    own: dict[str, float] = {}
    began = time.perf_counter()
    process = subprocess.Popen(command)
    ended = 0
    while not ended:
        for part, pid in (("Snakemake", process.pid), ("fork server", _fork_server(process.pid))):
            if pid and (ticks := _ticks(pid)):
                own[part] = ticks * tick_s
        time.sleep(INTERVAL_S)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
    wall_s = time.perf_counter() - began
    if status:
        raise SystemExit(f"the benchmark in {folder} failed")
    n_runs, work = _work(folder)
    steps = _steps(folder)
    report = steps.pop("report", 0.0)
    in_steps = sum(steps.values())
    total = used.ru_utime + used.ru_stime
    parts = {
        WORK: work,
        "the rest of steps: reading, checking, scoring, writing": in_steps - work,
        "report": report,
        "fork server: importing, forking": own["fork server"],
        "Snakemake": own["Snakemake"],
        "starting jobs: shell and client": total - in_steps - report - sum(own.values()),
    }
    return CoreSeconds(n_runs, wall_s, parts), command


def _ticks(pid: int) -> int:
    """Return the clock ticks of a process itself, without its children; 0: it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return 0
    return int(fields[11]) + int(fields[12])


def _fork_server(parent: int) -> int | None:
    """Return the process of the fork server of a workflow, once it runs."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in children:
            if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    except OSError:  # one has ended meanwhile
        return None
    return None


def _steps(folder: Path) -> dict[str, float]:
    """Return the core-seconds of steps, by the name of the step."""
    from seqbench.process.step_log import read_log

    logs = folder / "results" / "logs"
    used: dict[str, float] = defaultdict(float)
    for path in logs.rglob("*.log"):
        log = read_log(path)
        if log is not None and log.cpu_s is not None:
            used[path.relative_to(logs).parts[0].removesuffix(".log")] += log.cpu_s
    return used


def _work(folder: Path) -> tuple[int, float]:
    """Return the number of runs and the core-seconds of work on models."""
    from seqbench.config.benchmark import Benchmark
    from seqbench.layout import CONFIG, ENCODER, METRICS
    from seqbench.plan.plan import Plan
    from seqbench.storage.metrics import read_metrics
    from seqbench.storage.model_header import EncoderHeader
    from seqbench.storage.models import read_model

    plan = Plan(Benchmark.read(folder / CONFIG))
    costs = [read_metrics(folder / run.fill(METRICS)).cost for run in plan.runs]
    work = sum((cost.train_cpu_s or 0.0) + (cost.predict_cpu_s or 0.0) for cost in costs)
    pretrained = filter(None, map(plan.pretraining, plan.runs))  # shared by several runs
    for path in {encoder.fill(ENCODER) for encoder in pretrained}:
        header = read_model(folder / path).header
        assert isinstance(header, EncoderHeader)
        work += header.cost.pretrain_cpu_s or 0.0
    return len(plan.runs), work


def short_runs() -> Path:
    """Write the config of many short trainings and return its path."""
    grid = {"datasets": ["hello"], "architectures": ["rnn"], "seeds": list(range(SHORT_RUNS))}
    finetune = {"epochs": 60, "patience_epochs": 60}
    config = {"runs": [grid], "baselines": [], "finetune": finetune, "tensorboard": False}
    path = BUILD / "short_runs.yaml"
    BUILD.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def lines(title: str, found: CoreSeconds) -> list[str]:
    """Return the table of a benchmark."""
    total = found.total()
    table = [
        f"{title}: {found.n_runs} runs in {found.wall_s:.0f} s, {total:.0f} core-seconds,"
        f" overhead {found.overhead():.1%}.",
        "",
        "| part | core-seconds | of all |",
        "|---|---|---|",
    ]
    return table + [f"| {part} | {s:.1f} | {s / total:.1%} |" for part, s in found.parts.items()]


def main() -> None:
    """Measure a config, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", help="merged into config.yaml; short: many short runs")
    config = parser.parse_args().config
    options = [] if config is None else ["--configfile"]
    if config is not None:
        options.append(str(short_runs() if config == "short" else Path(config).resolve()))
    found, _ = measured("core_seconds", *options)
    print("\n".join(lines(config or "default benchmark", found)))


if __name__ == "__main__":
    main()
