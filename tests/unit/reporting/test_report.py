"""The step as a whole: summary, figures and page."""

import base64
import csv
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.reporting.figures.catalog import figure_names
from seqbench.steps import report

EVIL = "<script>alert(1)</script>"


def make_report():
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    return Path(layout.REPORT).read_text(encoding="utf-8")


def summary_rows():
    with Path(layout.SUMMARY).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def skill(run):
    return {"majority": 0.5, "minirocket": 0.85}.get(run.architecture, 0.9 - run.seed / 50)


@pytest.fixture
def made(write_results, rich_config, without_figures):
    """Return the plan of a rich config and its page without figures."""
    return write_results(rich_config(), skill=skill), make_report()


@pytest.mark.usefixtures("without_figures")
def test_the_summary_holds_every_value_to_the_last_digit(write_results, config):
    write_results(config(), skill=lambda run: 0.1 + 0.2)
    make_report()

    rows = summary_rows()

    assert list(rows[0]) == [
        "dataset", "architecture", "arm", "labels", "seed", "split", "metric", "value",
    ]  # fmt: skip
    assert {row["value"] for row in rows if row["metric"] == "accuracy"} == {"0.30000000000000004"}
    assert {row["architecture"] for row in rows if row["arm"] == "baseline"} == {"majority"}


def test_a_page_has_every_figure_needs_no_other_file_and_is_the_same_again(
    write_results, rich_config
):
    plan = write_results(rich_config(datasets=["waves"]), skill=skill)
    text, summary = make_report(), Path(layout.SUMMARY).read_bytes()
    assert make_report() == text
    assert Path(layout.SUMMARY).read_bytes() == summary
    page = Page(text)
    drawn = page.all("svg")
    not_shown = text.count("</b>, not shown: ")

    assert len(drawn) + not_shown == len(figure_names(plan)) == 10
    assert not_shown == 1  # so few windows have no calibration curve
    assert all(len(svg["aria-label"]) > 20 for svg in drawn)
    addresses = {link["href"] for link in page.all("a") if not link["href"].startswith("#")}
    for dataset, figure in figure_names(plan):
        svg = Path(layout.FIGURE.format(dataset=dataset, figure=figure)).read_text()
        assert svg.rstrip().endswith("</svg>")
        assert "data-" not in svg
        for pattern in (layout.FIGURE, layout.FIGURE_PDF, layout.FIGURE_TABLE):
            path = pattern.format(dataset=dataset, figure=figure)
            assert Path(path).stat().st_size
            assert path.removeprefix("results/") in addresses
    assert all(map(is_beside, addresses))
    assert not page.all("link")
    assert len(page.ids) == len(set(page.ids))
    referred = {tag["href"] for name in ("use", "image") for tag in page.all(name)}
    assert {address[1:] for address in referred if address[0] == "#"} <= set(page.ids)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in referred)
    assert not [attributes for _, attributes in page.tags if "src" in attributes]
    assert set(re.findall(r"url\((.)", text)) == {"#"}
    assert "@import" not in text


def own_scripts(page, text):
    """Return whether the only script that may run is the one whose digest the page itself names."""
    policy = next(tag["content"] for tag in page.all("meta") if "http-equiv" in tag)
    [script] = re.findall(r"<script>(.*?)</script>", text, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    types = [tag.get("type") for tag in page.all("script")]
    return types == ["application/json", None] and f"script-src 'sha256-{digest}'" in policy


def is_beside(link):
    """Return whether a link leads to a file that lies where the page says."""
    return (Path(layout.REPORT).parent / unquote(link)).is_file()


def runs_of(text):
    [block] = re.findall(r'<script type="application/json" id="runs">(.*?)</script>', text)
    return json.loads(block)


def test_no_script_but_our_own_may_run(made):
    _, text = made

    assert own_scripts(Page(text), text)
    assert not own_scripts(Page(text), text.replace("use strict", "use loose"))


def test_links_lead_somewhere_and_every_model_to_its_runs(made):
    plan, text = made
    page, runs = Page(text), runs_of(text)["runs"]
    hrefs = {link["href"] for link in page.all("a")}
    links = {href.removeprefix("#") for href in hrefs if href.startswith("#")}
    opened = {link.removeprefix("run/") for link in links} & set(runs)
    models = {(run.dataset, run.architecture, run.arm, run.labels) for run in plan.runs}

    assert set(runs) == {run.fill(layout.RUN) for run in plan.runs}
    assert len(opened) == len(models)
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in links if not link.startswith("run/")} <= set(page.ids)
    assert all(is_beside(href) for href in hrefs if not href.startswith("#"))
    for run in plan.runs:
        shown = runs[run.fill(layout.RUN)]
        content = json.loads(Path(run.fill(layout.METRICS)).read_text())
        value = content["scores"]["test"]["accuracy"]["value"]
        assert shown["scores"][0][:2] == ["accuracy", f"{value:.3f}"]
        for path in shown["files"]:
            assert Path(path).exists() or not path.endswith((".json", ".csv"))
        assert run.fill(layout.METRICS) in shown["command"]


