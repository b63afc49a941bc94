"""The folder of the model that val selects."""

import json
import os
import re
from pathlib import Path

import pytest

from fixtures.results import write_models
from seqbench import layout
from seqbench.errors import UserError
from seqbench.plan.plan import Plan
from seqbench.reporting.page.assembly import assemble
from seqbench.reporting.page.handover import hand_over, remove_others
from seqbench.reporting.page.model_card import _limits_of_input
from seqbench.storage.metrics import Score
from seqbench.storage.model_card import Ensemble, read_card
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.normalization import NormalizationRecord
from seqbench.storage.records import RunIdentity
from seqbench.storage.targets import TargetsRecord

SCORES = {split: {"accuracy": Score(value=0.95, low=0.9, high=1.0)} for split in ("val", "test")}


@pytest.fixture
def finished(write_results, config):
    """Return a function that writes finished runs, `gru` ahead on val, and returns their plan."""

    def write(datasets=None, **grid):
        names = {"datasets": list(datasets)} if datasets else {}
        own = datasets if isinstance(datasets, dict) else {}
        raw = config(("majority", "minirocket"), architectures=["cnn1d", "gru"], **names, **grid)
        plan = write_results(
            raw | {"datasets": own},
            skill=lambda run: (
                {"gru": 0.9, "minirocket": 0.8}.get(run.architecture, 0.6)
                + 0.05 * run.dataset.endswith("fold2")
            ),
        )
        write_models(plan)
        return plan

    return write


