"""The page in a real browser: what it does when it is used, at every size."""

import os
import shutil
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright here: pip install -e '.[dev]'"
)

CHROMIUM = os.environ.get("SEQBENCH_BROWSER") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium here: apt-get install --no-install-recommends chromium,"
    " or name a browser in SEQBENCH_BROWSER",
)

EVIL = "<script>alert(1)</script>"
QUOTED = "b\" onload='x' `"
RIGHT_TO_LEFT = "\u202e\u05d0\u05d1 \u2067ab"  # letters and marks that turn the direction
LONG = "x" * 200
NAMES = [EVIL, QUOTED, RIGHT_TO_LEFT, LONG]
DATASET = "a" + 63 * "_"  # as long as a name may be, and nowhere to break
TITLE = f"{EVIL} {RIGHT_TO_LEFT} {QUOTED} ".ljust(200, "y")
TEXTS, GROUNDS = ("ink", "muted", "accent", "good", "bad", "warn"), ("paper", "card", "wash")
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
SKILLS = {"cnn1d": 0.9, "gru": 0.8, "majority": 0.3, "metronome": 0.1, "oracle": 1.0}


def skill(run):
    return SKILLS[run.architecture] - run.seed / 50 - (run.dataset == "gun_point") / 20


@pytest.fixture(scope="module")
def pages(make_page):
    """Paths of a page of classification with hostile names, and of one of detection."""
    grid = {
        "datasets": ["waves", "gun_point", DATASET],
        "architectures": ["cnn1d", "gru"],
        "arms": ["scratch", "contrastive_finetune"],
        "labels": [0.2, 1.0],
        "seeds": [0, 1],
    }
    raw = {
        "title": TITLE,
        "baselines": ["majority"],
        "runs": [grid],
        "datasets": {DATASET: {"source": "waves"}},
    }
    classes = make_page(
        raw, figures=False, skill=skill, classes=dict.fromkeys(grid["datasets"], NAMES)
    )
    events = {
        "title": "Events",
        "baselines": ["metronome", "oracle"],
        "runs": [{"datasets": ["strikes"], "architectures": ["cnn1d", "gru"], "seeds": [0, 1]}],
        "datasets": {"strikes": {"source": "strikes_windows", "seed": 3}},
    }
    return {
        "classes": classes,
        "events": make_page(events, events=True, skill=skill, classes=tuple(NAMES)),
    }


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        # Chromium refuses its sandbox to root, which is what containers run as.
        browser = started.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        yield browser
        browser.close()


class Seen:
    """An open page, and all messages and requests of the browser meanwhile."""

    def __init__(self, browser, path, viewport=LAPTOP, anchor="", **context):
        self.context = browser.new_context(viewport=viewport, **context)
        self.page = self.context.new_page()
        self.messages, self.requested = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.messages.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.goto(path.as_uri() + anchor)

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def width(self):
        return self.page.evaluate("document.documentElement.scrollWidth")


@pytest.fixture
def see(browser, pages):
    """Return what opens a page; at the end there is no message and no request."""
    seen = []

    def open_page(name="classes", **options):
        seen.append(Seen(browser, pages[name], **options))
        return seen[-1]

    yield open_page
    for one in seen:
        urls = [url for url in one.requested if not url.startswith("data:")]
        assert {url.split("#")[0] for url in urls} <= {path.as_uri() for path in pages.values()}
        assert one.messages == []
        one.context.close()


def scores(seen):
    """Return the scores of the models shown, from top to bottom."""
    cells = "#all-models tbody tr:not([hidden]) td:nth-child(6)"
    return [float(cell.get_attribute("data-value")) for cell in seen.page.locator(cells).all()]


def test_a_click_on_a_heading_sorts_and_another_turns_the_order(see):
    seen = see()
    heading = seen.page.locator("#all-models th").filter(has_text="score")

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
    heading = seen.page.locator("#cost table").first.locator("th").filter(has_text="MACs")
    column = "#cost table >> nth=0 >> tbody tr td:nth-child(3)"

    for _ in range(2):
        heading.get_by_role("button").click()
        values = [cell.get_attribute("data-value") for cell in seen.page.locator(column).all()]
        assert values[-1] == ""  # a baseline
        assert "" not in values[:-1]


def test_filters_leave_the_models_that_fit_all_of_them(see):
    seen = see()
    rows = "#all-models tbody tr:visible"
    n_rows = len(seen.page.locator(rows).all())
    form = seen.page.locator("form.filters")

    form.get_by_label("dataset").select_option("waves")
    form.get_by_label("labels").select_option("20 %")
    form.get_by_label("search").fill("GRU")

    assert n_rows == 3 * (2 * 2 * 2 + 1)
    assert [row.get_attribute("data-run") for row in seen.page.locator(rows).all()] == [
        f"waves/gru/{arm}/labels0.2/seed0" for arm in ("contrastive_finetune", "scratch")
    ]
    assert form.locator("output").inner_text() == f"2 of {n_rows} models"

    form.get_by_role("button", name="clear").click()
    seen.page.wait_for_function(
        f"document.querySelector('output').textContent.startsWith('{n_rows} ')"
    )
    assert len(seen.page.locator(rows).all()) == n_rows


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


