"""Ways of running Snakemake as a user does, in folders that are thrown away."""

import copy
import csv
import io
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "tests" / "data" / "config.smoke.yaml"
TINY = {
    "runs": [{"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]}],
    "baselines": ["majority"],
    "datasets": {"tiny": {"source": "waves", "n_windows": 80, "window_samples": 20}},
    "pretrain": {"epochs": 1, "min_steps_per_epoch": 1},
    "finetune": {"epochs": 1, "min_steps_per_epoch": 1},
    "tensorboard": False,
}
PUMPS = """
runs:
  - datasets: [pumps]
    architectures: [cnn1d]
    seeds: [0]
baselines: [majority]
datasets:
  pumps: {source: folder, path: PATH, window: {length_samples: 50}}
finetune: {epochs: 8}
tensorboard: false
"""


class Finished:
    """Exit status, output and planned jobs of a call of Snakemake."""

    def __init__(self, process):
        self.returncode = process.returncode
        self.output = process.stdout

    @property
    def jobs(self):
        """Number of planned jobs by rule, from the "Job stats" of a dry run."""
        table = re.search(r"Job stats:\njob +count\n-+ +-+\n(.*?)\ntotal", self.output, re.S)
        if table is None:
            assert "Nothing to be done" in self.output, self.output
            return {}
        return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table.group(1), re.M)}


@pytest.fixture(scope="session")
def snakemake():
    """Return a function that runs Snakemake: options as text, the rest by name.

    Without a Snakefile it is a bare call in the folder.
    """

    def run(*options, folder, config=None, cwd=None, snakefile=ROOT / "workflow/Snakefile"):
        words = [*options]
        if snakefile is not None:
            words = ["--snakefile", snakefile, "--cores", "2", "--directory", folder, *words]
        if config is not None:
            words = ["--configfile", config, *words]
        return Finished(
            subprocess.run(
                [sys.executable, "-m", "snakemake", *map(str, words)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=cwd or folder,
                check=False,
            )
        )

    return run


@pytest.fixture(scope="session")
def start_snakemake():
    """Return a function that starts Snakemake on a config, with options, and does not wait for it.

    Its output is in `output.txt` of the folder.
    """

    def start(folder, raw, *options):
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(raw))
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "workflow/Snakefile"]
        command += ["--cores", "1", "--directory", folder, "--configfile", path, *options]
        with (folder / "output.txt").open("w") as output:
            return subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell in the background has what it starts ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    return start


class PlannedJob(NamedTuple):
    """One job, and what Snakemake compares with its records to decide whether to run it again."""

    rule: str
    outputs: tuple[str, ...]
    inputs: frozenset[str]
    params: tuple[str, ...]
    command: str | None


@pytest.fixture(scope="session")
def planned(tmp_path_factory):
    """Return a function that lets Snakemake plan the jobs of a config, in this process."""
    from snakemake.api import OutputSettings, SnakemakeApi
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import ConfigSettings, ResourceSettings

    folder = tmp_path_factory.mktemp("planned")

    def plan(raw):
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(raw))
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(io.StringIO()),
            SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
        ):
            patch.setattr(sys, "path", [*sys.path])
            patch.setenv("PATH", os.environ["PATH"])
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=2),
                config_settings=ConfigSettings(configfiles=[config]),
                snakefile=ROOT / "workflow/Snakefile",
                workdir=folder,
            )
            workflow.dag().printrulegraph()  # no public function makes the graph alone
            return [
                PlannedJob(
                    job.rule.name,
                    tuple(map(str, job.output)),
                    frozenset(map(str, job.input)),
                    tuple(sorted(map(repr, job.non_derived_params))),
                    job.rule.shellcmd,
                )
                for job in workflow._workflow.dag.jobs
            ]

    return plan


@pytest.fixture(scope="session")
def replanned(planned):
    """Return a function that counts, by rule, the jobs of the smoke run that a change re-runs."""
    raw = yaml.safe_load(SMOKE.read_text())
    before = set(planned(raw))

    def count(change):
        changed = copy.deepcopy(raw)
        change(changed)
        waiting = planned(changed)
        runs, made = [], set()
        while new := [job for job in waiting if job not in before or job.inputs & made]:
            runs += new
            made.update(path for job in new for path in job.outputs)
            waiting = [job for job in waiting if job not in new]
        return Counter(job.rule for job in runs)

    return count


@pytest.fixture(scope="session")
def smoke_config(request, tmp_path_factory):
    """Return the config of the smoke run: with `--full` the whole, else one of each kind of run."""
    if request.config.getoption("full"):
        return SMOKE
    raw = yaml.safe_load(SMOKE.read_text())
    raw["runs"] = [grid for grid in raw["runs"] if grid["datasets"] != ["digits_rows"]]
    for grid in raw["runs"]:
        if "italy_power_demand" in grid["datasets"]:
            grid["datasets"].remove("italy_power_demand")
        grid |= {"labels": grid["labels"][:1], "seeds": grid["seeds"][:1]}
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


@pytest.fixture(scope="session")
def smoke(snakemake, smoke_config, tmp_path_factory):
    """Return the folder of one smoke run, which several tests read."""
    folder = tmp_path_factory.mktemp("smoke")
    done = snakemake(folder=folder, config=smoke_config)
    assert done.returncode == 0, done.output[-5000:]
    return folder


@pytest.fixture
def workflow(snakemake, tmp_path):
    """Return a function that runs the workflow on changes of a tiny config, in one folder."""

    def run(*options, **changes):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return snakemake(*options, folder=tmp_path, config=path)

    run.folder = tmp_path
    return run


@pytest.fixture(scope="session")
def make_pumps():
    """Return a function that writes thirty recordings: slow and fast oscillation."""

    def make(folder):
        (folder / "recordings").mkdir(parents=True)
        generator = np.random.default_rng(0)
        labels = [("recording", "label")]
        for i in range(30):
            label = "fast" if i % 2 else "slow"
            time = np.arange(200) / 100
            wave = np.sin(
                2 * np.pi * (9 if label == "fast" else 2) * time + generator.uniform(0, 6)
            )
            with (folder / "recordings" / f"run {i}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(("time_s", "pressure", "flow"))
                writer.writerows(zip(time, wave, generator.normal(size=200), strict=True))
            labels.append((f"run {i}", label))
        with (folder / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows(labels)
        return folder

    return make


@pytest.fixture(scope="session")
def pumps_run(make_pumps, snakemake, tmp_path_factory):
    """Return the folder of a whole run on CSV files, started from another working directory.

    The recordings are in `data`, the config is `ten_lines.yaml`.
    """
    folder = tmp_path_factory.mktemp("pumps")
    make_pumps(folder / "data")
    config = folder / "ten_lines.yaml"
    config.write_text(PUMPS.replace("PATH", str(folder / "data")))
    done = snakemake(folder=folder, config=config, cwd=folder.parent)
    assert done.returncode == 0, done.output[-4000:]
    return folder
