"""Edits of config and code re-run what depends on them and nothing else."""

import pytest
import yaml

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.plan.plan import Plan, Run

pytestmark = pytest.mark.workflow


def grid_of(raw, dataset):
    """Return the first entry of `runs` that has a dataset."""
    return next(grid for grid in raw["runs"] if dataset in grid["datasets"])


def test_options_of_an_architecture_rerun_its_own_runs(replanned):
    def change(raw):
        raw["architectures"]["gru"] = {"hidden_size": 4}

    assert replanned(change) == {"all": 1, "finetune": 1, "evaluate": 1, "best": 1, "report": 1}


def test_options_of_fine_tuning_spare_pretraining_and_baselines(replanned):
    def change(raw):
        raw["finetune"]["weight_decay"] = 0.5

    assert replanned(change) == {"all": 1, "finetune": 49, "evaluate": 49} | {
        "best": 12,
        "report": 1,
    }


def test_options_of_a_dataset_rerun_that_dataset(replanned):
    def change(raw):
        raw["datasets"]["tiny_airline"]["split"]["val"] = 0.25
        raw["datasets"]["tiny_sines"]["n_samples"] = 21

    jobs = replanned(change)

    assert (jobs["ingest"], jobs["window"]) == (1, 2)
    assert (jobs["pretrain"], jobs["finetune"]) == (2, 6)


def test_a_new_seed_trains_that_seed(replanned):
    def change(raw):
        grid_of(raw, "japanese_vowels")["seeds"] = [0, 1]

    jobs = replanned(change)

    assert jobs["finetune"] == 2
    assert jobs["ingest"] == jobs["window"] == 0


def test_what_only_the_page_and_the_card_of_the_data_show_reruns_these(replanned):
    def change(raw):
        raw["title"] = "another"
        raw["device"] = "cpu"
        raw["tensorboard"] = True
        raw["architectures"]["lstm"]["bidirectional"] = True  # the default
        raw["datasets"]["tiny_waves"] |= {"licence": "CC0", "citation": "Nobody (2026)."}

    assert replanned(change) == {"all": 1, "best": 1, "report": 1}


CONFIG = {
    "runs": [
        {"datasets": ["tiny"], "architectures": ["cnn1d"], "seeds": [0]},
        {
            "datasets": ["strikes"],
            "architectures": ["event_rnn"],
            "arms": ["autoencoder_probe"],
            "seeds": [0],
        },
    ],
    "baselines": ["majority", "metronome"],
    "datasets": {
        "tiny": {"source": "waves", "n_windows": 40, "window_samples": 20},
        "strikes": {
            "source": "strikes_windows",
            **{"n_train": 16, "n_val": 8, "n_test": 8, "n_types": 2, "probability": 0.6},
        },
    },
    "architectures": {
        "cnn1d": {"widths": [4, 4, 4]},
        "event_rnn": {"widths": [4, 4], "hidden_size": 4},
    },
    "pretrain": {"epochs": 1, "min_steps_per_epoch": 1},
    "finetune": {"epochs": 1, "min_steps_per_epoch": 1},
    "tensorboard": False,
}


@pytest.fixture(scope="module")
def carried_out(snakemake, copy_checkout, tmp_path_factory):
    """Run all but the report from a copy of the checkout, whose code tests edit."""
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout"))
    folder = tmp_path_factory.mktemp("run")

    scores = [run.fill(layout.METRICS) for run in Plan(Benchmark.load(CONFIG)).runs]

    def run(*options, more=(), **changes):
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(CONFIG | changes))
        targets = [*scores, *more]
        snakefile = checkout / "workflow/Snakefile"
        return snakemake(
            *options, "--", *targets, folder=folder, config=config, snakefile=snakefile
        )

    done = run()
    assert done.returncode == 0, done.output[-4000:]
    run.source = checkout / "src" / "seqbench"
    return run


@pytest.fixture
def edit(carried_out):
    """Return a function that edits a module of the checkout until the end of the test.

    It replaces a text, or adds a statement at the end.
    """
    original = {}

    def change(module, before=None, after=None):
        path = carried_out.source / module
        text = path.read_text()
        original.setdefault(path, text)
        if before is None:
            path.write_text(f"{text}\nEDITED = 1\n")
        else:
            assert before in text
            path.write_text(text.replace(before, after, 1))

    yield change
    for path, text in original.items():
        path.write_text(text)


def test_comments_descriptions_versions_and_other_modules_rerun_nothing(carried_out, edit):
    edit("training/schedule.py", '"""', '# Why so.\n"""Another sentence. ')
    edit("config/stages.py", 'description="', 'description="In other words: ')
    edit("__init__.py", '__version__ = "', '__version__ = "9')
    edit("datasets/sine.py")
    edit("models/transformer.py")

    assert carried_out("--dry-run").jobs == {}


def test_the_schedule_reruns_trainings_and_their_scores(carried_out, edit):
    edit("training/schedule.py")

    assert carried_out("--dry-run").jobs == {"pretrain": 1, "finetune": 2, "evaluate": 2}


def test_code_that_is_edited_while_it_runs_makes_no_result_before_the_next_start(
    snakemake, copy_checkout, edit_while_it_runs, tmp_path
):
    checkout = copy_checkout(tmp_path / "checkout")
    edit_while_it_runs(checkout)
    metrics = Plan(Benchmark.load(CONFIG)).runs[0].fill(layout.METRICS)

    def run(*options):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(CONFIG))
        snakefile = checkout / "workflow/Snakefile"
        return snakemake(*options, "--", metrics, folder=tmp_path, config=path, snakefile=snakefile)

    done = run()

    assert done.returncode == 0, done.output[-4000:]
    assert run("--dry-run").jobs == {"finetune": 1, "evaluate": 1}


NEW = {
    "tasks/classification/errors.py": '''"""One more metric."""

from seqbench.config.registry import METRICS


@METRICS.register("errors", tasks=("classification",), better="lower", order=7)
def errors(predictions, weights):
    """Fraction of the windows whose class is wrong."""
    return 0.0
''',
    "models/averaging.py": '''"""One more family."""

from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder


@ARCHITECTURES.register("averaging", accepts=("series",))
class AveragingEncoder(Encoder):
    """The windows themselves."""
''',
}


def test_a_new_metric_is_scored_without_training_and_a_new_architecture_trains_alone(carried_out):
    grid = {"datasets": ["tiny"], "architectures": ["averaging"], "seeds": [0]}
    score = Run("tiny", "averaging", "scratch", "1", 0).fill(layout.METRICS)
    modules = {carried_out.source / name: text for name, text in NEW.items()}
    for path, text in modules.items():
        path.write_text(text)
    try:
        jobs = carried_out("--dry-run", more=[score], runs=[*CONFIG["runs"], grid]).jobs
    finally:
        for path in modules:
            path.unlink()

    assert jobs == {"finetune": 1, "evaluate": 2 + 1}
