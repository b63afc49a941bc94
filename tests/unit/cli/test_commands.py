"""The commands without files of their own, and the parser that all share."""

import subprocess
import sys
from importlib import import_module

import pytest
import yaml

from seqbench.cli.main import COMMANDS, main
from seqbench.config.datasets import built_in_datasets
from seqbench.config.registry import REGISTRIES


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])

    summary = import_module(f"seqbench.cli.{name}").__doc__.splitlines()[0]
    assert summary in " ".join(capsys.readouterr().out.split())


def test_every_command_is_listed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    first_words = [line.split()[:1] for line in capsys.readouterr().out.splitlines()]
    assert all([name] in first_words for name in COMMANDS)


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["predicts"])

    shown = capsys.readouterr().err
    assert all(name in shown for name in ("'predicts'", *COMMANDS))


def test_a_command_imports_no_other_one():
    code = (
        "import sys\n"
        "from seqbench.cli.main import COMMANDS, main\n"
        "main(['snakefile'])\n"
        "assert not {'pydantic', 'numpy', 'yaml'} & set(sys.modules)\n"
        "print(*(one for one in COMMANDS if f'seqbench.cli.{one}' in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "snakefile"


def test_the_package_runs_as_the_script_does():
    done = subprocess.run(
        [sys.executable, "-m", "seqbench.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("seqbench") or done.stdout[0].isdigit()


def test_list_shows_every_name_and_option(capsys):
    main(["list"])

    shown = capsys.readouterr().out
    for registry in REGISTRIES:
        for name in registry:
            assert f"  {name} " in shown
            assert all(option in shown for option in registry.entry(name).options.model_fields)
    assert all(name in shown for name in built_in_datasets())
    assert "searched under `tune`: longest [2, 3, 4, 5, 6], inverse_penalty 0.1 to 100" in shown


def test_check_counts_the_runs_of_a_config(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [waves], architectures: [lstm, gru], seeds: [0, 1]}]\n"
        "baselines: [majority]\n"
    )

    main(["check", str(config)])

    assert "4 models to train, 1 baselines to fit" in capsys.readouterr().out


def test_check_counts_the_trials_of_a_search(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [waves, gun_point], architectures: [lstm, gru], seeds: [0]}]\n"
        "baselines: [majority, minirocket]\n"
        "tune: {trials: 6}\n"
        "architectures: {gru: {tune: {trials: 0}}}\n"
    )

    main(["check", str(config), "--no-data"])

    shown = capsys.readouterr().out
    assert "20 trials of options; of each dataset or fold: lstm 6, minirocket 4" in shown


def test_check_names_the_baselines_that_run_on_no_dataset(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [own], architectures: [cnn1d]}]\n"
        "baselines: [xqrs]\n"
        "datasets: {own: {source: folder, path: own, task: detection}}\n"
    )

    main(["check", str(config), "--no-data"])

    shown = capsys.readouterr().out
    assert "3 models to train, 0 baselines to fit" in shown
    assert "'xqrs' does not run on dataset 'own': it needs 'ecg'; set `datasets.own.ecg`" in shown


def test_check_refuses_a_bad_config_in_a_sentence(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("runs: [{datasets: [wavs], architectures: [lstm]}]\n")

    with pytest.raises(SystemExit) as left:
        main(["check", str(config)])

    assert "unknown dataset 'wavs'; did you mean 'waves'?" in str(left.value)


def test_schema_prints_what_editors_need(capsys):
    main(["schema"])

    schema = yaml.safe_load(capsys.readouterr().out)
    assert schema["properties"]["finetune"]
    assert "hidden_size" in str(schema)


@pytest.mark.parametrize("number", [0, 1])
def test_the_page_so_far_replaces_no_config(number, tmp_path):
    configs = [tmp_path / "config.yaml", tmp_path / "mine.yaml"]
    for config in configs:
        config.write_text("runs: [{datasets: [waves], architectures: [lstm]}]\n")

    with pytest.raises(SystemExit, match="is the file given as --config"):
        main(["report", "--config", *map(str, configs), "--out", str(configs[number])])


def test_a_comparison_replaces_no_summary(tmp_path):
    summary = tmp_path / "before.csv"
    summary.write_text("")

    with pytest.raises(SystemExit, match="is the file given as RESULTS_A"):
        main(["compare", str(summary), str(tmp_path), "--out", str(summary)])