def test_a_run_shows_the_settings_and_the_versions_it_was_made_with(made):
    plan, text = made
    details = runs_of(text)
    run = next(run for run in plan.trained if run.arm == "contrastive_finetune")
    shown = details["runs"][run.fill(layout.RUN)]
    settings = {step: json.loads(details["texts"][place]) for step, place in shown["settings"]}

    assert list(settings) == ["ingest", "window", "pretrain", "finetune", "evaluate"]
    assert settings["finetune"]["labels"] == float(run.labels)
    assert settings["pretrain"]["objective"] == "contrastive"
    assert "commit: 0123456789ab" in details["texts"][shown["provenance"]]
    assert shown["curve"]["epoch"][0] == 1
    assert shown["curve"]["best"] in shown["curve"]["epoch"]


def test_names_are_escaped_wherever_they_stand(write_results, config):
    def edit(run, content):
        content["provenance"]["machine"]["processor"] = EVIL

    raw = config() | {"title": EVIL}
    write_results(raw, skill=skill, classes={"waves": [EVIL, 'b" onload="x', "$x_1$"]}, edit=edit)
    text = make_report()
    page = Page(text)

    assert EVIL not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert own_scripts(page, text)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    svg = Path(layout.FIGURE.format(dataset="waves", figure="confusion")).read_text()
    assert EVIL[:10] not in svg
    assert "$x_1$" in svg  # a name, not a formula


@pytest.mark.usefixtures("without_figures")
def test_a_failure_leaves_the_last_report_as_it_was(write_results, config):
    plan = write_results(config(), skill=skill)
    before = make_report()
    Path(plan.runs[-1].fill(layout.METRICS)).write_text("{")

    with pytest.raises(ValueError, match="Expecting"):
        make_report()

    assert Path(layout.REPORT).read_text(encoding="utf-8") == before


@pytest.mark.usefixtures("without_figures")
def test_an_undefined_value_shows_as_a_dash(write_results, config):
    def edit(run, content):
        content["scores"]["test"]["mcc"]["value"] = None
        content["scores"]["test"]["ece"]["value"] = None if run.arm == "baseline" else 0.1

    write_results(config(), skill=skill, edit=edit)
    text = make_report()

    assert "MCC" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S)  # nobody has it
    assert re.search(r'<td class="number" data-value="">\N{EN DASH}</td>', text)


@pytest.mark.usefixtures("without_figures")
def test_warnings_name_what_is_wrong(write_results, config):
    plan = config(("majority", "minirocket"), architectures=["cnn1d", "rnn"], seeds=[0, 1])
    accuracy = {"cnn1d": 0.7, "rnn": 0.4, "majority": 0.5, "minirocket": 0.8}
    write_results(plan, skill=lambda run: accuracy[run.architecture], n_test=20)
    text = make_report()

    assert "trained with only 2 seeds" in text
    assert "Only 20 test windows" in text
    assert "Below the majority floor, so nothing was learned: rnn" in text
    assert "The model selected on val lies below the baseline minirocket." in text


@pytest.mark.usefixtures("without_figures")
def test_few_groups_are_named(write_results, config):
    write_results(config(), skill=skill, n_test=4)

    assert "Test holds 4 groups: which model is selected" in make_report()


@pytest.mark.usefixtures("without_figures")
def test_runs_whose_batches_were_halved_are_counted(write_results, config):
    def edit(run, content):
        content["provenance"]["batch_size_halved"] = run.arm != "baseline"

    write_results(config(seeds=[0]), skill=skill, edit=edit)

    assert "1 run used half the batch size" in make_report()


@pytest.mark.usefixtures("without_figures")
def test_without_reason_nothing_is_warned_of(write_results, config):
    write_results(config(), skill=lambda run: 0.5 if run.arm == "baseline" else 0.9)

    assert 'class="warnings"' not in make_report()


@pytest.mark.usefixtures("without_figures")
def test_an_encoder_that_moved_only_in_part_is_named(write_results, config):
    plan = write_results(config(arms=["scratch", "contrastive_probe"]), skill=skill)
    run = next(run for run in plan.trained if run.arm == "contrastive_probe")
    Path(run.fill(layout.TRANSFER)).write_text(
        '{"encoder": "contrastive", "fraction": 0.97, "copied": [],'
        ' "skipped": [{"name": "norm.bias", "why": "shape"}]}'
    )

    assert "97 % of the encoder moved; skipped norm.bias (shape)" in make_report()


def _nothing_optional(run, content):
    content["cost"] = {}
    content["provenance"] = {}
    content["n_windows"] = {}


@pytest.mark.parametrize(
    "settings",
    [
        {"edit": _nothing_optional},
        {"classes": {"waves": [f"class {k}" for k in range(30)]}, "n_test": 90, "n_channels": 1},
        {
            "classes": {"waves": [f"a long name of a class {k}" for k in range(11)]},
            **{"n_test": 33, "n_channels": 14},
        },
    ],
    ids=["nothing optional", "many classes", "long names"],
)
def test_unusual_results_are_reported_too(settings, write_results, config):
    write_results(config(("majority", "minirocket"), seeds=[0]), skill=skill, **settings)

    assert "<h2>Which model to take</h2>" in make_report()


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize(
    ("baselines", "sentence"),
    [
        ((), "no baseline"),
        (("majority",), "No dataset counts. Not counted, with no baseline"),
        (("majority", "minirocket"), "beats"),
    ],
)
def test_the_first_sentence_knows_what_there_is(baselines, sentence, write_results, config):
    write_results(config(baselines), skill=skill)

    assert sentence in re.search(r'<p class="lede">(.*?)</p>', make_report()).group(1)
