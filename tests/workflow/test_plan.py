import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.workflow


def test_the_shipped_config_plans_every_run_of_its_grids(snakemake, tmp_path):
    done = snakemake("--dry-run", folder=tmp_path)

    assert done.jobs == {
        "all": 1,
        "ingest": 8,
        "window": 8,
        "pretrain": 2 * 2 * 3,
        "finetune": 3 * 5 * 3 + 2 * 2 * 2 * 3 + (1 + 1 + 2 + 2 + 2) * 3,
        "fit_baseline": 3 * (1 + 3 + 1) + 3 + 1 + 1 + 3 + 1,
        "evaluate": 93 + 24,
        "report": 1,
    }


def test_a_bare_snakemake_works_in_a_checkout(copy_checkout, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--quiet"],
        capture_output=True,
        text=True,
        cwd=copy_checkout(tmp_path / "checkout"),
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_a_second_config_replaces_the_lists_of_the_default(workflow):
    done = workflow("--dry-run")

    assert done.jobs["finetune"] == 1
    assert done.jobs["fit_baseline"] == 1


def test_a_bad_config_is_refused_before_anything_is_planned(workflow):
    done = workflow("--dry-run", finetune={"epocs": 3})

    assert done.returncode == 1
    assert "finetune.epocs: no such key; did you mean 'epochs'?" in done.output
    assert "Traceback" not in done.output
    assert not (workflow.folder / "results").exists()


def test_a_key_given_twice_is_refused_before_anything_is_planned(snakemake, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("title: one\nbaselines: []\ntitle: two\n")

    done = snakemake("--dry-run", folder=tmp_path, config=config)

    assert done.returncode != 0
    said = " ".join(done.output.split())
    assert f"{config}, line 3: the key 'title' is given already in line 1" in said
    assert "Traceback" not in done.output


def test_five_thousand_runs_are_planned(workflow):
    grid = {
        "datasets": ["tiny"],
        "architectures": ["cnn1d", "rnn", "lstm", "gru", "cnn_lstm"],
        "arms": ["scratch", "autoencoder_finetune"],
        "labels": [0.1, 0.2, 0.5, 1.0],
        "seeds": list(range(125)),
    }

    done = workflow("--dry-run", "--quiet", "rules", runs=[grid])

    assert done.jobs["finetune"] == 5000


def test_module_users_get_the_whole_workflow(snakemake, pytestconfig, tmp_path):
    root = pytestconfig.rootpath
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(
        f'module seqbench:\n    snakefile: "{root / "Snakefile"}"\n'
        f"    config: {yaml.safe_load((root / 'config.yaml').read_text())!r}\n"
        "use rule * from seqbench as seqbench_*\n"
        "rule everything:\n    default_target: True\n    input: rules.seqbench_all.input\n"
    )

    done = snakemake("--dry-run", folder=tmp_path, snakefile=snakefile)

    assert done.returncode == 0, done.output[-3000:]
    assert done.jobs["seqbench_finetune"] == 93
