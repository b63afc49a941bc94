"""The folder `results/best/DATASET`: the model that val selects, the best baseline, and a card."""

from collections.abc import Callable
from pathlib import Path

from seqbench import layout
from seqbench.plan.plan import Plan, Run
from seqbench.reporting.evidence.material import without_trainings
from seqbench.reporting.page.model_card import card_text, model_card
from seqbench.reporting.read.results import collect
from seqbench.storage.atomic import copy_file, remove_folder, replacing_folder, write_text
from seqbench.storage.model_card import CARD, CardModel, Ensemble, sha256
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import read_as
from seqbench.storage.records import RunIdentity

NONE = "No trained model of {dataset} has a score on test, so none is selected."
EvaluateEnsemble = Callable[[list[Path], Path, list[Path]], Ensemble]


def hand_over(
    plan: Plan, root: Path, dataset: str, folder: Path, evaluate: EvaluateEnsemble
) -> None:
    """Write the folder of a dataset, whole or not at all.

    Of the selected model it holds the runs of all seeds; where the dataset has folds, those on
    the fold of the seed that is highest on val, as models of different folds do not fit each other.
    Without a score on test, as where it has no labelled event, a sentence stands in place of all.

    Parameters
    ----------
    plan
        Its runs on the dataset have finished.
    root
        Folder that holds `results/`.
    dataset
        As the report shows it, folds together.
    folder
        To write.
    evaluate
        Scores an ensemble of model files on a file of windows; the files after a refit, if there
        was one, stand behind.
    """
    own = Plan(plan.benchmark, [run for run in plan.runs if run not in plan.runs_on(dataset)])
    material = without_trainings(plan, collect(own, root), root, dataset)
    board = material.board
    name = Path(layout.CARD_TEXT).name
    if board.selected is None:
        with replacing_folder(folder) as temporary:
            write_text(temporary / name, f"{NONE.format(dataset=dataset)}\n")
        return
    runs = sorted(r.run for r in board.selected.results if r.run.dataset == material.shown)
    windows = root / layout.WINDOWS.format(dataset=material.shown)
    paths = [root / run.fill(layout.MODEL) for run in runs]
    refits = [root / plan.model_file(run) for run in runs if plan.is_refit(run)]
    ensemble = evaluate(paths, windows, refits) if len(paths) > 1 else None
    with replacing_folder(folder) as temporary:
        copied = [_copied(plan, root, run, temporary, f"seed{run.seed}") for run in runs]
        baseline = board.best_baseline
        beside = (
            _copied(plan, root, baseline.chosen.run, temporary, "baseline") if baseline else None
        )
        header = read_as(temporary / copied[0].file, ModelHeader).header
        card = model_card(plan, material, header, copied, beside, ensemble)
        write_text(temporary / CARD, card.model_dump_json(indent=1) + "\n")
        write_text(temporary / name, card_text(card, plan, material))


def remove_others(plan: Plan, root: Path) -> list[Path]:
    """Remove the folders of datasets that the plan does not have, and return them.

    A folder without a card is somebody else's and stays.
    """
    known = {root / layout.BEST.format(dataset=name) for name in plan.requested.base_datasets}
    found = sorted(path.parent for path in root.glob(layout.CARD.format(dataset="*")))
    others = [folder for folder in found if folder not in known]
    for folder in others:
        remove_folder(folder)
    return others


def _copied(plan: Plan, root: Path, run: Run, folder: Path, place: str) -> CardModel:
    """Copy the model of a run into a folder, and return what the card says of it."""
    source = root / plan.model_file(run)
    file = f"{place}/{source.name}"
    copy_file(source, folder / file)
    identity = RunIdentity(**vars(run) | {"labels": float(run.labels)})
    return CardModel(file=file, sha256=sha256(folder / file), run=identity)
