"""The panel of a run: what stands behind a number, and how its model is used."""

import csv
from pathlib import Path
from urllib.parse import unquote

import pytest


@pytest.mark.parametrize("place", ["a.model", "td:nth-child(6)"])
def test_a_models_name_and_its_numbers_open_its_runs(place, see):
    seen = see()
    row = seen.page.locator("#all-models tbody tr[data-run^='waves/cnn1d/scratch/labels1/']")

    row.locator(place).click()
    dialog = seen.page.get_by_role("dialog")

    assert dialog.get_by_role("heading", level=2).inner_text() == "cnn1d · scratch"
    assert seen.texts("#run .choices a") == ["seed 0 0.900", "seed 1 0.880"]
    dialog.get_by_text("seed 1").click()
    assert seen.page.url.endswith("#run/waves/cnn1d/scratch/labels1/seed1")
    assert "accuracy 0.880 on test" in dialog.inner_text()
    assert "results/evaluate/waves/cnn1d/scratch/labels1/seed1/metrics.json" in dialog.inner_text()
    seen.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert "#run" not in seen.page.url


def test_numbers_of_other_tables_open_their_runs_too(see):
    seen = see()

    seen.page.locator("#pretraining details summary").last.click()
    seen.page.locator("#pretraining tr[data-run] td").last.click()
    assert seen.page.locator("#run-title").inner_text() == "gru · contrastive_finetune"

    seen = see("events")
    seen.page.get_by_text("Type by type").click()
    seen.page.get_by_role("region", name="Types of strikes").locator("td").first.click()
    seen.page.get_by_role("dialog").wait_for()
    assert "#run/strikes/" in seen.page.url


def test_a_link_to_a_run_opens_it_and_its_files_are_where_the_links_lead(see, pages):
    seen = see(anchor="#run/gun_point/gru/contrastive_finetune/labels0.2/seed1")
    links = [a.get_attribute("href") for a in seen.page.locator("#run .files a").all()]
    by_steps = {Path(link).parts[0] for link in links}

    assert seen.page.get_by_role("dialog").is_visible()
    assert by_steps == {"evaluate", "finetune", "pretrain", "window", "logs"}
    written = [link for link in links if link.endswith(("json", "csv", "predictions.h5"))]
    assert len(written) == 5
    assert all((pages["classes"].parent / unquote(link)).exists() for link in written)
    assert seen.page.locator("#run svg polyline").count() == 2


@pytest.mark.parametrize("key", ["nothing/like/it", "toString"])
def test_a_link_to_no_run_opens_nothing(key, see):
    assert not see(anchor=f"#run/{key}").page.locator("#run").is_visible()

    page = see(anchor="#run/waves/cnn1d/scratch/labels1/seed0").page
    page.locator("#run").wait_for()
    page.evaluate("location.hash = '#run/nothing/like/it'")
    page.locator("#run").wait_for(state="hidden")


def test_the_panel_of_a_run_shows_how_its_own_model_is_used(see):
    run = "waves/gru/scratch/labels1/seed1"
    seen = see(anchor=f"#run/{run}")
    [command, python, again] = seen.page.locator("#run .copyable code").all_text_contents()

    path = f"results/finetune/{run}/model.safetensors"
    assert command == f"seqbench predict --model {path} --recording FILE"
    assert f'seqbench.load("{path}")' in python
    assert again.startswith("snakemake ")


def test_what_knows_the_truth_has_no_use(see):
    seen = see("events", anchor="#run/strikes/oracle/baseline/labels1/seed0")

    assert seen.page.locator("#run .copyable").count() == 1
    assert "Use on new recordings" not in seen.texts("#run h3")


def test_the_panel_begins_with_what_differs_from_the_default_and_the_models_file(see):
    run = "waves/gru/scratch/labels1/seed1"
    seen = see(anchor=f"#run/{run}")
    rows = seen.page.locator("#run table").first.locator("tbody tr")

    assert [" ".join(row.inner_text().split()) for row in rows.all()] == [
        "finetune.epochs 40 60",
        "finetune.learning_rate 0.01 0.001",
    ]
    assert seen.texts("#run h3")[:2] == ["Options that differ from the default", "Use this model"]
    first = seen.page.locator("#run a[href$='model.safetensors']").first
    assert first.inner_text() == f"results/finetune/{run}/model.safetensors"


def test_a_run_with_all_defaults_says_so(see):
    seen = see(anchor="#run/waves/majority/baseline/labels1/seed0")

    assert "All options have their defaults." in seen.page.locator("#run-body").inner_text()


@pytest.mark.parametrize(("place", "what"), [(0, "the command"), (1, "the lines of Python")])
def test_the_panel_copies_what_uses_its_model(place, what, see):
    run = "waves/gru/scratch/labels1/seed1"
    seen = see(anchor=f"#run/{run}", permissions=["clipboard-read", "clipboard-write"])

    button = seen.page.locator("#run").get_by_role("button", name=f"Copy {what}", exact=True)
    button.click()
    seen.page.locator("#run .copyable button", has_text="Copied").wait_for()

    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == seen.page.locator("#run .copyable code").nth(place).text_content()
    assert f"results/finetune/{run}/model.safetensors" in copied


def test_previous_and_next_follow_the_rows_as_they_are_filtered_and_sorted(see):
    seen = see(
        query="?text=waves+scratch&labels=100+%25", anchor="#run/waves/gru/scratch/labels1/seed1"
    )
    title = seen.page.locator("#run-title")

    assert seen.texts("#run .step") == ["\N{LEFTWARDS ARROW} previous model"]  # gru is the last
    seen.page.get_by_text("previous model").click()
    assert title.inner_text() == "cnn1d \N{MIDDLE DOT} scratch"
    assert seen.texts("#run .step") == ["next model \N{RIGHTWARDS ARROW}"]

    seen.page.keyboard.press("Escape")
    heading = seen.page.locator("#all-models th", has_text="score")
    for _ in range(2):  # lowest first
        heading.get_by_role("button").click()
    seen.page.locator("#all-models tr[data-run*='/gru/']:visible a.model").click()
    assert seen.texts("#run .step") == ["next model \N{RIGHTWARDS ARROW}"]


def test_the_curve_shows_the_values_under_the_pointer_and_by_keys(see, pages):
    run = "waves/gru/scratch/labels1/seed1"
    seen = see(anchor=f"#run/{run}")
    history = pages["classes"].parent / "finetune" / run / "history.csv"
    with history.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    slider = seen.page.get_by_role("slider", name="Epoch")
    readout = seen.page.locator("#run .readout")
    kept = readout.inner_text()
    assert ", kept: loss " in kept

    slider.focus()
    seen.page.keyboard.press("Home")
    val, train, score = (
        f"{float(rows[0][name]):.3g}" for name in ("val_loss", "train_loss", "val_accuracy")
    )
    expected = f"epoch 1: loss {val} on val, {train} on train; accuracy {score} on val"
    assert readout.inner_text() == expected
    assert slider.get_attribute("aria-valuetext") == readout.inner_text()
    seen.page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("epoch 2: ")

    slider.hover()
    assert slider.get_attribute("aria-valuenow") == readout.inner_text().split()[1].strip(":,")
    assert 15 < int(slider.get_attribute("aria-valuenow")) < 25  # of 40, under the middle
    seen.page.mouse.move(1, 1)
    slider.blur()
    assert readout.inner_text() == kept
