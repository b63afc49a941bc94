"""The tables of docs/how-to/interruptions.md name tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_row_of_the_tables_is_held_by_a_test():
    text = (ROOT / "docs" / "how-to" / "interruptions.md").read_text(encoding="utf-8")
    tables = text[text.index("## What runs again") :]
    rows = [line for line in tables.splitlines() if line.startswith("| ") and "held by" not in line]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    there_are = set(re.findall(r"def (test_\w+)\(", sources))

    assert len(rows) > 40
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= there_are, row
