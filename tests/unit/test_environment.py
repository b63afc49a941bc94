"""What installs the project says the same everywhere."""

import os
import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement

CONDA_NAMES = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "soundfile": "pysoundfile",
}


@pytest.fixture(scope="module")
def requirements(pytestconfig):
    raw = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    return [Requirement(line) for line in raw["project"]["dependencies"]]


def test_the_conda_environment_has_the_bounds_of_pyproject(pytestconfig, requirements):
    raw = yaml.safe_load((pytestconfig.rootpath / "envs" / "seqbench.yaml").read_text())
    conda = dict(line.split(" ", 1) for line in raw["dependencies"])

    expected = {
        CONDA_NAMES.get(r.name, r.name): set(str(r.specifier).split(","))
        for r in requirements
        if r.name != "snakemake"  # runs the jobs, and is not needed inside them
    }

    assert {n: set(b.split(",")) for n, b in conda.items() if n != "python"} == expected


def test_pinned_versions_lie_within_the_bounds(pytestconfig, requirements):
    text = (pytestconfig.rootpath / "envs" / "constraints.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))
    pinned = {name.lower().replace("_", "-"): found for name, found in pinned.items()}

    for requirement in requirements:
        assert requirement.specifier.contains(pinned[requirement.name]), requirement
    assert pinned["torch"] == "2.13.0"


def test_installed_versions_lie_within_the_bounds(requirements):
    for requirement in requirements:
        assert requirement.specifier.contains(version(requirement.name)), requirement


def test_the_changelog_knows_the_version(pytestconfig):
    import seqbench

    assert f"## {seqbench.__version__}" in (pytestconfig.rootpath / "CHANGELOG.md").read_text()


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="no workers")
def test_workers_are_given_groups_of_tests(request):
    """pytest-xdist 3.8 ignores groups in silence under pytest 9.2 (pytest-xdist issue 1386)."""
    assert request.node.nodeid.endswith("@tests/unit/test_environment.py")
