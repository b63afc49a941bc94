"""Measure what a GPU does with this project, in minutes: ``python benchmarks/gpu.py``.

Every part runs in a process of its own with a share of the time, so that one that fails or hangs
costs no other; ``build/gpu.md`` is written after each. Nothing is downloaded. ``--device cpu``
tries the script where there is no card: parts that need one say so.
"""

import argparse
import importlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from common import BUILD, ROOT, Clock, workflow

LAST_LINES = 4  # of the output of a part that failed
MOST_ERRORS = 20  # lines of the smoke benchmark
LEAST_S = 30.0  # for a part, however late it is: to load torch takes some of it


class Part(NamedTuple):
    """What is measured, the function that yields its lines, and its share of the time."""

    title: str
    module: str
    function: str
    share: float
    needs_card: bool = False


PARTS = {
    "machine": Part("Machine", "gpu", "machine", 1),
    "agreement": Part("Agreement with the CPU: one step", "gpu_agreement", "lines", 6),
    "trainings": Part("Agreement with the CPU: trainings", "gpu_agreement", "trainings", 12),
    "events": Part("Events: `event_rnn` on strikes", "gpu", "events", 4),
    "smoke": Part("Workflow: the smoke benchmark", "gpu", "smoke", 18),
    "loop": Part("Training loop", "loop", "lines", 12),
    "precision": Part("Precision and memory", "gpu_precision", "lines", 12),
    "sharing": Part("Jobs that share a GPU", "gpu_sharing", "lines", 24),
    "workflows": Part("Jobs that share a GPU: workflow", "gpu_sharing", "workflows", 10),
    "graphs": Part("CUDA graphs", "gpu_graphs", "lines", 4, needs_card=True),
    "seeds": Part("Seeds trained together", "seeds_together", "lines", 6),
}


def machine(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield what the figures were measured on."""
    import torch

    from seqbench.process.origin import commit
    from seqbench.process.origin import machine as processor

    yield f"- commit {commit()}, Python {platform.python_version()}, torch {torch.__version__}"
    found = processor()
    yield f"- {found['processor']}, {found['cores']} cores, {found['system']}"
    if device_name == "cpu":
        yield "- card: skipped: needs a card"
        return
    properties = torch.cuda.get_device_properties(torch.device(device_name))
    cudnn = torch.backends.cudnn.version()
    yield (
        f"- {properties.name}, compute capability {properties.major}.{properties.minor},"
        f" {properties.multi_processor_count} multiprocessors,"
        f" {properties.total_memory / 1e9:.0f} GB; CUDA {torch.version.cuda}, cuDNN {cudnn}"
    )
    if shutil.which("nvidia-smi"):
        fields = "name,driver_version,compute_mode,mig.mode.current,memory.used,clocks.max.sm"
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
        )
        yield f"- nvidia-smi ({fields}): {done.stdout.strip() or done.stderr.strip()}"


def events(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield the score and cost of `event_rnn` on strikes; see `events.py`."""
    from events import measured

    (BUILD / "events").mkdir(parents=True, exist_ok=True)
    found = measured("strikes", device_name)
    yield f"F1 at 5 ms {found['f1']:.3f} after {found['train_s']:.0f} s of training"
    yield f"({found['train_cpu_s']:.0f} processor seconds) on 800 windows, noise 0.1."


def smoke(device_name: str, clock: Clock) -> Iterator[str]:
    """Yield whether every registered name runs on the device, through the workflow."""
    config = ROOT / "tests/data/config.smoke.yaml"
    folder, command = workflow("gpu_smoke", "--configfile", str(config))
    log = folder / "snakemake.log"
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--config", f"device={device_name}"],
            env={**os.environ, "SEQBENCH_JOBS_PER_GPU": "8"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait(max(1.0, clock.left_s))
            verdict = f"**failed with code {code}**" if code else "succeeded"
        except subprocess.TimeoutExpired:
            process.terminate()
            verdict = "was stopped"
    seconds = time.perf_counter() - began
    n_models = len(list(folder.glob("results/finetune/**/model.safetensors")))
    n_scored = len(list(folder.glob("results/evaluate/**/metrics.json")))
    yield f"The smoke benchmark {verdict} after {seconds:.0f} s with eight jobs per GPU:"
    yield f"{n_models} models, {n_scored} scored."
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in text if "rror" in line][:MOST_ERRORS]
    if errors:
        yield from ("", "```text", *errors, "```")
    process.wait()


def run_part(name: str, device_name: str, seconds: float) -> None:
    """Print the lines of a part as they come; what is printed stays if this process is ended."""
    part = PARTS[name]
    clock = Clock(seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended on the way
    for line in getattr(importlib.import_module(part.module), part.function)(device_name, clock):
        print(line, flush=True)


def measured_part(name: str, device_name: str, seconds: float) -> str:
    """Run a part in a process of its own; return its lines and, if it did not end well, why."""
    part = PARTS[name]
    if part.needs_card and device_name == "cpu":
        return "Skipped: needs a card."
    folder = BUILD / "gpu"
    folder.mkdir(parents=True, exist_ok=True)
    found, log = folder / f"{name}.md", folder / f"{name}.log"
    command = [sys.executable, str(Path(__file__)), "--device", device_name, "--part", name]
    with found.open("w") as output, log.open("w") as errors:
        process = subprocess.Popen(
            # It stops by itself where it can, before it is stopped.
            [*command, "--seconds", f"{0.8 * seconds:.0f}"],
            stdout=output,
            stderr=errors,
            cwd=ROOT / "benchmarks",
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        why = ""
        try:
            if process.wait(seconds):
                why = f"**Failed with code {process.returncode}.**"
        except subprocess.TimeoutExpired:
            why = f"**Stopped after {seconds:.0f} s.**"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    text = found.read_text(encoding="utf-8").rstrip()
    if not why:
        return text
    last = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-LAST_LINES:]
    return "\n".join([text, "", why, "", "```text", *last, "```"])


def main() -> None:
    """Measure all parts, and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu to try the script")
    parser.add_argument("--minutes", type=float, default=12.0, help="for all parts together")
    parser.add_argument("--out", type=Path, default=BUILD / "gpu.md", help="page that is written")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        run_part(arguments.part, arguments.device, arguments.seconds)
        return
    parts = arguments.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    clock = Clock(60 * arguments.minutes)
    text = "# Measurements on a GPU\n" if arguments.device != "cpu" else "# A trial on the CPU\n"
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(parts):
        # What a part leaves over goes to those behind it.
        shares = [PARTS[one].share for one in parts[place:]]
        seconds = max(LEAST_S, clock.left_s * shares[0] / sum(shares))
        body = measured_part(name, arguments.device, seconds)
        text += f"\n## {PARTS[name].title}\n\n{body}\n"
        arguments.out.write_text(text, encoding="utf-8")
        print(f"{name}: done, {max(0.0, clock.left_s) / 60:.1f} min left", flush=True)
    print(arguments.out)


if __name__ == "__main__":
    main()
