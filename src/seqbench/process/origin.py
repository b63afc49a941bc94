"""Where results come from: versions, the commit of the source, and the machine."""

import json
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seqbench import __version__

START = "start.json"  # beside a copy of the code: config and commit that a workflow started with
REPORTED_PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "numba",
    "aeon",
    "scikit-learn",
    "pandas",
    "h5py",
    "snakemake",
)


def origin() -> dict[str, Any]:
    """Return the state of code and machine that makes a result."""
    return {"versions": versions(), "commit": commit(), "machine": machine()}


@cache
def versions() -> dict[str, str]:
    """Return the versions of this package, Python and the libraries that shape results."""
    # Of the source that runs: the metadata of an editable installation are those of its day.
    found = {"seqbench": __version__, "python": platform.python_version()}
    return found | {name: _version(name) for name in REPORTED_PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def commit() -> str:
    """Return the commit of the source tree, with a mark if it has changes, or "unknown".

    A copy for the jobs of a workflow has that of its start noted. A package that lies
    in a repository which does not track it, as in `.venv` of another project, is not
    of a commit there.
    """
    root = Path(__file__).resolve().parent
    start = root.parents[1] / START
    if start.is_file():
        return str(json.loads(start.read_text(encoding="utf-8"))["commit"])

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        changed = " with uncommitted changes" if git("status", "--porcelain", "-uno") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@cache
def machine() -> dict[str, str]:
    """Return the processor, its usable cores and the system, without naming the host."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (
        found := re.search(r"^model name\s*:(.*)$", cpuinfo.read_text(encoding="utf-8"), re.M)
    ):
        model = found[1].strip()
    return {
        "processor": model,
        "cores": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
        "system": f"{platform.system()} {platform.machine()}",
    }
