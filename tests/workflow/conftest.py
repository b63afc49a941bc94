"""Starting Snakemake as a user does, in folders that are thrown away."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TINY = {
    "runs": [{"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]}],
    "baselines": ["majority"],
    "datasets": {"tiny": {"source": "waves", "n_windows": 80, "window_samples": 20}},
    "pretrain": {"epochs": 1, "min_steps_per_epoch": 1},
    "finetune": {"epochs": 1, "min_steps_per_epoch": 1},
    "tensorboard": False,
}


class Finished:
    """What a call of Snakemake said and what it planned."""

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
    """Return a function that runs Snakemake: options as text, the rest by name."""

    def run(*options, folder, config=None, cwd=None, snakefile=ROOT / "Snakefile"):
        command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", "2"]
        command += ["--directory", folder]
        if config is not None:
            command += ["--configfile", config]
        return Finished(
            subprocess.run(
                [str(word) for word in (*command, *options)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=cwd or folder,
                check=False,
            )
        )

    return run


@pytest.fixture(scope="session")
def smoke(snakemake, tmp_path_factory):
    """Return the folder of one whole smoke run, which several tests read."""
    folder = tmp_path_factory.mktemp("smoke")
    done = snakemake(folder=folder, config=ROOT / "tests" / "data" / "config.smoke.yaml")
    assert done.returncode == 0, done.output[-5000:]
    return folder


@pytest.fixture(scope="session")
def copy_checkout():
    """Return a function that copies what a user clones, as far as Snakemake needs it."""

    def copy(folder):
        folder.mkdir(exist_ok=True)
        for name in ("Snakefile", "config.yaml", "profiles", "workflow", "src", "envs"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        return folder

    return copy


@pytest.fixture
def workflow(snakemake, tmp_path):
    """Return a function that runs the workflow on changes of a tiny config, in one folder."""

    def run(*options, **changes):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return snakemake(*options, folder=tmp_path, config=path)

    run.folder = tmp_path
    return run


@pytest.fixture
def copy_of_smoke(smoke, tmp_path):
    """Return a private copy of the smoke run, Snakemake's memory of it included."""
    return Path(shutil.copytree(smoke, tmp_path / "smoke"))
