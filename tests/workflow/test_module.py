"""Another workflow uses this one as a module."""

import csv
import subprocess
import sys

import pytest
import yaml

from fixtures.documents import blocks
from seqbench import layout

from .conftest import ROOT, TINY

pytestmark = pytest.mark.workflow

PAGE = ROOT / "docs" / "how-to" / "module.md"
PREFIX = '    prefix:\n        "benchmark"\n'


@pytest.fixture
def another(snakemake, tmp_path):
    """Return a function that runs the workflow of the page, changed here and there."""

    def run(*options, changes=None, config=None):
        workflow, page_config = (block.text for block in blocks(PAGE))
        for old, new in (changes or {}).items():
            assert old in workflow
            workflow = workflow.replace(old, new)
        written = page_config if config is None else yaml.safe_dump({"seqbench": config})
        for name, text in {"workflow/Snakefile": workflow, "config/config.yaml": written}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return snakemake(*options, folder=tmp_path, snakefile=tmp_path / "workflow/Snakefile")

    return run


@pytest.mark.parametrize(
    ("folder", "changes"), [("benchmark", {}), (".", {PREFIX: ""})], ids=["prefix", "none"]
)
def test_a_workflow_reads_what_its_module_made(another, tmp_path, folder, changes):
    done = another(changes=changes)

    assert done.returncode == 0, done.output[-4000:]
    with (tmp_path / "accuracies.csv").open() as file:
        assert [row[:3] for row in csv.reader(file)] == [
            ["tiny", "cnn1d", "scratch"],
            ["tiny", "majority", "baseline"],
        ]
    assert (f"in {folder}:" in done.output) == (folder != ".")
    results = tmp_path / folder / "results"
    assert (results / "report.html").is_file()
    assert {path.name for path in results.iterdir()} >= {"config.yaml", "best", "logs", "figures"}
    assert not (tmp_path / folder / layout.STATES).exists()  # the hooks were called
    assert not another("--dry-run", changes=changes).jobs


def test_rungs_of_a_search_find_their_files_below_a_prefix(another, tmp_path):
    search = {"trials": 4, "method": "halving"}

    done = another(
        "--", "benchmark/results/tune/tiny/cnn1d/choice.json",
        config=TINY | {"tune": search, "finetune": {"epochs": 4, "min_steps_per_epoch": 1}},
    )  # fmt: skip

    assert done.returncode == 0, done.output[-4000:]
    assert not (tmp_path / "results").exists()


def test_paths_in_the_config_are_counted_from_the_prefix(another, make_pumps, tmp_path):
    make_pumps(tmp_path / "benchmark" / "pumps")
    pumps = {"source": "folder", "path": "pumps", "window": {"length_samples": 50}}
    runs = [{"datasets": ["pumps"], "architectures": ["cnn1d"]}]

    done = another(
        "--", "benchmark/results/window/pumps/windows.h5",
        config=TINY | {"runs": runs, "datasets": {"pumps": pumps}},
    )  # fmt: skip

    assert done.returncode == 0, done.output[-4000:]
    saved = yaml.safe_load((tmp_path / "benchmark" / layout.CONFIG).read_text())
    assert saved["datasets"]["pumps"]["path"] == str(tmp_path / "benchmark" / "pumps")


def test_two_benchmarks_are_planned_side_by_side(another):
    module = PAGE.read_text().partition("module seqbench:")[2].partition("rule all:")[0]
    second = f"module second:{module}".replace('"benchmark"', '"other"')
    second = second.replace("seqbench as seqbench_*", "second as second_*")

    done = another(
        "--dry-run", "--", "accuracies.csv", "other/results/summary.csv",
        changes={"rule all:": f"{second}rule all:"},
    )  # fmt: skip

    assert done.returncode == 0, done.output[-4000:]
    assert done.jobs["seqbench_finetune"] == done.jobs["second_finetune"] == 1


def test_rules_read_from_a_repository_run_the_installed_package(another, copy_checkout, tmp_path):
    """As with `github(...)`, Snakemake reads each file of the workflow by itself."""
    checkout = copy_checkout(tmp_path / "checkout")
    author = "-c user.name=somebody -c user.email=somebody@example.org"
    for words in ("init --quiet", "add workflow envs", f"{author} commit --quiet --message all"):
        subprocess.run(["git", *words.split()], cwd=checkout, check=True)
    repository = f'gitfile("{checkout}", path="workflow/Snakefile", ref="HEAD")'

    done = another("--dry-run", changes={"        SNAKEFILE": f"        {repository}"})

    assert done.returncode == 0, done.output[-4000:]
    assert done.jobs["seqbench_finetune"] == 1


def test_the_workflow_of_one_package_with_the_code_of_another_is_refused(
    another, copy_checkout, tmp_path
):
    checkout = copy_checkout(tmp_path / "checkout")
    snakefile = f'"{checkout / "workflow/Snakefile"}"'

    done = another("--dry-run", changes={"        SNAKEFILE": f"        {snakefile}"})

    assert done.returncode != 0
    assert f"was imported before {checkout / 'src/seqbench'}, the package" in done.output
    assert "Traceback" not in done.output


def test_what_the_other_workflow_puts_before_its_commands_stays(another, tmp_path):
    rule = (
        'rule own:\n    output:\n        "own.txt",\n    shell:\n        "echo $OWN > {output}"\n'
    )

    done = another(
        "--", "own.txt",
        changes={
            "configfile:": 'shell.prefix("export OWN=kept; ")\n\n\nconfigfile:',
            "onstart:": f"{rule}\n\nonstart:",
        },
    )  # fmt: skip

    assert done.returncode == 0, done.output[-4000:]
    assert (tmp_path / "own.txt").read_text() == "kept\n"


def test_a_job_of_a_cluster_has_the_code_and_config_of_the_start(another, tmp_path):
    """It is started here in the environment that a cluster would hand on."""
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", tmp_path / "workflow/Snakefile"),
        *("--mode", "remote", "--target-jobs", "seqbench_ingest:dataset=tiny"),
        *("--cores", "1", "--nolock", "--no-hooks", "--printshellcmds"),
    ]
    started = f"""
    seqbench.begin()
    path = Path("config/config.yaml")
    path.write_text(path.read_text().replace("n_windows: 80", "n_windows: 90"))
    import subprocess

    subprocess.run({[str(word) for word in command]}, check=True)
"""
    rule = 'rule own:\n    output:\n        "own.txt",\n    shell:\n        "touch {output}"\n'

    done = another(
        "--", "own.txt",
        changes={"    seqbench.begin()\n": started, "onstart:": f"{rule}\n\nonstart:"},
    )  # fmt: skip

    assert done.returncode == 0, done.output[-4000:]
    assert '"n_windows": 80' in done.output
    assert (tmp_path / "benchmark/results/ingest/tiny/recordings.h5").is_file()


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ('    replace_prefix:\n        {"results/": "elsewhere/"}\n', "elsewhere/config.yaml"),
        ('    prefix:\n        "./benchmark"\n', "./benchmark/results/config.yaml"),
    ],
)
def test_a_module_whose_results_would_not_be_found_is_refused_in_a_sentence(another, given, place):
    done = another("--dry-run", changes={PREFIX: given})

    assert done.returncode != 0
    assert f"has results/config.yaml at {place}, but steps look for results/" in done.output
    assert "Traceback" not in done.output
