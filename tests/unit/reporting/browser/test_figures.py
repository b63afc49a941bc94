"""Figures that are pointed at, walked through by keys and stripped of curves."""

import csv
import json

import pytest

from seqbench import layout

OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.fixture
def figure(see):
    """Return what opens a page of detection and finds a figure in it."""

    def find(title, **options):
        seen = see("events", **options)
        seen.page.evaluate(OPEN_ALL)
        return seen, seen.page.locator(f".canvas > svg[aria-label^='{title}, strikes.']")

    return find


@pytest.fixture
def rows_of(pages):
    """Return what reads the rows of a figure's table."""

    def read(name):
        path = layout.FIGURE_TABLE.format(dataset="strikes", figure=name)
        with (pages["events"].parents[1] / path).open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


def tip(seen):
    """Return what stands beside the point, in a line, and whether one is marked."""
    text = seen.page.locator(".tip").inner_text()
    return " ".join(text.split()), seen.page.locator(".ring").count() == 1


def four_digits(value):
    return f"{float(f'{float(value):.4g}'):g}"


def test_a_dot_shows_its_row_of_the_table(figure, rows_of):
    seen, svg = figure("Leaderboard")
    dots = svg.locator("g[clip-path] > use")
    runs = {
        f"{row['architecture']} · {row['arm']} seed {four_digits(row['seed'])}"
        f" · F1 at 5 ms {four_digits(row['value'])}"
        for row in rows_of("leaderboard")
        if row["shows"] == "run"
    }

    found = set()
    for dot in dots.all():
        dot.hover(force=True)  # the bar of the mean may lie over it
        text, is_marked = tip(seen)
        assert is_marked
        found.add(text)
    seen.page.mouse.move(1, 1)

    assert len(found) == 5  # the floor lies outside
    assert found <= runs
    assert tip(seen) == ("", False)


def test_keys_go_from_point_to_point_and_from_curve_to_curve(figure, rows_of):
    seen, svg = figure("F1 against tolerance")
    rows = rows_of("tolerance")
    by_model = {}
    for row in rows:
        name = f"{row['architecture']} · {row['arm']}"
        by_model.setdefault(name, []).append(
            f"{name} tolerance {four_digits(row['tolerance_ms'])} ms"
        )
    (first, of_first), (second, of_second) = list(by_model.items())[:2]

    svg.focus()
    seen.page.keyboard.press("Home")
    for step in of_first[:3]:
        assert tip(seen)[0].startswith(step)
        seen.page.keyboard.press("ArrowRight")
    seen.page.keyboard.press("End")
    assert tip(seen)[0].startswith(of_first[-1])
    seen.page.keyboard.press("ArrowRight")
    assert tip(seen)[0].startswith(of_second[0])
    seen.page.keyboard.press("ArrowUp")
    assert tip(seen)[0].startswith(of_first[0])
    seen.page.keyboard.press("Escape")

    assert first != second
    assert tip(seen) == ("", False)


@pytest.mark.parametrize("way", ["click", "Enter", "Space"])
def test_an_entry_of_the_legend_hides_its_curves_and_brings_them_back(way, figure):
    seen, svg = figure("Learning curves")
    entry = svg.get_by_role("button", name="train")
    key = entry.get_attribute("data-key")
    curves = svg.locator(f"[data-of~='{key}']")
    others = svg.locator(f"[data-of]:not([data-of~='{key}'])")

    def use():
        if way == "click":
            entry.click()
        else:
            entry.focus()
            seen.page.keyboard.press(way)

    n = curves.count()
    use()
    assert n == 4
    assert [one.is_visible() for one in curves.all()] == n * [False]
    assert all(
        one.evaluate("one => getComputedStyle(one).display") != "none" for one in others.all()
    )
    assert entry.get_attribute("aria-pressed") == "false"
    use()

    assert svg.locator(".off").count() == 0
    assert entry.get_attribute("aria-pressed") == "true"


def test_a_hidden_curve_has_no_values(figure):
    seen, svg = figure("F1 against tolerance")
    values = json.loads(svg.get_attribute("data-values"))
    names = [mark[0] for mark in values["marks"]]

    for entry in svg.get_by_role("button").all()[1:]:
        entry.click()
    svg.focus()
    met = set()
    for _ in names:
        seen.page.keyboard.press("ArrowDown")
        met.add(seen.page.locator(".tip b").inner_text())

    assert len(names) > 2
    assert len(met) == 1


def test_links_under_a_figure_lead_to_its_files(see, pages):
    seen = see("events")
    links = seen.page.locator("figure:has(svg[aria-label^='Leaderboard, ']) figcaption a")

    assert links.all_text_contents() == ["SVG", "PDF", "CSV"]
    for link in links.all():
        assert (pages["events"].parent / link.get_attribute("href")).is_file()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_of_figures_have_the_contrast_of_wcag_on_their_ground(scheme, figure):
    read = """(svg) => {
      const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const light = (text) => rgb(text).map((p) => p / 255)
        .map((p) => p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4)
        .reduce((sum, p, i) => sum + p * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = light(getComputedStyle(svg.parentElement).backgroundColor);
      return [...svg.querySelectorAll("text")].map((one) => {
        const [low, high] = [light(getComputedStyle(one).fill), ground].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      });
    }"""
    _, svg = figure("Leaderboard", color_scheme=scheme)
    ratios = svg.evaluate(read)

    assert len(ratios) > 8
    assert min(ratios) >= 4.5
