import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from seqbench.cli.key_tables import config_keys
from seqbench.config.arms import Arm
from seqbench.config.benchmark import Benchmark
from seqbench.config.datasets import built_in_datasets
from seqbench.config.json_schema import json_schema
from seqbench.config.messages import ConfigError
from seqbench.config.registry import ARCHITECTURES, DATASETS, TASKS
from seqbench.plan.job_settings import JobSettings
from seqbench.plan.plan import Plan

GRID = {"datasets": ["waves"], "architectures": ["lstm"]}


def load(**changes):
    return Plan(Benchmark.load({"runs": [GRID]} | changes)).benchmark


def problems(**changes):
    with pytest.raises(ConfigError) as caught:
        load(**changes)
    return caught.value.problems


BAD = yaml.safe_load((Path(__file__).parents[2] / "data/bad_configs.yaml").read_text())


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_a_bad_config_is_an_error_that_names_the_key(case):
    found = problems(**case["config"])

    assert any(case["sentence"] in problem for problem in found), found
    assert all("\n" not in problem for problem in found)


@pytest.mark.parametrize("name", ["=1+2", "+1", "-a", "@sum", "\tx"])
@pytest.mark.parametrize("place", ["datasets", "architectures", "objectives"])
def test_names_of_the_summary_begin_no_formula(place, name):
    entry = {"source": "waves"} if place == "datasets" else {}

    assert any("begin with a letter or digit" in one for one in problems(**{place: {name: entry}}))


def test_all_problems_are_listed_at_once():
    found = problems(finetune={"epocs": 3}, device="gpu", runs=[GRID | {"seeds": [-1]}])

    assert len(found) == 3


def test_of_a_number_among_names_there_is_one_sentence():
    entry = {"source": "folder", "path": "mine", "split": {"val": [1.5, "a"]}}

    (sentence,) = problems(datasets={"mine": entry})

    assert sentence.startswith("datasets.mine.split.val.0: 1.5 is no text; put it in quotes")


@pytest.mark.parametrize(
    ("val", "expected"),
    [
        ("r1", "'r1' is no list; put it in brackets, as [r1]"),
        (1.5, "input should be less than or equal to 1 (got 1.5)"),
    ],
)
def test_of_what_is_neither_a_fraction_nor_a_list_there_is_one_sentence(val, expected):
    entry = {"source": "folder", "path": "mine", "split": {"val": val}}

    assert problems(datasets={"mine": entry}) == [f"datasets.mine.split.val: {expected}"]


def test_numbers_that_yaml_reads_as_text_are_taken():
    benchmark = load(**yaml.safe_load("finetune: {learning_rate: 1e-2}"))

    assert benchmark.finetune.learning_rate == 0.01


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe\x00", "cannot be read"), (b"- a\n- b\n", "holds no keys")],
)
def test_a_file_that_is_no_config_is_refused(tmp_path, content, sentence):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=sentence):
        Benchmark.read(path)


