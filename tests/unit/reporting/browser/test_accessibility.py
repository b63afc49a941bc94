"""What axe-core finds on the page, in its panels, at a desk, on a phone and in the dark."""

import pytest

from fixtures.browser import DESK, PHONE

SERIOUS = ("serious", "critical")
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"
RUN = "#run/waves/cnn1d/scratch/labels1/seed0"
TOGETHER = "#compare/waves/cnn1d/scratch/labels1/seed0,waves/gru/scratch/labels1/seed1"


@pytest.fixture(scope="module")
def axe():
    """What runs axe-core in a page."""
    package = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="no axe-core here: pip install -e '.[dev]'"
    )
    return package.Axe()


def findings(axe, seen):
    """Return the rules that are broken badly, and where."""
    seen.page.evaluate(OPEN_ALL)
    violations = axe.run(seen.page).response["violations"]
    return {
        one["id"]: [node["html"][:200] for node in one["nodes"]]
        for one in violations
        if one["impact"] in SERIOUS
    }


@pytest.mark.parametrize(
    ("name", "viewport", "scheme"),
    [
        ("classes", DESK, "light"),
        ("classes", PHONE, "dark"),
        ("events", DESK, "dark"),
        ("events", PHONE, "light"),
    ],
)
def test_axe_finds_nothing_serious_on_the_page(name, viewport, scheme, axe, see):
    assert findings(axe, see(name, viewport=viewport, color_scheme=scheme)) == {}


@pytest.mark.parametrize(
    ("anchor", "scheme"), [(RUN, "light"), (TOGETHER, "dark")], ids=["run", "comparison"]
)
def test_axe_finds_nothing_serious_in_the_panel(anchor, scheme, axe, see):
    seen = see(anchor=anchor, color_scheme=scheme)
    seen.page.get_by_role("dialog").wait_for()

    assert findings(axe, seen) == {}


def test_axe_would_find_a_picture_without_words(axe, see):
    seen = see("events")
    seen.page.evaluate("document.querySelector('main').append(document.createElement('img'))")

    assert "image-alt" in findings(axe, seen)