def test_names_are_text_and_nothing_else(see):
    seen = see(anchor="#run/waves/cnn1d/scratch/labels1/seed0")
    body = seen.page.locator("body").text_content()

    assert all(name in body for name in NAMES)
    assert seen.page.locator("h1").text_content() == TITLE
    assert seen.page.locator("script").count() == 2
    assert seen.page.locator("[onload]").count() == 0


@pytest.mark.parametrize("name", ["classes", "events"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_nothing_is_wider_than_the_screen(name, viewport, see):
    seen = see(name, viewport=viewport)
    details = "for (const one of document.querySelectorAll('details')) one.open = true"
    seen.page.evaluate(details)

    assert seen.width() <= viewport["width"]
    seen.page.evaluate("document.querySelector('tr[data-run] td').click()")
    seen.page.get_by_role("dialog").wait_for()
    fits = "one => one.scrollWidth <= one.clientWidth"
    assert seen.page.locator("#run").evaluate(fits)


def test_print_shows_the_page_without_what_is_used_on_a_screen(see):
    seen = see("events", viewport={"width": 794, "height": 1123})  # A4 at 96 pixels an inch
    seen.page.emulate_media(media="print")

    assert seen.width() <= 794
    assert not seen.page.locator("nav").is_visible()
    assert not seen.page.locator("form.filters").is_visible()
    assert seen.page.locator("#all-models tbody tr").last.is_visible()


def test_the_page_is_dark_where_the_system_is(see):
    brightness = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"

    assert max(see(color_scheme="dark").page.evaluate(brightness)) < 64
    assert min(see(color_scheme="light").page.evaluate(brightness)) > 192


def luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag(scheme, see):
    read = """(names) => {
      const probe = document.body.appendChild(document.createElement("i"));
      return names.map((name) => {
        probe.style.color = `var(--${name})`;
        return getComputedStyle(probe).color.match(/\\d+/g).map(Number);
      });
    }"""
    names = [*TEXTS, *GROUNDS]
    found = see(color_scheme=scheme).page.evaluate(read, names)
    colours = {name: luminance(colour) for name, colour in zip(names, found, strict=True)}

    for text in TEXTS:
        for ground in GROUNDS:
            low, high = sorted((colours[text], colours[ground]))
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_headings_go_down_a_step_at_a_time_and_tables_have_heads(see):
    seen = see("events")
    levels = seen.page.eval_on_selector_all(
        "main h1, main h2, main h3, main h4", "found => found.map((one) => Number(one.tagName[1]))"
    )
    tables = seen.page.locator("main table")

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tables.count() == seen.page.locator("main table:has(thead th[scope=col])").count() > 3
    assert seen.page.locator("main img:not([alt])").count() == 0
    assert seen.page.locator("main img:not([loading=lazy])").count() == 0


def test_a_key_copies_the_command_of_the_selected_model_and_says_so(see):
    seen = see(permissions=["clipboard-read", "clipboard-write"])
    button = (
        seen.page.locator("#dataset-waves").get_by_role("button", name="Copy the command").first
    )

    button.focus()
    seen.page.keyboard.press("Enter")

    expect = playwright.expect
    expect(button).to_have_text("Copied")
    expect(seen.page.locator("#dataset-waves [role=status]").first).to_have_text("Copied")
    assert seen.page.evaluate("navigator.clipboard.readText()") == (
        "seqbench predict --model results/best/waves --recording FILE"
    )
    expect(button).to_have_text("Copy", timeout=5000)


def test_without_a_clipboard_the_command_is_copied_as_a_reader_would(see):
    seen = see()
    seen.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(Error('no')))")

    seen.page.locator("#dataset-waves .copyable button").first.click()

    marked = seen.page.evaluate("getSelection().toString()")
    assert marked == "seqbench predict --model results/best/waves --recording FILE"


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


def test_without_scripts_all_tables_are_there_and_no_dead_control(see):
    seen = see(java_script_enabled=False)

    assert seen.page.locator("#all-models tbody tr").count() == 27
    assert not seen.page.locator("form.filters").is_visible()
    assert seen.page.locator("button:visible").count() == 0
    command = "seqbench predict --model results/best/waves --recording FILE"
    assert command in seen.texts("#dataset-waves .copyable")
    assert seen.page.locator("noscript").count() == 1
