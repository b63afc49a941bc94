"""How a config becomes a call of Snakemake."""

import pytest

from seqbench.cli import run as command_run
from seqbench.cli.main import main
from seqbench.pipeline import DEFAULT_CONFIG, PROFILES, SNAKEFILE


@pytest.fixture
def called(monkeypatch, tmp_path):
    """Return a function that runs `seqbench run mine.yaml`, and returns what Snakemake is given."""
    (tmp_path / "mine.yaml").write_text("runs: [{datasets: [waves], architectures: [lstm]}]\n")
    (tmp_path / "wrong.yaml").write_text("runs: [{datasets: [wavs], architectures: [lstm]}]\n")
    (tmp_path / "short.yaml").write_text("finetune: {epochs: 2}\n")
    monkeypatch.chdir(tmp_path)
    calls = []
    monkeypatch.setattr(command_run.os, "execv", lambda _, words: calls.append(words))

    def call(*options):
        main(["run", "mine.yaml", *options])
        return calls.pop()[3:]

    return call


def test_options_behind_the_config_are_passed_on(called):
    own = ["--snakefile", str(SNAKEFILE), "--configfile", "mine.yaml"]

    assert called() == own
    assert called("-n", "--cores", "4", "results/summary.csv") == [
        *own, "-n", "--cores", "4", "results/summary.csv"
    ]  # fmt: skip


def test_configs_are_merged_in_turn(called):
    assert called("short.yaml", "-n")[2:] == ["--configfile", "mine.yaml", "short.yaml", "-n"]
    with pytest.raises(SystemExit, match="unknown dataset 'wavs'"):
        called("wrong.yaml")


@pytest.mark.parametrize("options", [["--profile", "slurm"], ["--profile=slurm"]])
def test_a_profile_of_the_package_replaces_its_default_one(called, options):
    assert called(*options)[4:] == ["--workflow-profile", str(PROFILES / "slurm")]


def test_a_profile_of_the_user_is_passed_on(called):
    assert called("--profile", "my_cluster", "-n")[4:] == ["--profile", "my_cluster", "-n"]


def test_a_missing_config_is_refused_with_the_command_that_writes_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(
        SystemExit, match=r"mine\.yaml: no such file or folder; `seqbench init FOLDER`"
    ):
        main(["run", "mine.yaml"])


def test_a_name_that_is_nearly_that_of_a_config_and_a_folder_are_refused_with_what_helps(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "doors.yaml").touch()
    (tmp_path / "bells").mkdir()

    with pytest.raises(SystemExit, match=r"door\.yaml: .*; did you mean 'doors\.yaml'\?"):
        main(["run", "door.yaml"])
    with pytest.raises(SystemExit, match="bells: is a folder; `seqbench init bells` writes"):
        main(["check", "bells"])


def test_an_invalid_config_is_refused_before_snakemake_starts(called, tmp_path):
    (tmp_path / "mine.yaml").write_text("runs: [{datasets: [wavs], architectures: [lstm]}]\n")

    with pytest.raises(SystemExit, match="unknown dataset 'wavs'; did you mean 'waves'"):
        called()


def test_the_snakefile_is_that_of_the_clone(pytestconfig, capsys):
    main(["snakefile"])

    root = pytestconfig.rootpath.resolve()
    assert capsys.readouterr().out == f"{root / 'workflow/Snakefile'}\n"
    assert root / "config/config.yaml" == DEFAULT_CONFIG
