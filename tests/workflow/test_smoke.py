import csv
import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, OBJECTIVES
from seqbench.plan.plan import Plan
from seqbench.storage.model_card import read_card
from seqbench.tasks.metric_names import family_of

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("smoke")]
ROOT = Path(__file__).parents[2]

EXPERTS = {"circus_omp", "wobble"}  # need a package of the extra `experts`


@pytest.fixture(scope="module")
def plan(smoke_config):
    return Plan(Benchmark.read(smoke_config))


def rows(folder):
    with (folder / layout.SUMMARY).open() as file:
        return list(csv.DictReader(file))


DOWNLOADED = {
    "mitdb",
    "ludb",
    "ipol_gait",
    "stress_predict",
    "daily_min_temperatures",
    "diabetes",
    "etth1",
    "mnist",
    "mnist_rows",
    "names",
    "radar",
    "tower_bells",  # from a package of the extra `bells`
}


def test_the_smoke_config_touches_every_registered_name(pytestconfig):
    plan = Plan(Benchmark.read(pytestconfig.rootpath / "tests/data/config.smoke.yaml"))
    used = plan.benchmark.all_datasets
    sources = {used[name].source for name in plan.datasets}

    assert {run.architecture for run in plan.trained} == set(ARCHITECTURES)
    assert {one.objective for one in map(plan.pretraining, plan.trained) if one} == set(OBJECTIVES)
    listed = {*plan.benchmark.baselines, *(run.architecture for run in plan.baselines)}
    assert listed | {*EXPERTS} == set(BASELINES)
    # A folder has runs of its own in test_folder and test_events, and `hybrid` reads one; the
    # others are downloaded.
    assert sources | {"folder", "hybrid", *DOWNLOADED} == set(DATASETS)


def test_every_run_has_a_row_for_every_metric(smoke, plan):
    identities = {
        (row["dataset"], row["architecture"], row["arm"], float(row["labels"]), int(row["seed"]))
        for row in rows(smoke)
        if row["split"] == "test" and row["metric"] in ("accuracy", "f1_at_5ms", "r2", "skill")
    }

    runs = {
        (run.dataset, run.architecture, run.arm, float(run.labels), run.seed) for run in plan.runs
    }
    of_ensembles = identities - runs
    assert runs <= identities
    assert {arm.partition("_ensemble")[1] for _, _, arm, _, _ in of_ensembles} <= {"_ensemble"}
    assert len({dataset for dataset, *_ in of_ensembles}) == len(of_ensembles)


def test_every_dataset_has_a_best_model_whose_card_is_whole(smoke, plan):
    for dataset in plan.base_datasets:
        folder = smoke / layout.BEST.format(dataset=dataset)
        card = read_card(folder)
        assert (card.ensemble is not None) == (len(card.models) > 1)
        assert (folder / "MODEL_CARD.md").is_file()


def test_every_name_in_the_summary_is_documented(smoke):
    documented = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
    metrics, _, costs = documented.partition("### Costs")
    found = {(row["split"] == "cost", row["metric"]) for row in rows(smoke)}

    named = re.findall(r"^\| `(\w+)` \|", costs, re.M)
    on_gpus = {"train_gpu_s", "pretrain_gpu_s"}
    assert {name for is_cost, name in found if is_cost} | on_gpus == set(named)
    assert all(f"| `{family_of(name)[0]}` |" in metrics for is_cost, name in found if not is_cost)


def test_a_number_of_the_summary_is_that_of_its_run(smoke, plan):
    run = plan.trained[0]
    metrics = json.loads((smoke / run.fill(layout.METRICS)).read_text())

    [value] = [
        float(row["value"])
        for row in rows(smoke)
        if (row["dataset"], row["architecture"], row["arm"], row["seed"], row["split"])
        == (run.dataset, run.architecture, run.arm, str(run.seed), "test")
        and float(row["labels"]) == float(run.labels)
        and row["metric"] == "macro_f1"
    ]

    assert value == metrics["scores"]["test"]["macro_f1"]["value"]


def test_folds_share_recordings_and_have_windows_of_their_own(smoke, plan):
    folds = [name for name in plan.datasets if plan.benchmark.base_dataset(name) == "tiny_folds"]

    assert len(folds) == 2
    assert (smoke / layout.RECORDINGS.format(dataset="tiny_folds")).is_file()
    assert not any((smoke / layout.RECORDINGS.format(dataset=name)).exists() for name in folds)
    assert all((smoke / layout.WINDOWS.format(dataset=name)).is_file() for name in folds)
    assert set(folds) <= {row["dataset"] for row in rows(smoke)}


def test_label_draws_of_all_arms_of_a_seed_have_the_same_size(smoke, plan):
    sizes = {
        json.loads((smoke / run.fill(layout.METRICS)).read_text())["n_windows"]["train"]
        for run in plan.trained
        if run.dataset == "tiny_waves" and run.labels == "0.5"
    }

    assert len(sizes) == 1


def test_a_pretrained_encoder_was_transferred_whole(smoke, plan):
    for run in plan.trained:
        manifest = json.loads((smoke / run.fill(layout.TRANSFER)).read_text())
        assert manifest["fraction"] == (1.0 if plan.pretraining(run) else None)


def test_the_page_stands_alone_and_names_every_dataset(smoke, plan):
    page = (smoke / layout.REPORT).read_text()

    assert all(name in page for name in plan.base_datasets)
    assert not re.search(r"""src=["'](?:https?:)?//|<link""", page)
    assert not re.search(r"""<(?!a\s)[^>]*href=["'](?:https?:)?//""", page)  # readers follow `a`


def test_the_merged_config_is_saved_with_the_results(smoke, smoke_config):
    paths = ROOT / "config/config.yaml", smoke_config
    default, own = (yaml.safe_load(path.read_text()) for path in paths)
    names = ("datasets", "architectures", "finetune")
    merged = {name: default[name] | own[name] for name in names}

    assert Benchmark.read(smoke / layout.CONFIG) == Benchmark.load(default | own | merged)


def test_a_second_run_does_nothing(smoke, smoke_config, snakemake):
    done = snakemake("--dry-run", folder=smoke, config=smoke_config)

    assert done.jobs == {}


def test_no_process_is_left_behind(smoke):
    left = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if b"seqbench.process.fork_server" in (process / "cmdline").read_bytes()
        and (process / "cwd").readlink() == smoke
    ]

    assert left == []


def test_the_report_of_snakemake_carries_page_and_figures(smoke, smoke_config, snakemake, tmp_path):
    report = tmp_path / "report.html"

    done = snakemake("--report", report, folder=smoke, config=smoke_config)

    assert done.returncode == 0, done.output[-3000:]
    page = report.read_text()
    assert "learning_curves.svg" in page
    assert "report.html" in page


def test_the_report_of_snakemake_as_an_archive_holds_the_page_as_it_is(
    smoke, smoke_config, snakemake, tmp_path
):
    archive = tmp_path / "report.zip"

    done = snakemake("--report", archive, folder=smoke, config=smoke_config)

    assert done.returncode == 0, done.output[-3000:]
    with ZipFile(archive) as opened:
        files = {name.removeprefix("report/"): name for name in opened.namelist()}
        [page] = [name for name in files if re.fullmatch(r"data/raw/\w+/report\.html", name)]
        assert opened.read(files[page]) == (smoke / layout.REPORT).read_bytes()
        assert page in opened.read(files["report.html"]).decode()
        assert any(name.endswith("/leaderboard.svg") for name in files)
