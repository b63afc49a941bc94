"""How Sphinx builds the site: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

from seqbench import __version__

project = "seqbench"
release = __version__
copyright = "2026, the seqbench authors"
extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "mathml",
    "repository_links",
    "command_reference",
    "metric_reference",
    "registry_reference",
]
exclude_patterns = ["extensions"]
html_math_renderer = "mathml"
nitpicky = True
# Types of other packages: their inventories would have to be downloaded at every build.
nitpick_ignore_regex = [
    ("py:.*", r"(?!seqbench\b).*"),
    ("py:class", r"seqbench\..*\.[A-Z]"),  # type variables
    ("py:class", r"seqbench\.config\.stages\..*"),  # on the page of the keys of a config
]
default_role = "literal"
pygments_style = "default"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
numpydoc_show_class_members = False
toc_object_entries = False

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"seqbench {release}"
html_theme_options = {"navigation_with_keys": True}
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # it fetches pages, which a browser refuses of local files
