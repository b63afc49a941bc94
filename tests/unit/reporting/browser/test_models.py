"""The table of all models: it sorts, filters, chooses columns and picks models to compare."""

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from seqbench.storage.cells import plain_cell

NOTHING = "\N{EN DASH}"
ROWS = "#all-models tbody tr:visible"
TICK = "#all-models tbody tr[data-run='{}'] input"


def scores(seen):
    """Return the scores of the models shown, from top to bottom."""
    cells = "#all-models tbody tr:not([hidden]) .of-score"
    return [float(cell.get_attribute("data-value")) for cell in seen.page.locator(cells).all()]


def shown(seen):
    """Return the keys of the runs that stand for the models shown, from top to bottom."""
    return [row.get_attribute("data-run") for row in seen.page.locator(ROWS).all()]


def chosen(seen):
    """Return what the address keeps."""
    return {name: values for name, values in parse_qs(urlparse(seen.page.url).query).items()}


def test_a_click_on_a_heading_sorts_and_another_turns_the_order(see):
    seen = see()
    heading = seen.page.locator("#all-models th", has_text="score")

    heading.get_by_role("button").click()
    falling = scores(seen)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()

    assert heading.get_attribute("aria-sort") == "ascending"
    assert falling == sorted(falling, reverse=True)
    assert scores(seen) == falling[::-1] == sorted(falling)
    assert len(set(falling)) > 3


def test_what_has_no_value_stands_last_in_either_order(see):
    seen = see()
    for i in range(2):  # all costs, and in them those of the first dataset
        seen.page.locator("#cost summary").nth(i).click()
    heading = seen.page.locator("#cost table").first.locator("th").filter(has_text="MACs")
    column = "#cost table >> nth=0 >> tbody tr td:nth-child(3)"

    for _ in range(2):
        heading.get_by_role("button").click()
        values = [cell.get_attribute("data-value") for cell in seen.page.locator(column).all()]
        assert values[-1] == ""  # a baseline
        assert "" not in values[:-1]


def test_filters_leave_the_models_that_fit_all_of_them(see):
    seen = see()
    n_rows = len(shown(seen))
    form = seen.page.locator("form.filters")

    form.locator("[name=dataset]").select_option("waves")
    form.locator("[name=labels]").select_option("20 %")
    form.locator("[name=architecture]").select_option("gru")

    assert n_rows == 3 * (2 * 2 * 2 + 1)
    expected = [f"waves/gru/{arm}/labels0.2/seed0" for arm in ("contrastive_finetune", "scratch")]
    assert shown(seen) == expected
    assert form.locator("output").inner_text() == f"2 of {n_rows} models"

    form.get_by_role("button", name="clear").click()
    form.locator("output", has_text=f"{n_rows} of {n_rows}").wait_for()
    assert len(shown(seen)) == n_rows
    assert chosen(seen) == {}


def test_a_search_for_several_words_finds_what_has_all_of_them_in_any_order(see):
    seen = see()
    search = seen.page.locator("form.filters [name=text]")

    search.fill("  Scratch WAVES 20 ")
    assert shown(seen) == [f"waves/{name}/scratch/labels0.2/seed0" for name in ("cnn1d", "gru")]
    assert seen.page.locator("#models .empty").is_hidden()

    search.fill("waves nothing_like_it")
    assert shown(seen) == []
    assert "No model fits" in seen.page.locator("#models .empty").inner_text()
    assert seen.page.locator("form.filters a.rows").is_hidden()


def test_the_best_of_each_dataset_is_that_of_the_models_that_the_filters_leave(see):
    seen = see()
    form = seen.page.locator("form.filters")

    form.locator("[name=show]").select_option("selected")
    selected = shown(seen)
    assert len(selected) == 3 * 2  # datasets, and fractions of the labels
    assert all("/cnn1d/" in key for key in selected)

    form.locator("[name=show]").select_option("best")
    form.locator("[name=architecture]").select_option("gru")
    form.locator("[name=labels]").select_option("100 %")
    best = shown(seen)
    assert {key.split("/")[0] for key in best} == {"waves", "gun_point", "a" + 63 * "_"}
    assert all("/gru/" in key for key in best)


def test_the_ceiling_is_the_best_of_no_dataset(see):
    seen = see("events")

    seen.page.locator("form.filters [name=show]").select_option("best")

    assert [key.split("/")[1] for key in shown(seen)] == ["cnn1d"]


def test_another_metric_shows_sorts_and_finds_the_best_by_its_own_direction(see):
    seen = see(query="?dataset=waves&labels=100+%25")
    form = seen.page.locator("form.filters")
    before = seen.page.locator(ROWS).first.locator(".of-score").inner_text()

    form.locator("[name=metric]").select_option("log_loss")
    losses = scores(seen)
    assert set(seen.texts(f"{ROWS} >> .of-metric")) == {"log loss"}
    assert len(set(losses)) > 1
    form.locator("[name=show]").select_option("best")
    assert set(scores(seen)) == {min(losses)}

    form.locator("[name=show]").select_option("")
    form.locator("[name=metric]").select_option("")
    assert seen.page.locator(ROWS).first.locator(".of-score").inner_text() == before


