from collections import Counter

import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.gpus import PER_NODE
from seqbench.plan.plan import Plan
from seqbench.plan.workflow_jobs import jobs_of

pytestmark = pytest.mark.workflow


def test_a_bare_snakemake_plans_every_run_of_the_shipped_config(snakemake, copy_checkout, tmp_path):
    checkout = copy_checkout(tmp_path / "checkout")

    done = snakemake("--dry-run", folder=checkout, snakefile=None)

    assert done.jobs == {
        "all": 1,
        "ingest": 8,
        "window": 8,
        "pretrain": 2 * 2 * 3,
        "finetune": 3 * 5 * 3 + 2 * 2 * 2 * 3 + (1 + 1 + 2 + 2 + 1) * 3 + 1,
        "fit_baseline": 3 * (1 + 3 + 1) + 3 + 1 + 1 + 3 + 2,
        "evaluate": 91 + 25,
        "best": 8,
        "report": 1,
    }


def test_jobs_share_the_memory_by_the_cores_that_snakemake_may_use(snakemake, tmp_path):
    config = tmp_path / "config.yaml"
    runs = "runs: [{datasets: [waves], architectures: [lstm]}]\n"
    for limit, expected in {"auto": "auto/3", "4GB": "4GB"}.items():
        config.write_text(f"{runs}memory_limit: {limit}\n")

        done = snakemake(
            "--dry-run", "--printshellcmds", "--cores=3", folder=tmp_path, config=config
        )

        assert done.output.count("--memory-limit ") == done.output.count(
            f"--memory-limit {expected} "
        )
        assert f"--memory-limit {expected} " in done.output


def test_more_gpus_than_this_machine_has_are_refused_whatever_the_nodes_of_a_cluster_have(
    snakemake, tmp_path, monkeypatch
):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv(PER_NODE, "16")
    config = tmp_path / "config.yaml"
    runs = "runs: [{datasets: [waves], architectures: [lstm]}]\n"
    config.write_text(f"{runs}finetune: {{gpus: 32}}\n")

    done = snakemake(folder=tmp_path, config=config)

    assert done.returncode != 0
    assert "`gpus: 32` for one training, and" in done.output
    assert "Traceback" not in done.output


def test_a_checkout_with_braces_in_its_path_is_refused_in_a_sentence(
    copy_checkout, snakemake, tmp_path
):
    checkout = copy_checkout(tmp_path / "with {braces}")

    done = snakemake("--dry-run", folder=tmp_path, snakefile=checkout / "workflow/Snakefile")

    assert done.returncode != 0
    assert "with {braces}: Snakemake takes braces for wildcards; rename the folder" in done.output
    assert "Traceback" not in done.output


def test_a_checkout_with_a_colon_in_its_path_runs_its_own_code(copy_checkout, snakemake, tmp_path):
    checkout = copy_checkout(tmp_path / "with:colon")
    module = checkout / "src/seqbench/datasets/waves.py"
    module.write_text(module.read_text() + "\nprint('read from this checkout')\n")
    config = tmp_path / "config.yaml"
    config.write_text("runs: [{datasets: [waves], architectures: [lstm]}]\n")
    target = layout.RECORDINGS.format(dataset="waves")

    done = snakemake(
        "--", target, folder=tmp_path, config=config, snakefile=checkout / "workflow/Snakefile"
    )

    assert done.returncode == 0, done.output[-3000:]
    log = tmp_path / layout.log("ingest").format(dataset="waves")
    assert "read from this checkout" in log.read_text()


def test_baselines_that_run_on_no_dataset_are_named_before_any_job(snakemake, tmp_path):
    config = tmp_path / "config.yaml"
    runs = "runs: [{datasets: [strikes_windows], architectures: [event_rnn]}]"
    config.write_text(f"{runs}\nbaselines: [metronome, xqrs]\n")

    done = snakemake("--dry-run", folder=tmp_path, config=config)

    assert done.returncode == 0, done.output[-3000:]
    assert "baseline 'xqrs' runs on no dataset: it needs 'ecg'" in done.output
    assert "'metronome'" not in done.output
    assert done.jobs["fit_baseline"] == 1


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("finetune: {epocs: 3}\n", "finetune.epocs: no such key; did you mean 'epochs'?"),
        (
            "title: one\nbaselines: []\ntitle: two\n",
            "CONFIG, line 3: the key 'title' is given already in line 1",
        ),
    ],
)
def test_a_bad_config_is_refused_before_anything_is_planned(snakemake, tmp_path, config, sentence):
    path = tmp_path / "config.yaml"
    path.write_text(config)

    done = snakemake("--dry-run", folder=tmp_path, config=path)

    assert done.returncode == 1
    assert sentence.replace("CONFIG", str(path)) in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("n_seeds", [5, pytest.param(125, marks=pytest.mark.full)])
def test_many_runs_are_planned_and_replace_those_of_the_default(planned, n_seeds):
    grid = {
        "datasets": ["tiny"],
        "architectures": ["cnn1d", "rnn", "lstm", "gru", "cnn_lstm"],
        "arms": ["scratch", "autoencoder_finetune"],
        "labels": [0.1, 0.2, 0.5, 1.0],
        "seeds": list(range(n_seeds)),
    }
    tiny = {"source": "waves", "n_windows": 80, "window_samples": 20}

    jobs = planned({"runs": [grid], "baselines": ["majority"], "datasets": {"tiny": tiny}})

    count = Counter(job.rule for job in jobs)
    assert (count["finetune"], count["fit_baseline"], count["ingest"]) == (40 * n_seeds, 1, 1)


def test_a_new_run_is_planned_beside_results_that_snakemake_has_no_records_of(
    workflow, pytestconfig
):
    empty = workflow("--dry-run").jobs
    configs = pytestconfig.rootpath / "config/config.yaml", workflow.folder / "config.yaml"
    grid = {"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]}
    for job in jobs_of(Plan(Benchmark.read(*configs))):
        for path in map(workflow.folder.joinpath, job.outputs):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    done = workflow("--dry-run", runs=[grid | {"seeds": [0, 1]}])

    assert empty["finetune"] == 1
    assert done.jobs == {"all": 1, "finetune": 1, "evaluate": 1, "best": 1, "report": 1}


def test_a_typing_error_in_the_arm_of_a_target_plans_nothing(workflow):
    run = {"dataset": "tiny", "architecture": "cnn1d", "labels": "1", "seed": 0}

    done = workflow("--dry-run", layout.MODEL.format(arm="scratchy", **run))

    assert "No rule to produce" in done.output
