"""The command: what people read, what scripts read, and the exit code."""

import json

import pytest

from seqbench import layout
from seqbench.cli.main import main
from seqbench.storage.atomic import write_text


@pytest.fixture
def status(folder, capsys):
    """Return a function that runs the command and returns its exit code and output."""
    write_text(folder.root / layout.CONFIG, folder.plan.benchmark.to_yaml())

    def run(*options):
        code = 0
        try:
            main(["status", "--directory", str(folder.root), *options])
        except SystemExit as left:
            code = left.code
        return code, capsys.readouterr().out

    return run


def test_when_all_is_done_the_code_is_0(folder, status):
    folder.make(*folder.jobs)
    code, printed = status()

    assert code == 0
    assert printed.endswith("\n\neverything is done\n")


def test_when_something_is_to_be_done_the_code_is_3(folder, status):
    code, printed = status()

    assert code == 3
    assert "no estimate, as nothing like the jobs to come has finished" in printed


def test_a_failed_job_is_named_with_its_reason_and_log_and_the_code_is_1(folder, status):
    folder.log(folder.job("ingest"), "error: waves: \x1b[31mempty\n")
    code, printed = status()

    assert code == 1
    assert (
        f"""
failed
  ingest waves
    waves: \\x1b[31mempty
    {folder.root / "results/logs/ingest/waves.log"}
"""
        in printed
    )


def test_the_table_counts_the_jobs_of_each_step(folder, status):
    folder.make(folder.job("ingest"), folder.job("window"), folder.job("pretrain", "seed0"))
    _, printed = status()
    rows = [line.split() for line in printed.splitlines()]

    assert ["step", "done", "running", "failed", "stopped", "waiting", "jobs"] in rows
    assert ["pretrain", "1", "-", "-", "-", "1", "2"] in rows
    assert ["all", "3", "-", "-", "-", "13", "16"] in rows
    assert ["waves", "3", "-", "-", "-", "12", "15"] in rows


def test_copies_that_lost_their_times_are_explained_with_the_command_that_mends_it(folder, status):
    folder.make(*reversed(folder.jobs))
    code, printed = status()
    config = folder.root / "results/config.yaml"

    assert code == 3
    assert "waiting, as files are older than what they were made from: 15 jobs" in printed
    assert f"  seqbench run {config} --touch --directory {folder.root}\n" in printed
    assert json.loads(status("--json")[1])["outdated"] == 15

    mine = folder.root / "mine.yaml"
    mine.write_text("runs: [{datasets: [waves], architectures: [cnn1d], seeds: [0, 1]}]\n")
    assert f"seqbench run {mine} --touch" in status("--config", str(mine))[1]


def test_scripts_get_the_same_as_json(folder, status):
    folder.make(folder.job("ingest"))
    folder.log(folder.job("window"), "error: no window is left\n")
    code, printed = status("--json")
    shown = json.loads(printed)

    assert code == 1
    assert shown["all"] == {"done": 1, "running": 0, "failed": 1, "stopped": 0, "waiting": 14}
    assert shown["steps"]["finetune"]["waiting"] == 4
    [failed] = shown["failed"]
    assert (failed["step"], failed["job"]) == ("window", "waves")
    assert (failed["sentence"], failed["machine"]) == ("no window is left", "elsewhere")
    assert shown["remaining"]["n_blocked"] == 15


def test_the_estimate_says_what_it_is_based_on(folder, status):
    done = folder.job("finetune", "scratch/labels1/seed0")
    folder.make(folder.job("ingest"), folder.job("window"), done)
    folder.log_done(done, 60, 30)
    _, printed = status("--jobs", "2")

    # Three trainings of a minute each, two at a time, of which half is processor time.
    assert "at least 1 min 30 s of processor time, 1 min 30 s with 2 jobs at a time" in printed
    assert "of 3 jobs, judged by 1 finished job like them" in printed
    assert "not counted: 10 jobs, as nothing like them has finished" in printed


def test_watching_ends_when_nothing_is_left_that_could_be_done(folder, status):
    folder.log(folder.job("ingest"), "error: no network\n")
    assert status("--watch", "1000")[0] == 1

    folder.make(*folder.jobs)
    assert status("--watch", "1000")[0] == 0


def test_without_a_config_a_sentence_says_what_to_name(tmp_path):
    with pytest.raises(SystemExit, match="name the folder with --directory, or the config"):
        main(["status", "--directory", str(tmp_path)])
    with pytest.raises(SystemExit, match="elsewhere: no such file or folder; name the folder"):
        main(["status", "--directory", str(tmp_path / "elsewhere")])


def test_a_config_of_its_own_can_be_named(folder, status, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("runs: [{datasets: [waves], architectures: [lstm], seeds: [0]}]\n")
    _, printed = status("--config", str(mine))

    assert ["finetune", "-", "-", "-", "-", "1", "1"] in [
        line.split() for line in printed.split("\n")
    ]


@pytest.mark.parametrize(
    ("name", "hint"), [("results", "--directory$"), ("monday", "--directory, and call it results")]
)
def test_a_folder_of_results_in_place_of_the_one_that_holds_it_is_named(
    name, hint, folder, tmp_path
):
    folder.make(folder.job("ingest"))
    write_text(folder.root / layout.CONFIG, folder.plan.benchmark.to_yaml())
    (folder.root / "results").rename(tmp_path / name)

    with pytest.raises(SystemExit, match=f"is itself a folder of results.* as {hint}"):
        main(["status", "--directory", str(tmp_path / name)])


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_that_are_none_are_refused(seconds, status):
    assert status("--watch", seconds)[0] == 2
