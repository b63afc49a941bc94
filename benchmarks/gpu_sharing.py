"""Measure jobs that share a GPU: steps side by side, with and without MPS, and whole workflows."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common import ROOT, Clock, workflow

N_JOBS = (1, 8, 4, 2)  # the ends first, should time run out
ARCHITECTURES = ("cnn1d", "event_rnn")
SPAN_S = 3.0  # how long jobs train side by side
STEPS = {"cuda": 100, "cpu": 5}  # between two looks at the clock
STEPS_OF_TRAINING = 1000  # what a minute's trainings are counted in
CONTROL = "nvidia-cuda-mps-control"
WORKFLOW = """
title: jobs that share a GPU
runs: [{datasets: [basic_motions], architectures: [cnn1d], seeds: [0, 1, 2, 3, 4, 5, 6, 7]}]
baselines: []
finetune: {epochs: 5, min_steps_per_epoch: 100, max_steps_per_epoch: 100}
tensorboard: false
"""


def lines(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield for every number of jobs the trainings a minute of all together, and their memory."""
    yield f"Trainings of {STEPS_OF_TRAINING} steps a minute, all jobs together, and how many times"
    yield "that of one job without MPS. Jobs are processes that have warmed up before."
    yield ""
    with ExitStack() as stack:
        ways: dict[str, dict[str, str]] = {"no": {}}
        if device_name == "cpu":
            yield "MPS: skipped: needs a card."
        else:
            try:  # who is not told of the daemon goes without
                ways["yes"] = stack.enter_context(mps())
            except (OSError, subprocess.SubprocessError) as error:
                yield f"MPS: could not be started ({error})."
        yield ""
        yield f"| jobs | MPS | {' | '.join(ARCHITECTURES)} | memory in use on the card, GB |"
        yield "|---|---|" + "---|" * (len(ARCHITECTURES) + 1)
        alone: list[float] = []
        last_s = 0.0
        for n_jobs in N_JOBS:
            for with_mps, environment in ways.items():
                if clock.left_s < last_s:
                    yield "\nOut of time: more jobs are not measured."
                    return
                began = time.monotonic()
                rates, memory_gb = side_by_side(n_jobs, device_name, environment)
                last_s = time.monotonic() - began
                alone = alone or rates
                columns = " | ".join(
                    f"{60 * rate / STEPS_OF_TRAINING:.1f} ({rate / one:.2f})"
                    for rate, one in zip(rates, alone, strict=True)
                )
                yield f"| {n_jobs} | {with_mps} | {columns} | {memory_gb:.1f} |"
        if "yes" in ways:
            found = servers(ways["yes"])
            yield f"\nServers of MPS at the end: {found or '**none: it was not used**'}."


@contextmanager
def mps() -> Iterator[dict[str, str]]:
    """Run the daemon of MPS in a folder of its own; yield what its clients need to find it.

    The mode of the card stays as it is: processes that do not find the daemon are not hindered.
    """
    if shutil.which(CONTROL) is None:
        raise FileNotFoundError(f"no {CONTROL} here; it comes with the driver")
    with tempfile.TemporaryDirectory(prefix="mps-") as folder:  # short: sockets lie in it
        environment = {
            "CUDA_MPS_PIPE_DIRECTORY": str(Path(folder, "pipe")),
            "CUDA_MPS_LOG_DIRECTORY": str(Path(folder, "log")),
        }
        for path in environment.values():
            Path(path).mkdir()
        everything = {**os.environ, **environment}
        everything.pop("CUDA_VISIBLE_DEVICES", None)  # the daemon would count those anew from 0
        subprocess.run(
            [CONTROL, "-d"],
            env=everything,
            check=True,
            timeout=30,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # the daemon would keep a pipe open
        )
        try:
            yield environment
        finally:
            controlled("quit", environment)


def servers(environment: dict[str, str]) -> str:
    """Return the processes of the servers that the daemon has started for its clients."""
    return " ".join(controlled("get_server_list", environment).split())


def controlled(command: str, environment: dict[str, str]) -> str:
    """Give the daemon a command and return its answer."""
    done = subprocess.run(
        [CONTROL],
        env={**os.environ, **environment},
        input=f"{command}\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout


def side_by_side(
    n_jobs: int, device_name: str, environment: dict[str, str]
) -> tuple[list[float], float]:
    """Return the steps a second of some processes together, by architecture, and memory in GB."""
    command = [sys.executable, "-c", f"from gpu_sharing import work; work({device_name!r})"]
    with ExitStack() as stack:
        jobs = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=ROOT / "benchmarks",
                    env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(n_jobs)
        ]
        for job in jobs:
            stack.callback(job.kill)
        rates = []
        for _ in ARCHITECTURES:
            replies(jobs)  # all are ready
            for job in jobs:
                assert job.stdin is not None
                job.stdin.write("go\n")
                job.stdin.flush()
            rates.append(sum(reply["steps_per_s"] for reply in replies(jobs)))
        memory_gb = max(reply["memory_gb"] for reply in replies(jobs))
        for job in jobs:
            assert job.stdin is not None
            job.stdin.close()
            job.wait()
    return rates, memory_gb


def replies(jobs: "list[subprocess.Popen[str]]") -> list[dict[str, float]]:
    """Return the next line of every job."""
    found = []
    for job in jobs:
        assert job.stdout is not None
        line = job.stdout.readline()
        if not line:
            raise RuntimeError("a job ended before it was done; see its output above")
        found.append(json.loads(line))
    return found


def work(device_name: str) -> None:
    """Train one architecture after the other, each for a span that begins at a line of input."""
    import torch
    from cases import cases, finish
    from loop import ours

    device = torch.device(device_name)
    for case in cases(one_each=True, only=ARCHITECTURES):
        short = case.with_optimizer(epochs=1, warmup_epochs=0, schedule="constant")
        steps = STEPS[device.type]
        ours(short, device, steps)
        print(json.dumps({}), flush=True)
        sys.stdin.readline()
        began, n_steps = time.perf_counter(), 0
        while time.perf_counter() - began < SPAN_S:
            ours(short, device, steps)
            n_steps += steps
        finish(device)
        rate = n_steps / (time.perf_counter() - began)
        print(json.dumps({"steps_per_s": rate}), flush=True)
    free, total = torch.cuda.mem_get_info(device) if device.type == "cuda" else (0, 0)
    print(json.dumps({"memory_gb": (total - free) / 1e9}), flush=True)
    sys.stdin.read()  # until all others have looked


def workflows(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield how long eight small runs take through Snakemake, from window to evaluation."""
    folder, command = workflow("gpu_sharing")
    config = folder / "sharing.yaml"
    config.write_text(WORKFLOW + f"device: {device_name}\n", encoding="utf-8")
    command += ["--configfile", str(config)]
    yield "Eight runs of `cnn1d`, 500 steps each, trained and evaluated by the workflow:"
    yield ""
    yield "| SEQBENCH_JOBS_PER_GPU | seconds by the clock |"
    yield "|---|---|"
    subprocess.run([*command, "--until", "window"], check=True)
    seconds = 0.0
    for n_jobs in sorted(N_JOBS, reverse=True):  # the fastest first
        if clock.left_s < seconds:
            yield "\nOut of time: fewer jobs are not measured."
            return
        began = time.perf_counter()
        subprocess.run(
            [*command, "--until", "evaluate", "--forcerun", "finetune"],
            env={**os.environ, "SEQBENCH_JOBS_PER_GPU": str(n_jobs)},
            check=True,
        )
        seconds = time.perf_counter() - began
        yield f"| {n_jobs} | {seconds:.0f} |"
