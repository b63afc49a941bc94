"""The panel of a run: what stands behind a number, and how its model is used."""

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


def test_a_link_to_no_run_opens_nothing(see):
    assert not see(anchor="#run/nothing/like/it").page.locator("#run").is_visible()

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
