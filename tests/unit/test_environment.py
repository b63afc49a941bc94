"""What installs the project says the same everywhere."""

import json
import os
import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from seqbench import __version__
from seqbench.extras import EXTRAS

CONDA_NAMES = {
    "torch": "pytorch",
    "matplotlib": "matplotlib-base",
    "soundfile": "pysoundfile",
}


# Extras of packages that conda does not have, or that run where a job does not.
NOT_IN_CONDA = {
    "bells",
    "dev",
    "docs",
    "elan",
    "experts",
    "export",
    "miniseed",
    "slurm",
    "tdms",
    "xdf",
}
IMPORTED = {"emx-onnx-cgen": "emx_onnx_cgen", "pympi-ling": "pympi"}


@pytest.fixture(scope="module")
def extras(pytestconfig):
    """Requirements of each extra, without those of other extras."""
    raw = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    return {
        name: [Requirement(line) for line in lines if not line.startswith("seqbench[")]
        for name, lines in raw["project"]["optional-dependencies"].items()
    }


@pytest.fixture(scope="module")
def requirements(pytestconfig, extras):
    """What the package needs, and what most of its extras do."""
    raw = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    core = [Requirement(line) for line in raw["project"]["dependencies"]]
    return core + [
        one for name, found in extras.items() if name not in NOT_IN_CONDA for one in found
    ]


def test_every_package_of_an_extra_is_known_with_it(extras):
    named = {
        IMPORTED.get(one.name, one.name): extra
        for extra, found in extras.items()
        if extra not in {"dev", "docs", "slurm"}
        for one in found
    }

    assert named == EXTRAS


def test_all_has_every_extra_of_users(pytestconfig, extras):
    raw = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    [line] = raw["project"]["optional-dependencies"]["all"]

    assert Requirement(line).extras == extras.keys() - {"all", "dev", "docs"}


def test_the_conda_environment_has_the_bounds_of_pyproject(pytestconfig, requirements):
    raw = yaml.safe_load((pytestconfig.rootpath / "envs" / "seqbench.yaml").read_text())
    conda = dict(line.split(" ", 1) for line in raw["dependencies"])

    expected = {
        CONDA_NAMES.get(r.name, r.name): set(str(r.specifier).split(","))
        for r in requirements
        if r.name != "snakemake"  # runs the jobs, and is not needed inside them
    }

    assert {n: set(b.split(",")) for n, b in conda.items() if n != "python"} == expected


@pytest.fixture(scope="module")
def pinned(pytestconfig):
    return _pins((pytestconfig.rootpath / "envs" / "constraints.txt").read_text())


def _pins(text):
    """Return the version of each package of a file of pins, by its canonical name."""
    found = re.findall(r"^([\w.-]+)==(\S+)", text, re.M)
    assert len(found) == len(dict(found))
    return {canonicalize_name(name): version for name, version in found}


def test_pinned_versions_lie_within_the_bounds(pinned, extras, requirements):
    for requirement in [*requirements, *(one for found in extras.values() for one in found)]:
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])
    assert pinned["torch"] == "2.13.0"


