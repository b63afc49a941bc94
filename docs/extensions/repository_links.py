"""Links to files at the root of the repository lead to the pages that include these files.

Such a file has links below `docs/`, as it is read in the repository too; here they start at the
page.
"""

from sphinx.application import Sphinx

PAGES = {"CONTRIBUTING.md": "/how-to/contributing.md", "CHANGELOG.md": "/reference/changelog.md"}


def _resolved(app: Sphinx, page: str, source: list[str]) -> None:
    up = "../" * (page.count("/") + 1)
    for file, target in PAGES.items():
        source[0] = source[0].replace(f"]({up}{file}", f"]({target}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Change the text of a page when it has been read."""
    app.connect("source-read", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
