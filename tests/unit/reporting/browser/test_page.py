"""The page as a whole: names, headings, copying, and what it is without scripts."""

from itertools import pairwise

from fixtures.pages import NAMES, TITLE


def test_names_are_text_and_nothing_else(see):
    seen = see(anchor="#run/waves/cnn1d/scratch/labels1/seed0")
    body = seen.page.locator("body").text_content()

    assert all(name in body for name in NAMES)
    assert seen.page.locator("h1").text_content() == TITLE
    assert seen.page.locator("script").count() == 2
    assert seen.page.locator("[onload]").count() == 0


def test_headings_go_down_a_step_at_a_time_and_tables_have_heads(see):
    seen = see("events")
    levels = seen.page.eval_on_selector_all(
        "main h1, main h2, main h3, main h4", "found => found.map((one) => Number(one.tagName[1]))"
    )
    tables = seen.page.locator("main table")

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tables.count() == seen.page.locator("main table:has(thead th[scope=col])").count() > 3
    assert seen.page.locator("main .canvas > svg").count() > 5
    assert seen.page.locator("main .canvas > svg:not([role][aria-label])").count() == 0


def test_a_key_copies_the_command_of_the_selected_model_and_says_so(see):
    seen = see(permissions=["clipboard-read", "clipboard-write"])
    button = seen.page.get_by_role("button", name="Copy command for waves")

    button.focus()
    seen.page.keyboard.press("Enter")

    from playwright.sync_api import expect

    expect(button).to_have_text("Copied")
    expect(seen.page.locator("#result [role=status]").first).to_have_text("Copied")
    assert seen.page.evaluate("navigator.clipboard.readText()") == (
        "seqbench predict --model results/best/waves --recording FILE"
    )
    expect(button).to_have_text("Copy command", timeout=5000)


def test_without_a_clipboard_the_command_is_copied_as_a_reader_would(see):
    seen = see()
    seen.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(Error('no')))")

    seen.page.get_by_role("button", name="Copy command for waves").click()

    marked = seen.page.evaluate("getSelection().toString()")
    assert marked == "seqbench predict --model results/best/waves --recording FILE"


def test_without_scripts_all_tables_are_there_and_no_dead_control(see):
    seen = see(java_script_enabled=False)

    assert seen.page.locator("#all-models tbody tr").count() == 27
    assert not seen.page.locator("form.filters").is_visible()
    assert seen.page.locator("button:visible").count() == 0
    command = "seqbench predict --model results/best/waves --recording FILE"
    assert command in seen.texts("#result .copyable")
    assert seen.page.locator("noscript").count() == 1
