"""The page at every size, in the dark and in print."""

import pytest

from fixtures.browser import DESK, LAPTOP, PAPER, PHONE, TABLET

TEXTS, GROUNDS = ("ink", "muted", "accent", "good", "bad", "warn"), ("paper", "card", "wash")


@pytest.mark.parametrize("name", ["classes", "events"])
@pytest.mark.parametrize(
    "viewport", [PHONE, TABLET, LAPTOP, DESK], ids=["390", "1024", "1280", "1440"]
)
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
    seen = see("events", viewport=PAPER)
    seen.page.emulate_media(media="print")

    assert seen.width() <= PAPER["width"]
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


def test_the_menu_stays_and_marks_the_section_that_is_read(see):
    for viewport in (PHONE, DESK):
        seen = see("events", viewport=viewport, reduced_motion="reduce")
        menu = seen.page.get_by_role("navigation")

        menu.get_by_role("link", name="Cost").click()
        menu.locator("[aria-current][href='#cost']").wait_for()
        assert menu.get_by_role("link", name="Cost").is_visible()
        top, heading = (
            seen.page.locator(selector).bounding_box() for selector in ("nav > ol", "#cost h2")
        )
        assert 0 <= top["y"] < viewport["height"] / 2  # however far the page has moved
        assert heading["y"] >= (top["y"] + top["height"] if viewport == PHONE else 0)

        seen.page.evaluate("scrollTo(0, 0)")
        menu.locator("[aria-current][href='#result']").wait_for()
        assert menu.locator("[aria-current]").count() == 1


def test_nothing_moves_for_readers_who_asked_for_less_motion(see):
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"

    assert see(reduced_motion="reduce").page.evaluate(behaviour) == "auto"
    assert see(reduced_motion="no-preference").page.evaluate(behaviour) == "smooth"
