"""The script of the page: one file a concern, joined so that each finds those it needs."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = (
    *("elements", "data", "menu", "sorting", "models", "copying"),
    *("curves", "together", "figures"),
    "runs",  # last: opens what the address names
)


def script() -> Markup:
    """Return the script, from our own files; all of them share one scope."""
    texts = [(TEMPLATES / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return Markup("\n".join(['"use strict";', *texts]))


def script_digest(text: str) -> str:
    """Return what lets a browser run this script, and no other, in the page."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
