"""The workflow travels inside the wheel: no clone is needed to run a benchmark."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from seqbench import layout
from seqbench.extras import EXTRAS
from seqbench.process.code_copy import COPIES
from seqbench.storage.windows import read_windows

from .conftest import PUMPS, ROOT, TINY

pytestmark = pytest.mark.workflow


CORE_ONLY = f"import sys; sys.modules.update(dict.fromkeys({list(EXTRAS)}))"  # None: not found


@pytest.fixture(scope="module")
def release(copy_checkout, tmp_path_factory):
    """Return a folder with both files of a release, the wheel built from the other."""
    checkout = copy_checkout(tmp_path_factory.mktemp("sources"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", checkout], check=True)
    return checkout / "dist"


@pytest.fixture(scope="module")
def installed(release, tmp_path_factory):
    """Return a function that runs `seqbench` of the wheel, installed here, in a folder."""
    site = tmp_path_factory.mktemp("site-packages")
    core_only = tmp_path_factory.mktemp("core_only")
    (core_only / "sitecustomize.py").write_text(CORE_ONLY)
    [wheel] = release.glob("*.whl")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    pip_install = [sys.executable, "-m", "pip", "install", *options]
    subprocess.run([*pip_install, "--target", site, wheel], check=True)

    def run(*words, cwd, without_extras=False):
        first = [str(core_only)] if without_extras else []
        return subprocess.run(
            [sys.executable, "-m", "seqbench.cli", *words],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([*first, str(site)])},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    run.site = site
    return run


@pytest.mark.parametrize(
    ("check", "kinds"),
    [("twine check --strict", ["*.whl", "*.tar.gz"]), ("check_wheel_contents", ["*.whl"])],
)
def test_an_index_would_take_the_files_of_a_release(release, check, kinds):
    files = [file for kind in kinds for file in release.glob(kind)]
    words = [sys.executable, "-m", *check.split(), *files]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert len(files) == len(kinds)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wheel_runs_a_config_from_an_empty_folder_with_its_own_code(installed, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TINY))

    printed = installed("snakefile", cwd=tmp_path).stdout.strip()
    done = installed("run", "mine.yaml", "--cores", "2", cwd=tmp_path)

    assert printed == str(installed.site / "seqbench/pipeline/workflow/Snakefile")
    assert done.returncode == 0, done.stdout[-4000:]
    assert (tmp_path / layout.REPORT).is_file()
    assert "\ntiny: cnn1d · scratch " in done.stdout
    assert f"\npage: {layout.REPORT}\n" in done.stdout
    # Jobs see the package alone, and not what else lies in the folder that it is installed in.
    [copy] = (tmp_path / COPIES).iterdir()
    assert sorted(path.name for path in copy.iterdir()) == ["seqbench", "start.json"]


def test_without_extras_a_folder_of_recordings_is_trained_on(installed, make_pumps, tmp_path):
    make_pumps(tmp_path / "pumps")
    config = yaml.safe_load(PUMPS.replace("PATH", str(tmp_path / "pumps")))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))

    done = installed("run", "mine.yaml", "--cores", "1", cwd=tmp_path, without_extras=True)

    assert done.returncode == 0, done.stdout[-4000:]
    assert (tmp_path / layout.REPORT).is_file()


def test_a_missing_extra_is_named_with_its_command(installed, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TINY | {"baselines": ["minirocket"]}))

    done = installed("run", "mine.yaml", "--cores", "1", cwd=tmp_path, without_extras=True)

    assert done.returncode != 0
    sentence = "error: this needs the package aeon, which is missing; install it with pip install"
    assert f"{sentence} 'seqbench[archives]'" in done.stdout
    assert "baseline 'minirocket': this needs the package aeon" in done.stdout  # before any job
    assert "Traceback" not in done.stdout


def test_a_folder_of_recordings_becomes_windows_by_three_commands(installed, make_pumps, tmp_path):
    make_pumps(tmp_path / "pumps")

    for words in (
        ["init", "pumps"],
        ["check", "pumps.yaml"],
        ["run", "pumps.yaml", "--cores", "1", "--", layout.WINDOWS.format(dataset="pumps")],
    ):
        done = installed(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-4000:]

    windows = read_windows(tmp_path / layout.WINDOWS.format(dataset="pumps"), "test")
    assert len(windows.label) == 6  # a fifth of thirty recordings, each of them a window
    assert "page:" not in done.stdout


def test_a_wheel_holds_every_file_of_the_workflow(installed):
    inside = installed.site / "seqbench" / "pipeline"

    for name in ("config", "envs/seqbench.yaml", "workflow"):
        path = ROOT / name
        for file in [path] if path.is_file() else filter(os.path.isfile, path.rglob("*")):
            assert (inside / file.relative_to(ROOT)).read_bytes() == file.read_bytes()


def test_the_profile_of_a_cluster_is_found_by_its_name(installed, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TINY))

    done = installed("run", "mine.yaml", "--profile", "slurm", "--dry-run", cwd=tmp_path)

    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{installed.site}/seqbench/pipeline/workflow/profiles/slurm" in done.stdout
