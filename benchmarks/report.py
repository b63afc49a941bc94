"""Measure the report of very many runs: the time and memory it takes, its size, and how it loads.

``python benchmarks/report.py RESULTS`` takes finished results, such as those of the default
benchmark (``results``), and makes a copy in which every model has more seeds, until there are
at least 500 runs; the files of a new seed are those of one that was trained. Then it makes the
report of the copy, and again when nothing has changed, and, where Playwright and Chromium are
installed, opens it.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import yaml

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan, Run
from seqbench.storage.metrics import read_metrics, write_metrics

OF_A_RUN = (layout.PREDICTIONS, layout.MODEL, layout.HISTORY, layout.TRANSFER)


def with_more_seeds(results: Path, root: Path, n_runs: int) -> Plan:
    """Write results like others, but with more seeds, and return their plan."""
    raw = yaml.safe_load((results.parent / layout.CONFIG).read_text(encoding="utf-8"))
    trained = Plan(Benchmark.load(raw))
    for n_seeds in count(3):
        for grid in raw["runs"]:
            grid["seeds"] = list(range(n_seeds))
        plan = Plan(Benchmark.load(raw))
        if len(plan.runs) >= n_runs:
            break
    (root / layout.CONFIG).parent.mkdir(parents=True)
    (root / layout.CONFIG).write_text(yaml.safe_dump(raw), encoding="utf-8")
    for dataset in plan.datasets:
        path = layout.WINDOWS.format(dataset=dataset)
        link(results.parent / path, root / path)
    for run in plan.runs:
        like = next(
            one
            for one in sorted(trained.runs, key=lambda one: one.seed != run.seed)
            if replace(one, seed=0) == replace(run, seed=0)
        )
        write_run(plan, run, like, results.parent, root)
    return plan


def write_run(plan: Plan, run: Run, like: Run, source: Path, root: Path) -> None:
    """Write the files of a run from those of another seed."""
    pairs = [(like.fill(pattern), run.fill(pattern)) for pattern in OF_A_RUN]
    theirs, own = plan.pretraining(like), plan.pretraining(run)
    if theirs is not None and own is not None:
        pairs.append((theirs.fill(layout.PRETRAIN_HISTORY), own.fill(layout.PRETRAIN_HISTORY)))
    for old, new in pairs:
        if (source / old).exists():
            link(source / old, root / new)
    metrics = read_metrics(source / like.fill(layout.METRICS))
    identity = metrics.run.model_copy(update={"seed": run.seed})
    path = root / run.fill(layout.METRICS)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_metrics(path, metrics.model_copy(update={"run": identity}))


def link(source: Path, target: Path) -> None:
    """Give a file a second name; a copy would take room for nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def load(page: Path) -> str:
    """Return what a browser needs to open a page, or why that is not known."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return "not measured: no Playwright"
    with sync_playwright() as started:
        found = shutil.which("chromium")
        try:
            browser = started.chromium.launch(executable_path=found, chromium_sandbox=False)
        except Error:
            return "not measured: no Chromium"
        opened = browser.new_page(viewport={"width": 1366, "height": 768})
        opened.goto(page.as_uri())
        timing = opened.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
        heap = opened.evaluate("performance.memory.usedJSHeapSize")
        began = time.perf_counter()
        opened.locator("#all-models th button").nth(5).click()
        sort_s = time.perf_counter() - began
        browser.close()
    return (
        f"{timing['domContentLoadedEventEnd']:.0f} ms to read, {timing['loadEventEnd']:.0f} ms to"
        f" load, {1000 * sort_s:.0f} ms to sort the table of all models,"
        f" {heap / 2**20:.0f} MiB of script memory"
    )


def make(root: Path) -> str:
    """Make the report of results, and return the wall and processor seconds that it took."""
    options = {"config": layout.CONFIG, "summary": layout.SUMMARY, "page": layout.REPORT}
    words = [word for key, path in options.items() for word in (f"--{key}", path)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "seqbench.steps", "report", *words]
    subprocess.run(command, cwd=root, check=True)
    used, took_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return f"{took_s:.1f} s, {cpu_s:.1f} s of a processor"


def main() -> None:
    """Make the copy and its report, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="the folder of finished results")
    parser.add_argument("--runs", type=int, default=500, help="at least as many runs")
    arguments = parser.parse_args()
    # Beside the results, so that their files can have a second name on the same disk.
    with tempfile.TemporaryDirectory(dir=arguments.results.resolve().parent) as name:
        root = Path(name)
        plan = with_more_seeds(arguments.results.resolve(), root, arguments.runs)
        page = root / layout.REPORT
        first, again = make(root), make(root)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"| runs | {len(plan.runs)} on {len(plan.base_datasets)} datasets |")
        print("|---|---|")
        print(f"| time | {first} |")
        print(f"| after nothing has changed | {again} |")
        print(f"| memory | {used.ru_maxrss / 2**10:.0f} MiB |")
        print(f"| size of the page | {page.stat().st_size / 1e6:.2f} MB |")
        print(f"| in Chromium | {load(page)} |")


if __name__ == "__main__":
    main()