def test_the_lock_has_the_pinned_versions_of_what_users_install(
    pytestconfig, pinned, extras, requirements
):
    text = (pytestconfig.rootpath / "envs" / "lock.txt").read_text()
    locked = _pins(text)
    ours = [one for name, found in extras.items() if name not in {"dev", "docs"} for one in found]

    assert locked.items() <= pinned.items(), "run `make lock`"
    assert {canonicalize_name(one.name) for one in requirements + ours} <= locked.keys()
    # Of every package, and of no other source than the index that pip is told of.
    assert len(re.findall(r"==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(locked)
    assert not re.search(r"://|--(?!hash=)", text)


def test_installed_versions_lie_within_the_bounds(requirements):
    for requirement in requirements:
        assert requirement.specifier.contains(version(requirement.name)), requirement


def test_both_images_are_made_of_the_same(pytestconfig):
    envs = pytestconfig.rootpath / "envs"
    docker, apptainer = (
        (envs / name).read_text().replace("\\\n", " ") for name in ("Dockerfile", "seqbench.def")
    )
    docker = re.sub(r"\$\{(\w+)\}", r"{{ \1 }}", docker)

    def installed(recipe):
        return [" ".join(line.split()) for line in re.findall(r"pip install .*", recipe)]

    def copied(recipe):
        return {
            name
            for line in re.findall(r"^(?:COPY| {4})([\w./ ]+) /source/", recipe, re.M)
            for name in line.split()
        }

    assert len(installed(docker)) == 2
    assert installed(docker) == installed(apptainer)
    assert copied(docker) - {"envs/constraints.txt"} == copied(apptainer)
    assert (
        re.search(r"^FROM (.*)", docker, re.M)[1] == re.search(r"^From: (.*)", apptainer, re.M)[1]
    )
    assert re.findall(r"ARG (.*)", docker) == re.findall(r"^ +(\w+=\S+)$", apptainer, re.M)


def test_the_lowest_snakemake_is_the_same_wherever_it_is_named(pytestconfig, requirements):
    root = pytestconfig.rootpath
    [snakemake] = [one for one in requirements if one.name == "snakemake"]
    bounds = {one.operator: one.version for one in snakemake.specifier}
    workflow = (root / "workflow" / "Snakefile").read_text()
    jobs = yaml.safe_load((root / ".github" / "workflows" / "ci.yml").read_text())["jobs"]

    assert re.search(r'min_version\("(.*)"\)', workflow)[1] == bounds[">="]
    assert jobs["snakemake"]["strategy"]["matrix"]["version"] == [
        f"=={bounds['>=']}.*",
        f">={bounds['>=']},<{bounds['<']}",
    ]


def test_changelog_and_citation_know_the_version(pytestconfig):
    changelog = (pytestconfig.rootpath / "CHANGELOG.md").read_text()
    newest, dated = re.search(r"^## (\S+) — (.+)$", changelog, re.M).groups()
    citation = yaml.safe_load((pytestconfig.rootpath / "CITATION.cff").read_text())
    ours = Version(__version__)

    assert newest == citation["version"] == ours.base_version
    if ours.is_devrelease:
        assert dated == "unreleased"
        assert "date-released" not in citation
    else:
        assert dated == str(citation["date-released"])


def test_hooks_of_commits_have_the_versions_of_the_dev_extra(pytestconfig, extras):
    raw = yaml.safe_load((pytestconfig.rootpath / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in raw["repos"] for hook in repo["hooks"]]

    for hook in hooks:
        assert {Requirement(line) for line in hook["additional_dependencies"]} <= {*extras["dev"]}


def test_the_licence_of_the_repository_is_that_which_its_files_name(pytestconfig):
    [named] = (pytestconfig.rootpath / "LICENSES").iterdir()

    assert named.read_bytes() == (pytestconfig.rootpath / "LICENSE").read_bytes()


def test_codemeta_agrees_with_the_package_and_the_citation(pytestconfig):
    root = pytestconfig.rootpath
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    codemeta = json.loads((root / "codemeta.json").read_text())

    assert {name: codemeta[name] for name in ("name", "description", "keywords")} == {
        name: project[name] for name in ("name", "description", "keywords")
    }
    assert codemeta["version"] == citation["version"]
    assert codemeta["license"].rpartition("/")[2] == project["license"] == citation["license"]
    authors = [one["name"] for one in codemeta["author"]]
    assert authors == [one["name"] for one in project["authors"]]
    assert authors == [one["name"] for one in citation["authors"]]
    assert codemeta["runtimePlatform"] == f"Python {project['requires-python']}"


def test_codemeta_has_terms_of_its_context_alone(pytestconfig):
    codemeta = json.loads((pytestconfig.rootpath / "codemeta.json").read_text())

    terms = (pytestconfig.rootpath / "tests/data/codemeta-3.0-terms.txt").read_text().split()

    assert codemeta.pop("@context") == "https://w3id.org/codemeta/3.0"
    assert codemeta.pop("@type") == "SoftwareSourceCode"
    assert {one.pop("@type") for one in codemeta["author"]} == {"Organization"}
    assert {name for one in (codemeta, *codemeta["author"]) for name in one} <= set(terms)


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="no workers")
def test_workers_are_given_groups_of_tests(request):
    """pytest-xdist 3.8 ignores groups in silence under pytest 9.2 (pytest-xdist issue 1386)."""
    assert request.node.nodeid.endswith("@tests/unit/test_environment.py")