def test_several_files_are_merged_as_snakemake_merges_them(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(
        "runs: [{datasets: [waves], architectures: [lstm]}]\nfinetune: {epochs: 3, batch_size: 8}\n"
    )
    second.write_text(
        "runs: [{datasets: [gun_point], architectures: [gru]}]\nfinetune: {epochs: 4}\n"
    )

    benchmark = Benchmark.read(first, second)

    assert benchmark.runs[0].datasets == ["gun_point"]
    assert (benchmark.finetune.epochs, benchmark.finetune.batch_size) == (4, 8)


def test_options_of_a_task_reach_its_jobs_with_every_default():
    benchmark = load(
        datasets={"mine": {"source": "folder", "path": "x", "task": "detection"}},
        tasks={"detection": {"decoder": "greedy", "offset_weight": 2}},
    )
    jobs = JobSettings(benchmark)
    expected = TASKS.entry("detection").options().model_dump(mode="json")
    expected |= {"decoder": "greedy", "offset_weight": 2.0}

    trained, fitted = (
        jobs.finetune("mine", "lstm", "scratch", 1.0),
        jobs.fit_baseline("mine", "metronome"),
    )

    assert trained.task == fitted.task == jobs.evaluate("mine").task == "detection"
    assert trained.task_options == fitted.task_options == expected
    assert len(expected) > 2
    assert type(trained).from_json(trained.to_json()) == trained


@pytest.mark.parametrize(
    ("entry", "task"),
    [
        ({"source": "waves"}, "classification"),
        ({"source": "mitdb"}, "detection"),
        ({"source": "folder", "path": "x"}, "classification"),
        ({"source": "folder", "path": "x", "task": "detection"}, "detection"),
    ],
)
def test_the_task_of_a_dataset_is_its_own_option_or_that_of_its_source(entry, task):
    assert load(datasets={"mine": entry}).task("mine") == task


def test_built_in_datasets_are_legal():
    for name in built_in_datasets():
        sample = DATASETS.entry(built_in_datasets()[name].source).tags["sample"]
        fitting = [
            key for key in ARCHITECTURES if sample in ARCHITECTURES.entry(key).tags["accepts"]
        ]
        benchmark = load(runs=[GRID | {"datasets": [name], "architectures": fitting[:1]}])
        assert JobSettings(benchmark).ingest(name).source in DATASETS
        assert benchmark.task(name) in TASKS


def test_a_users_dataset_overrides_the_built_in_one():
    benchmark = load(datasets={"waves": {"source": "waves", "n_windows": 40}})

    assert JobSettings(benchmark).ingest("waves").options["n_windows"] == 40


@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": {"gru": {"hidden_size": 3}}},
        {"tasks": {"detection": {"decoder": "greedy"}}},
    ],
)
def test_a_job_depends_on_no_options_of_others(changes):
    before, after = (
        JobSettings(load(**some)).finetune("waves", "lstm", "scratch", 1.0)
        for some in ({}, changes)
    )

    assert after == before


VARIANTS = {
    "lstm": {"hidden_size": 32, "finetune": {"learning_rate": 0.01}},
    "lstm-uni": {"of": "lstm", "bidirectional": False, "pretrain": {"epochs": 2}},
}


def test_a_variant_has_options_of_its_own_and_those_of_nobody_else():
    benchmark = load(runs=[GRID | {"architectures": ["lstm", "lstm-uni"]}], architectures=VARIANTS)
    plain, variant = (
        JobSettings(benchmark).finetune("waves", name, "scratch", 1.0)
        for name in ("lstm", "lstm-uni")
    )

    assert plain.architecture == variant.architecture == "lstm"
    assert plain.architecture_options["bidirectional"]
    assert not variant.architecture_options["bidirectional"]
    assert plain.architecture_options["hidden_size"] == 32
    assert variant.architecture_options["hidden_size"] == 64
    assert {run.architecture for run in Plan(benchmark).trained} == {"lstm", "lstm-uni"}


def test_training_may_differ_by_architecture():
    jobs = JobSettings(load(architectures=VARIANTS, finetune={"epochs": 7}))

    assert jobs.finetune("waves", "lstm", "scratch", 1.0).optimizer.learning_rate == 0.01
    assert jobs.finetune("waves", "lstm", "scratch", 1.0).optimizer.epochs == 7
    assert jobs.finetune("waves", "lstm-uni", "scratch", 1.0).optimizer.learning_rate == 0.001
    assert jobs.pretrain("lstm-uni", "masked").optimizer.epochs == 2


def test_a_variant_of_an_objective_has_arms_of_its_own():
    benchmark = load(
        runs=[GRID | {"arms": ["scratch", "masked-half_probe"]}],
        objectives={"masked-half": {"of": "masked", "mask_fraction": 0.5}},
    )
    job = JobSettings(benchmark).pretrain("lstm", "masked-half")

    assert job.objective == "masked"
    assert job.objective_options["mask_fraction"] == 0.5
    assert "masked-half_finetune" in benchmark.arm_names()


