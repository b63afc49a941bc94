"""Take the pictures of README and site from finished results.

Run from the root of the repository with results of the default benchmark: `make pictures`, after
`make run`. The figures are those of the report; the first screen is what Chromium shows of it.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from seqbench import layout

DOCS = Path("docs")
SCREEN = DOCS / "report.png"
SIZE = {"width": 1440, "height": 900}  # of the window, in pixels
N_COLORS = 256  # of the first screen: a third of the bytes, each colour within 3 %
DATASET = "strikes"
FIGURES = ("timeline", "templates")


def draw_screen(report: Path) -> None:
    """Write what a browser shows of the page before anybody scrolls."""
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=False
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    small = picture.convert("RGB").quantize(N_COLORS, method=method, dither=dither)
    small.save(SCREEN, optimize=True)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="results of the default benchmark")
    results: Path = parser.parse_args().results
    draw_screen(results / Path(layout.REPORT).name)
    for name in FIGURES:
        shutil.copy(results / "figures" / DATASET / f"{name}.svg", DOCS / f"{name}.svg")


if __name__ == "__main__":
    main()
