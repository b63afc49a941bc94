"""What a report shows of searches of options."""

import csv
import json
from pathlib import Path

import pytest

from seqbench import layout
from seqbench.errors import FormatError
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.page.paper import paper_tables
from seqbench.reporting.read.finished import finished_part
from seqbench.reporting.read.results import collect
from seqbench.reporting.text.runs import step_settings
from seqbench.reporting.text.searches import search_rows, tuned_notes
from seqbench.steps import report
from seqbench.storage.trials import Choice, Trial, write_choice, write_trial

SEARCH = {
    "architectures": {
        "cnn1d": {"tune": {"trials": 4, "space": {"learning_rate": [0.01, 0.1], "epochs": [5, 9]}}}
    }
}
SCORES = [0.6, None, 0.8, 0.7]


@pytest.fixture
def searched(write_results, config):
    """Return the plan of a benchmark with a search, all results in place."""
    plan = write_results(config(architectures=["cnn1d", "gru"]) | SEARCH, skill=lambda run: 0.8)
    for dataset, name in plan.tuned:
        for number, point in enumerate(plan.trials(name)):
            trial = Trial(
                dataset=dataset,
                architecture=name,
                trial=number,
                options=point,
                headline="accuracy",
                score=SCORES[number],
                cpu_s=None if SCORES[number] is None else 10.0,
                failure="train_loss is nan" if SCORES[number] is None else None,
            )
            write_trial(Path(plan.trial_files(dataset, name)[number]), trial)
        choose(plan, dataset, name, 2)
    return plan


def choose(plan, dataset, name, number):
    options = plan.trials(name)[number]
    choice = Choice(dataset=dataset, architecture=name, trial=number, options=options)
    write_choice(Path(layout.CHOICE.format(dataset=dataset, architecture=name)), choice)


def material_of(plan):
    return gather(plan, collect(plan, Path()), Path())[0]


def test_a_search_has_its_cost_its_scores_and_what_it_changed(searched):
    [row] = search_rows(material_of(searched).searches, searched.datasets[0])

    assert (row.n_trials, row.n_failed, row.cpu) == (4, 1, "30.0 s")
    assert (row.untuned, row.chosen, row.number) == ("0.600", "0.800", 2)
    point = searched.trials("cnn1d")[2]
    before = searched.trials("cnn1d")[0]
    assert all(
        (f"{name} {value:g}" in row.changes) == (value != before[name])
        for name, value in point.items()
    )
    assert [trial.score for trial in row.trials] == ["0.600", "failed", "0.800", "0.700"]
    assert [trial.best for trial in row.trials] == ["0.600", "0.600", "0.800", "0.800"]
    assert [trial.cpu for trial in row.trials] == ["10.0 s", "10.0 s", "20.0 s", "30.0 s"]
    assert "train_loss is nan" in row.trials[1].options


def test_models_whose_options_were_chosen_are_marked_and_the_others_are_not(searched):
    board = material_of(searched).board

    marked = {row.architecture: row.n_trials for row in board.rows}
    assert marked == {name: 4 if name == "cnn1d" else 0 for name in marked}
    assert len(marked) > 1
    [note] = tuned_notes(board)
    assert note.startswith("Options chosen on val: cnn1d (4 trials);")
    assert all(
        note in text for path, text in paper_tables([[board]]).items() if path.endswith("md")
    )


@pytest.mark.usefixtures("without_figures")
def test_the_page_shows_the_search_and_the_settings_that_were_chosen(searched):
    report.main(["--config", layout.CONFIG, "--summary", layout.SUMMARY, "--page", layout.REPORT])
    page = Path(layout.REPORT).read_text(encoding="utf-8")

    assert "Search of options: 4 trials" in page
    assert page.count(">tuned</span>") >= 1
    with Path(layout.TRIALS_TABLE).open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["is_chosen"] for row in rows] == ["False", "False", "True", "False"]
    assert [json.loads(row["options"]) for row in rows] == searched.trials("cnn1d")


def test_the_settings_of_a_run_are_those_that_were_chosen(searched):
    run = next(run for run in searched.trained if run.architecture == "cnn1d")
    point = searched.trials("cnn1d")[2]

    settings = step_settings(searched, run, material_of(searched).choices)["finetune"]

    assert settings.optimizer.learning_rate == point["learning_rate"]
    assert settings.optimizer.epochs == point["epochs"]


def test_a_choice_among_other_trials_is_refused(searched):
    dataset, name = searched.tuned[0]
    path = Path(layout.CHOICE.format(dataset=dataset, architecture=name))
    write_choice(path, Choice(dataset=dataset, architecture=name, trial=2, options={"epochs": 1}))

    with pytest.raises(FormatError, match="the choice was made among other trials; run"):
        material_of(searched)


def test_a_file_of_another_model_is_refused(searched):
    dataset, name = searched.tuned[0]
    path = Path(layout.CHOICE.format(dataset=dataset, architecture=name))
    options = searched.trials(name)[2]
    write_choice(path, Choice(dataset=dataset, architecture="gru", trial=2, options=options))

    with pytest.raises(FormatError, match=f"is of gru on {dataset}, not of {name} on {dataset}"):
        material_of(searched)


def test_a_run_whose_options_are_still_searched_has_not_finished(searched):
    dataset, name = searched.tuned[0]
    Path(searched.trial_files(dataset, name)[3]).unlink()

    assert {run.architecture for run in finished_part(searched, Path()).trained} == {"gru"}
