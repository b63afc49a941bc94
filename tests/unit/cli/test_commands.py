"""The commands without files of their own, and the parser that all share."""

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import pytest
import yaml

from fixtures.documents import ROOT, blocks, commands
from seqbench import __version__
from seqbench.cli import main as of_main
from seqbench.cli.exit_codes import EVERY_COMMAND
from seqbench.cli.main import COMMANDS, main, parse

MODULES = {name: import_module(f"seqbench.cli.{name}") for name in COMMANDS}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = sorted(
    {
        re.split(r" [|<>&] ?", line.partition("$(")[0])[0].strip()
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for line in commands(replace(block, text=block.text.replace("\\\n", " ")))
        if line.startswith("seqbench ")
    }
)
EXAMPLES = [
    example for module in (of_main, *MODULES.values()) for example in module.EXAMPLES
]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])

    shown = " ".join(capsys.readouterr().out.split())
    module = MODULES[name]
    assert module.__doc__.splitlines()[0] in shown
    assert all(f"{example} {meaning}" in shown for example, meaning in module.EXAMPLES.items())
    codes = EVERY_COMMAND | getattr(module, "EXIT_CODES", {})
    assert all(f"{code} {meaning}" in shown for code, meaning in codes.items())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_command_line(example):
    _, _, command = example.rpartition("| ")
    words = shlex.split(command.partition(" >")[0])
    if words[0] != "seqbench":
        assert words[0] == "snakemake"
    elif words[-1] == "--help":
        with pytest.raises(SystemExit, match="0"):
            parse(words[1:])
    else:
        assert parse(words[1:]).run is MODULES[words[1]].run


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_of_a_page_is_a_command_line(line):
    words = shlex.split(line, comments=True)
    assert parse(words[words.index("seqbench") + 1 :])


def test_help_of_all_commands_imports_none_of_them():
    code = (
        "import sys\n"
        "from seqbench.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'pydantic', 'numpy', 'yaml'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_help_of_a_command_needs_no_torch():
    code = (
        "import sys\n"
        "from seqbench.cli.main import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    try: main([name, '--help'])\n"
        "    except SystemExit: pass\n"
        "print(sorted({'torch', 'sklearn', 'matplotlib', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_is_listed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    first_words = [line.split()[:1] for line in capsys.readouterr().out.splitlines()]
    assert all([name] in first_words for name in COMMANDS)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("predicts", "unknown command 'predicts'; did you mean 'predict'?"),
        ("stats --watch 3", "unknown command 'stats'; did you mean 'status'?"),
        ("fly", f"known are {', '.join(sorted(['--version', *COMMANDS]))}"),
        ("version", "unknown command 'version'; did you mean '--version'?"),
        ("--vesion", "unknown option '--vesion'; did you mean '--version'?"),
        ("status --wacth 3", "unknown option '--wacth'; did you mean '--watch'?"),
        ("predict --modle m", "unknown option '--modle'; did you mean '--model'?"),
        ("status --watch soon", "argument --watch: soon is no number above 0"),
        ("status now", "seqbench status: error: unknown argument: now"),
        ("run", "the following arguments are required: CONFIG\n"),
        ("run --cores 4 mine.yaml", "options of Snakemake stand behind CONFIG"),
    ],
)
def test_a_wrong_command_line_is_refused_with_what_was_meant(line, hint, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(line.split())

    assert hint in capsys.readouterr().err


def test_a_short_form_of_an_option_is_known():
    assert str(parse(["status", "--dir", "bells"]).arguments["directory"]) == "bells"


def test_options_of_snakemake_are_passed_on():
    call = parse(["run", "mine.yaml", "--cores", "4", "--whatever", "-n"])

    assert call.arguments["options"] == ["--cores", "4", "--whatever", "-n"]


def test_without_a_command_help_is_shown_as_by_its_name(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    shown = capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["help"])

    assert shown == capsys.readouterr().out


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

    assert done.stdout == f"seqbench {__version__}\n"


def test_check_counts_the_runs_of_a_config(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [waves], architectures: [lstm, gru], seeds: [0, 1]}]\n"
        "baselines: [majority]\n"
    )

    main(["check", str(config)])

    assert "4 models to train, 1 baseline to fit" in capsys.readouterr().out


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


def test_check_says_how_many_trials_go_on_by_halving(tmp_path, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "runs: [{datasets: [waves], architectures: [lstm], seeds: [0]}]\n"
        "baselines: [minirocket]\n"
        "tune: {trials: 16, method: halving}\n"
    )

    main(["check", str(config), "--no-data"])

    shown = capsys.readouterr().out
    assert "20 trials of options" in shown
    assert "lstm 16 (the best 5, then 1 go on), minirocket 4" in shown


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
