"""`seqbench status` and `seqbench report` beside the workflow: under way, failed, at its end."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from seqbench import layout
from seqbench.cli.main import main

pytestmark = pytest.mark.workflow
LONG = {
    "runs": [{"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]}],
    "baselines": [],
    "datasets": {"tiny": {"source": "waves", "n_windows": 80, "window_samples": 20}},
    "finetune": {"epochs": 100_000, "patience_epochs": 100_000, "min_steps_per_epoch": 1},
    "device": "cpu",
    "state_every_s": 0.05,
    "tensorboard": False,
}


@pytest.fixture
def status(capsys):
    """Return a function that gives the exit code and the output of `seqbench status`."""

    def run(folder):
        code = 0
        try:
            main(["status", "--json", "--directory", str(folder)])
        except SystemExit as left:
            code = left.code
        return code, json.loads(capsys.readouterr().out)

    return run


def contents(folder):
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_failed_step_is_named_and_the_page_so_far_misleads_nobody(workflow, status):
    folder = workflow.folder
    tiny = {"source": "waves", "n_windows": 80, "window_samples": 20}
    bad = {"source": "folder", "path": str(folder / "gone"), "task": "classification"}
    grid = {"datasets": ["tiny", "bad"], "architectures": ["cnn1d"], "seeds": [0]}
    broken = {"runs": [grid], "datasets": {"tiny": tiny, "bad": bad}}
    assert workflow("--keep-going", **broken).returncode != 0

    code, report = status(folder)

    assert code == 1
    [failed] = report["failed"]
    assert (failed["step"], failed["job"]) == ("ingest", "bad")
    assert failed["sentence"] == f"{folder / 'gone'}: there is no such folder; correct `path`"
    assert report["datasets"]["tiny"] == dict.fromkeys(report["all"], 0) | {"done": 7}
    assert report["running"] == report["stopped"] == []

    to_do, before = workflow("--dry-run", **broken).jobs, contents(folder)
    main(["report", "--directory", str(folder)])
    after = contents(folder)
    assert b"No trained model has finished on bad" in after.pop(folder / layout.REPORT_SO_FAR)[0]
    assert after == before
    assert workflow("--dry-run", **broken).jobs == to_do


@pytest.mark.xdist_group("pumps")
def test_at_the_end_everything_is_done_and_the_page_so_far_makes_nothing_run_again(
    pumps_run, snakemake, status
):
    code, report = status(pumps_run)
    main(["report", "--directory", str(pumps_run)])

    assert code == 0
    assert report["all"] == dict.fromkeys(report["all"], 0) | {"done": 8}
    config = pumps_run / "ten_lines.yaml"
    assert snakemake("--dry-run", folder=pumps_run, config=config).jobs == {}


@pytest.mark.xdist_group("pumps")
def test_the_command_that_status_names_for_copies_without_times_leaves_nothing_to_do(
    pumps_run, snakemake, status, capsys, tmp_path
):
    folder = tmp_path / "copy"
    shutil.copytree(pumps_run, folder, ignore=shutil.ignore_patterns(".snakemake"))
    files = sorted(
        (path for path in (folder / "results").rglob("*") if path.is_file()), reverse=True
    )
    for age_s, path in enumerate(reversed(files)):
        os.utime(path, (time.time() - age_s,) * 2)
    assert status(folder)[1]["outdated"] > 0
    with pytest.raises(SystemExit, match="3"):
        main(["status", "--directory", str(folder)])
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.endswith(str(folder))]

    program, *words = shlex.split(line)
    done = subprocess.run(
        [sys.executable, "-m", "seqbench.cli", *words, "--cores", "1"],
        check=False, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    assert (program, done.returncode) == ("seqbench", 0), done.stdout
    assert status(folder)[0] == 0
    config = folder / "ten_lines.yaml"
    assert snakemake("--dry-run", folder=folder, config=config).jobs == {}


@pytest.mark.xdist_group("pumps")
def test_marking_half_of_the_results_as_up_to_date_ends_without_a_page(pumps_run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(pumps_run, folder, ignore=shutil.ignore_patterns(".snakemake"))
    (folder / layout.REPORT).unlink()
    shutil.rmtree(folder / "results/evaluate")
    command = ["run", folder / layout.CONFIG, "--touch", "--directory", folder, "--cores", "1"]

    done = subprocess.run(
        [sys.executable, "-m", "seqbench.cli", *map(str, command)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert not (folder / layout.REPORT).exists()
    assert "page: " not in done.stdout


@pytest.mark.xdist_group("pumps")
def test_a_run_with_nothing_left_to_do_ends_in_its_results(pumps_run, snakemake):
    config = pumps_run / "ten_lines.yaml"

    again = snakemake(folder=pumps_run, config=config)
    planned = snakemake("--dag", folder=pumps_run, config=config)

    assert "Nothing to be done" in again.output
    *_, of_dataset, page, use = again.output.splitlines()
    assert of_dataset.startswith("pumps: cnn1d")
    assert page == f"page: {layout.REPORT}"
    assert use.startswith("use:  seqbench predict --model ")
    assert again.output.count("page: ") == 1
    assert "page: " not in planned.output


def test_a_training_under_way_is_seen_until_it_is_stopped(
    tmp_path, status, wait_for, start_snakemake
):
    process = start_snakemake(tmp_path, LONG)
    try:
        wait_for(lambda: (tmp_path / layout.CONFIG).exists())
        wait_for(lambda: any(job["epoch"] for job in status(tmp_path)[1]["running"]))
        code, report = status(tmp_path)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait()

    assert code == 3
    [training] = report["running"]
    assert (training["step"], training["epochs"]) == ("finetune", 100_000)
    wait_for(lambda: status(tmp_path)[1]["stopped"])
    [stopped] = status(tmp_path)[1]["stopped"]
    assert stopped["job"] == "tiny/cnn1d/scratch/labels1/seed0"
    assert stopped["epoch"] >= training["epoch"]