def test_arms_are_read_from_their_names():
    assert Arm.parse("scratch") == Arm(objective=None, frozen=False)
    assert Arm.parse("random_frozen") == Arm(objective=None, frozen=True)
    assert Arm.parse("autoencoder_probe") == Arm(objective="autoencoder", frozen=True)
    assert Arm.parse("autoencoder_finetune") == Arm(objective="autoencoder", frozen=False)
    assert Arm.parse("from_file_probe") == Arm(None, frozen=True, from_file=True)
    other = Arm.parse("timestamp_contrastive_from_a_from_b_finetune")
    assert other == Arm("timestamp_contrastive", frozen=False, dataset="a_from_b")
    assert other.is_pretrained
    assert not Arm.parse("random_frozen").is_pretrained
    assert set(load().arm_names()) >= {"scratch", "autoencoder_probe", "from_file_finetune"}


def test_checking_a_config_imports_nothing_heavy():
    code = (
        "import sys; from seqbench.config.benchmark import Benchmark;"
        "from seqbench.plan.plan import Plan;"
        f"Plan(Benchmark.load({{'runs': [{GRID!r}]}}));"
        "print([m for m in ('torch', 'pandas', 'aeon', 'sklearn', 'numpy') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_schema_for_editors_is_in_step_with_the_models(pytestconfig):
    path = pytestconfig.rootpath / "workflow" / "schemas" / "config.schema.yaml"

    assert yaml.safe_load(path.read_text()) == yaml.safe_load(yaml.safe_dump(json_schema())), (
        "run `make schema`"
    )


def test_the_tables_of_keys_are_in_step_with_the_models(pytestconfig):
    path = pytestconfig.rootpath / "config" / "README.md"

    assert path.read_text(encoding="utf-8") == config_keys(), "run `make schema`"


SHIPPED = [
    "config/config.yaml",
    "tests/data/config.smoke.yaml",
    "benchmarks/gpu.yaml",
    "workflow/benchmarks/events.yaml",
    "workflow/benchmarks/forecasting.yaml",
    "workflow/benchmarks/stress.yaml",
    "workflow/benchmarks/ucr.yaml",
]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_are_valid_and_stay_so_when_every_default_is_written_out(
    pytestconfig, tmp_path, name
):
    root = pytestconfig.rootpath
    benchmark = Benchmark.read(root / "config/config.yaml", root / name)
    written = tmp_path / "config.yaml"
    written.write_text(benchmark.to_yaml())

    assert Plan(Benchmark.read(written)).runs == Plan(benchmark).runs


def test_shipped_configs_fit_the_schema(pytestconfig):
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(json_schema())
    for name in ("config/config.yaml", "tests/data/config.smoke.yaml"):
        schema.validate(yaml.safe_load((pytestconfig.rootpath / name).read_text()))


def test_the_schema_refuses_what_the_models_refuse():
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(json_schema())
    for raw in (
        {"runs": [GRID], "epochs": 3},
        {"runs": [GRID], "architectures": {"lstm": {"hidden": 3}}},
        {"runs": [GRID], "datasets": {"mine": {"source": "wave"}}},
        {"runs": [GRID], "tasks": {"detection": {"decoder": "best"}}},
        {"runs": [GRID], "tasks": {"detecting": {}}},
        {"runs": [GRID], "datasets": {"mine": {"source": "waves", "noize": 1}}},
    ):
        assert not schema.is_valid(raw), raw


@pytest.mark.parametrize(
    ("names", "heading"),
    [
        (["waves"], "waves"),
        (["waves", "sines"], "waves, sines"),
        ([f"d{i}" for i in range(6)], "d0, d1, d2, d3, d4, d5"),
        ([f"d{i}" for i in range(7)], "d0, d1, d2, d3, d4, 2 more"),
    ],
)
def test_a_report_is_called_after_its_datasets_unless_it_has_a_title(names, heading):
    raw = {
        "runs": [{"datasets": [name], "architectures": ["rnn"]} for name in [*names, names[0]]],
        "datasets": {name: {"source": "waves"} for name in names},
    }

    assert Benchmark.load(raw).heading == heading
    assert Benchmark.load(raw | {"title": "Mine"}).heading == "Mine"
