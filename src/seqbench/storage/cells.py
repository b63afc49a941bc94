"""Text as a cell of a CSV file, which people open with a spreadsheet."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(text: str) -> str:
    """Return a name as a cell that no spreadsheet takes for a formula; a number is none."""
    return f"'{text}" if text.startswith(FORMULAS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
