"""The joined leaderboard in a browser: at a desk, on a phone and in the dark."""

import pytest

from fixtures.browser import DESK, NO_PLAYWRIGHT, PHONE, Seen, started_browser
from fixtures.pages import LONG, QUOTED, TITLE
from seqbench.cli.main import main
from seqbench.reporting.figures import rendering

DRAW = rendering.draw  # of a figure that a reader sees
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.fixture
def browser():
    """The browser."""
    with started_browser() as browser:
        yield browser


def test_the_joined_page_reads_well_and_shows_a_diagram_of_seven_datasets(
    browser, make_results, tmp_path, monkeypatch
):
    package = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NO_PLAYWRIGHT)
    sources = {f"waves{i}": {"source": "waves"} for i in range(7)}
    grid = {"sources": sources, "datasets": list(sources), "seeds": [0]}
    skills = {"cnn1d": 0.9, "gru": 0.8, "majority": 0.3}
    roots = [
        make_results(name, skill=lambda run: skills[run.architecture], architectures=[name], **grid)
        for name in ("cnn1d", "gru")
    ]
    monkeypatch.setattr(rendering, "draw", DRAW)
    out = tmp_path / "joined"
    names = ["--names", LONG, QUOTED, "--title", TITLE]
    main(["merge", *map(str, roots), str(out), *names])

    assert (out / "results/figures/_across/classification/critical_difference.svg").is_file()
    for viewport, scheme in ((DESK, "light"), (PHONE, "dark")):
        seen = Seen(browser, out / "index.html", viewport, color_scheme=scheme)
        assert seen.page.locator("figure svg").count() == 1
        links = [a.get_attribute("href") for a in seen.page.locator("main a").all()]
        assert all((out / one).is_file() for one in links if not one.startswith("#"))
        assert seen.width() <= viewport["width"]
        seen.page.evaluate(OPEN_ALL)
        violations = package.Axe().run(seen.page).response["violations"]
        assert [one for one in violations if one["impact"] in ("serious", "critical")] == []
        assert seen.messages == []
        assert seen.urls == {(out / "index.html").as_uri()}
        seen.context.close()
