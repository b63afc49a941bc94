"""Errors that end in one sentence instead of a traceback."""


class UserError(ValueError):
    """Something the user can fix; the message names the file, row or key, and the fix."""


class FormatError(UserError):
    """A file is missing, damaged, or of another kind or version than expected."""


class DamagedError(FormatError):
    """A file is damaged or of another version; a step adds that the next run makes it again."""


def printable(text: str) -> str:
    """Return a text that changes nothing but a line of a terminal or log.

    Names of files and keys are the user's, or whoever sent them the data: a
    control character in one could colour, hide or forge lines.
    """
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() or mark == "\n" else mark.encode("unicode_escape").decode()
        for mark in text
    )


def one_line(text: str) -> str:
    """Return a printable text with its lines joined, so that it cannot pass for more than one."""
    return printable(" ".join(text.split()))