class Evaluated:
    """Stands for the ensemble; keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[Path], Path]] = []
        self.refits: list[Path] = []

    def __call__(self, models: list[Path], windows: Path, refits: list[Path]) -> Ensemble:
        self.calls.append((models, windows))
        self.refits += refits
        return Ensemble(tuned={"some": 1}, scores=SCORES)


def handed_over(plan: Plan, dataset: str = "waves") -> tuple[Path, Evaluated]:
    folder, evaluate = Path(layout.BEST.format(dataset=dataset)), Evaluated()
    hand_over(plan, Path(), dataset, folder, evaluate)
    return folder, evaluate


def test_the_folder_holds_all_seeds_of_the_model_selected_on_val_and_the_best_baseline(finished):
    folder, evaluate = handed_over(finished())

    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "MODEL_CARD.md",
        "model_card.json",
        "baseline/model.safetensors",
        *(f"seed{seed}/model.safetensors" for seed in range(3)),
    }
    for seed in range(3):
        run = read_model(folder / f"seed{seed}" / "model.safetensors").header.run
        assert (run.architecture, run.seed) == ("gru", seed)
    assert read_model(folder / "baseline/model.safetensors").header.baseline == "minirocket"
    [(models, windows)] = evaluate.calls
    assert [path.parent.name for path in models] == ["seed0", "seed1", "seed2"]
    assert windows == Path(layout.WINDOWS.format(dataset="waves"))


def test_the_card_states_scores_with_what_stands_beside_them(finished):
    folder, _ = handed_over(finished())
    card = read_card(folder)

    assert (card.model, card.task, card.headline) == ("gru · scratch", "classification", "accuracy")
    [accuracy] = [one for one in card.scores if one.metric == "accuracy"]
    assert (accuracy.mean, accuracy.val) == (pytest.approx(0.9), pytest.approx(0.9))
    assert (accuracy.floor, accuracy.baseline) == (pytest.approx(0.6), pytest.approx(0.8))
    assert accuracy.low < 0.9 < accuracy.high
    assert accuracy.ceiling is None
    assert card.ensemble.tuned == {"some": 1}
    # Seconds of three seeds of `gru`, as its results have them.
    assert card.costs["train_s"] == pytest.approx(3.0 * 4**1.5 + 1)
    assert card.inputs["units"] == ["mV", "mV", "g"]
    assert card.command == "seqbench predict --model results/best/waves --recording FILE"
    assert "0.5, 0.5, 4 around 1, 2, 3, channel by channel" in " ".join(card.limits)


def test_the_text_of_the_card_holds_no_escaped_command_and_every_number(finished):
    folder, _ = handed_over(finished())
    text = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")

    assert "\nseqbench predict --model results/best/waves --recording FILE\n" in text
    assert "\nseqbench predict --model results/best/waves/baseline --recording FILE\n" in text
    assert "| training | 25.0 s |" in text
    assert "| units | mV, mV, g |" in text
    assert "| window | a whole recording; in train of at most 100 samples, 2 s |" in text
    assert "| accuracy | 0.900 ± 0.000 |" in text
    assert "| accuracy | 0.950 | \\[0.900, 1.000\\] |" in text
    json.loads(text.split("```json\n")[1].split("```")[0])


@pytest.mark.parametrize(
    ("log", "differences", "words"),
    [(False, (), "around 1"), (True, (), "after the transform"), (False, (12,), "after the")],
)
def test_the_scale_of_a_transformed_signal_is_called_so(log, differences, words):
    record = NormalizationRecord(mode="zscore", centre=(1.0,), scale=(0.5,))
    transform = {"log": log, "difference_samples": list(differences)}
    targets = {"names": ["x"], "units": [""], "normalization": record.model_dump()}
    header = ModelHeader(
        run=RunIdentity(dataset="d", architecture="lstm", arm="scratch", labels=1.0, seed=0),
        task="forecasting",
        architecture="lstm",
        architecture_options={},
        channels=("x",),
        classes=(),
        window_samples=13,
        normalization=record,
        targets=TargetsRecord.of_json(targets | {"transform": transform}),
    )

    [_, scale] = _limits_of_input(header)

    assert words in scale
    assert ("transform" in scale) == (log or bool(differences))


def row_of_ensemble(page: str) -> str:
    """Return the text of the row of the mean over seeds, "" where there is none."""
    found = re.search(r'<tr class="ensemble">(.*?)</tr>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""


@pytest.mark.usefixtures("without_figures")
def test_the_mean_over_seeds_is_a_row_of_the_page_and_a_run_of_the_summary(finished):
    plan = finished()
    before = assemble(plan, Path())
    handed_over(plan)
    after = assemble(plan, Path())

    assert row_of_ensemble(before.page) == ""
    row = row_of_ensemble(after.page)
    assert row.startswith("gru scratch, mean of 3 seeds 0.950 0.950 [0.900, 1.000] +0.150 [")
    assert row.endswith("1 ensemble tie")
    added = set(after.summary.splitlines()) - set(before.summary.splitlines())
    assert added == {
        "waves,gru,scratch_ensemble,1.0,0,test,accuracy,0.95",
        "waves,gru,scratch_ensemble,1.0,0,val,accuracy,0.95",
    }
    assert len(after.summary.splitlines()) == len(before.summary.splitlines()) + 2


@pytest.mark.usefixtures("without_figures")
def test_a_mean_older_than_its_runs_or_of_other_runs_is_no_row(finished):
    plan = finished()
    folder, _ = handed_over(plan)
    run = next(run for run in plan.trained if run.architecture == "gru")
    later = (folder / "model_card.json").stat().st_mtime + 60
    os.utime(run.fill(layout.METRICS), (later, later))
    assert row_of_ensemble(assemble(plan, Path()).page) == ""

    handed_over(finished(seeds=[0, 1]))
    of_three = finished(seeds=[0, 1, 2])
    for run in of_three.runs:
        os.utime(run.fill(layout.METRICS), (0, 0))
    assert row_of_ensemble(assemble(of_three, Path()).page) == ""


def test_a_model_of_one_seed_has_no_ensemble(finished):
    folder, evaluate = handed_over(finished(seeds=[4]))

    assert evaluate.calls == []
    assert read_card(folder).ensemble is None
    assert "The mean of the scores" not in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("without_figures")
def test_of_folds_the_folder_holds_the_seeds_of_the_one_that_is_highest_on_val(finished):
    plan = finished(datasets={"halves": {"source": "waves", "split": {"folds": 2}}})

    folder, evaluate = handed_over(plan, "halves")

    card = read_card(folder)
    assert {one.run.dataset for one in card.models} == {"halves-repeat1-fold2"}
    assert [one.run.seed for one in card.models] == [0, 1, 2]
    assert evaluate.calls[0][1] == Path(layout.WINDOWS.format(dataset="halves-repeat1-fold2"))
    [accuracy] = [one for one in card.scores if one.metric == "accuracy"]
    assert (accuracy.n, accuracy.mean) == (6, pytest.approx(0.925))
    text = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "over its seeds and 2 folds" in text
    assert "as `seqbench predict` takes it, on the test of halves" in text.replace("\\", "")
    with_row = assemble(plan, Path()).page
    assert row_of_ensemble(with_row) == ""  # it is of one fold, rows are of all


def test_models_that_were_trained_again_are_handed_over(write_results, config):
    raw = config(architectures=["gru"]) | {"finetune": {"refit": True}}
    plan = write_results(raw, skill=lambda run: 0.8)
    write_models(plan)
    for run in plan.trained:
        stored = read_model(Path(run.fill(layout.MODEL)))
        header = stored.header.model_copy(update={"refit": True})
        arrays = {"weight": stored.arrays["weight"] + 10}
        write_model(Path(run.fill(layout.REFIT)), StoredModel(arrays, header))

    folder, evaluate = handed_over(plan)

    assert read_model(folder / "seed1" / "model.safetensors").arrays["weight"].tolist() == [11] * 3
    assert evaluate.refits == [Path(run.fill(layout.REFIT)) for run in sorted(plan.trained)]
    assert evaluate.calls[0][0] == [Path(run.fill(layout.MODEL)) for run in sorted(plan.trained)]
    card = read_card(folder)
    assert "trained once more, on train and val" in card.selection
    assert card.settings["refit"]["optimizer"]["refit"] is True
    page = assemble(plan, Path()).page
    assert "Trained once more on train and val, for the epochs that val chose: gru." in page
    assert "baselines learn from both too" in page


def test_where_no_model_has_a_score_a_sentence_stands_in_place_of_all(write_results, config):
    def without(run, content):
        content["scores"]["test"]["accuracy"] = {"value": None}

    plan = write_results(config(), skill=lambda run: 0.8, edit=without)
    write_models(plan)
    folder, _ = handed_over(plan)

    assert [path.name for path in folder.rglob("*")] == ["MODEL_CARD.md"]
    assert "No trained model of waves has a score" in (folder / "MODEL_CARD.md").read_text()


def test_a_failure_leaves_the_folder_as_it_was(finished):
    plan = finished()
    folder, _ = handed_over(plan)
    before = (folder / "model_card.json").read_bytes()

    def fail(models, windows, refits):
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        hand_over(plan, Path(), "waves", folder, fail)
    for run in plan.baselines:
        Path(run.fill(layout.MODEL)).unlink()
    with pytest.raises(UserError, match=r"model\.safetensors: cannot be read"):
        handed_over(plan)

    assert (folder / "model_card.json").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["waves"]


def test_a_folder_made_again_holds_nothing_of_the_one_before(finished):
    folder, _ = handed_over(finished(seeds=[0, 1, 2]))
    (folder / "notes.txt").write_text("old")
    plan = finished(seeds=[0])
    handed_over(plan)

    assert not (folder / "notes.txt").exists()
    assert not (folder / "seed2").exists()


def test_folders_of_datasets_that_left_the_config_are_removed_and_no_others(finished, config):
    handed_over(finished())
    own = Path(layout.BEST.format(dataset="my_notes"))
    own.mkdir()
    elsewhere = finished(datasets=["gun_point"])
    handed_over(elsewhere, "gun_point")

    removed = remove_others(elsewhere, Path())

    assert removed == [Path("results/best/waves")]
    assert sorted(path.name for path in own.parent.iterdir()) == ["gun_point", "my_notes"]