def test_columns_of_options_in_which_models_differ_can_be_chosen(see):
    seen = see()
    columns = seen.page.locator("form.filters details.columns")
    columns.locator("summary").click()
    names = [box.get_attribute("value") for box in columns.locator("input").all()]

    assert "finetune.learning_rate" in names
    assert "finetune.epochs" not in names  # the same for all
    assert "train_s" in names

    columns.locator("[value='finetune.learning_rate']").check()
    head = seen.page.locator("#all-models thead th").last
    rates = {
        row.get_attribute("data-architecture"): row.locator("td").last.inner_text()
        for row in seen.page.locator(ROWS).all()
    }
    assert head.inner_text().startswith("finetune.learning_rate")
    assert rates == {"cnn1d": "0.001", "gru": "0.01", "majority": NOTHING}

    head.get_by_role("button").click()
    assert "/cnn1d/" in shown(seen)[0]
    assert "/majority/" in shown(seen)[-1]
    columns.locator("[value='finetune.learning_rate']").uncheck()
    assert not seen.page.locator("#all-models th", has_text="learning_rate").count()


def test_the_address_keeps_what_was_chosen_and_shows_it_again(see):
    seen = see()
    form = seen.page.locator("form.filters")
    form.locator("[name=text]").fill("scratch waves")
    form.locator("[name=metric]").select_option("mcc")
    form.locator("details.columns summary").click()
    form.locator("[value='finetune.learning_rate']").check()
    seen.page.locator("#all-models th", has_text="score").get_by_role("button").click()
    kept = chosen(seen)
    assert kept == {
        "text": ["scratch waves"],
        "metric": ["mcc"],
        "column": ["finetune.learning_rate"],
        "sort": ["-score"],
    }
    seen.page.locator(f"{ROWS} >> a.model").first.click()
    seen.page.keyboard.press("Escape")
    assert chosen(seen) == kept  # whatever was opened meanwhile

    again = see(query="?" + urlparse(seen.page.url).query)

    assert shown(again) == shown(seen)
    assert scores(again) == scores(seen) == sorted(scores(seen), reverse=True)
    assert again.texts("#all-models thead th") == seen.texts("#all-models thead th")


def test_an_address_that_asks_for_what_is_not_there_says_so(see):
    seen = see(query="?dataset=gone&arm=scratch")

    assert "not known here: dataset=gone" in seen.texts("form.filters output")[0]
    assert all("/scratch/" in key for key in shown(seen))


def test_the_rows_shown_are_a_csv_file(see):
    seen = see(query="?text=waves+scratch&column=finetune.learning_rate")
    with seen.page.expect_download() as download:
        seen.page.locator("form.filters a.rows").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert download.value.suggested_filename == "models.csv"
    assert [f"{row['dataset']}/{row['architecture']}/{row['arm']}" for row in rows] == [
        key.partition("/labels")[0] for key in shown(seen)
    ]
    assert [float(row["test"]) for row in rows] == scores(seen)
    assert {row["finetune.learning_rate"] for row in rows} == {"0.001", "0.01"}


def test_no_cell_of_the_csv_file_is_a_formula(see):
    cells = ["=1+1", "@x", "-0.5", "+2", 'a,"b"', ""]
    text = see().page.evaluate("cells => asCsv([cells])", cells)

    assert next(csv.reader([text])) == [*map(plain_cell, cells)]


def test_two_to_four_ticked_models_are_compared(see):
    seen = see()
    button = seen.page.get_by_role("button", name="Compare ticked models")
    keys = [
        "waves/cnn1d/scratch/labels1/seed0",
        "waves/gru/scratch/labels1/seed0",
        "waves/majority/baseline/labels1/seed0",
    ]

    for key in keys:
        assert button.is_disabled() == (key in keys[:2])
        seen.page.locator(TICK.format(key)).check()
    button.click()
    dialog = seen.page.get_by_role("dialog")

    assert dialog.get_by_role("heading", level=2).inner_text() == "3 runs compared"
    assert set(seen.page.url.partition("#compare/")[2].split(",")) == set(keys)
    assert dialog.locator(".curve.val").count() == 2  # a baseline is not trained in epochs
    settings = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in dialog.locator("table").first.locator("tbody tr").all()
    }
    assert settings["architecture"] == ["cnn1d", "gru", "majority"]
    assert settings["finetune.learning_rate"] == ["0.001", "0.01", NOTHING]
    assert "dataset" not in settings  # the same for all


def test_no_more_than_four_models_can_be_ticked(see):
    seen = see()
    boxes = seen.page.locator("#all-models input.tick")
    for i in range(4):
        boxes.nth(i).check()

    assert boxes.nth(4).is_disabled()
    boxes.nth(0).uncheck()
    assert boxes.nth(4).is_enabled()


@pytest.mark.parametrize("keys", ["nothing/like/it", "waves/cnn1d/scratch/labels1/seed0"])
def test_a_comparison_of_less_than_two_known_runs_opens_nothing(keys, see):
    assert not see(anchor=f"#compare/{keys}").page.locator("#run").is_visible()
