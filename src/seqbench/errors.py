"""The error that is answered by one sentence instead of a traceback."""


class UserError(ValueError):
    """Something the user can mend; the message names the file, row or key, and the mend."""


def printable(text: str) -> str:
    """Return a text that changes nothing but a line of a terminal or log.

    Names of files and keys are the user's, or whoever sent them the data: a
    control character in one could colour, hide or forge lines.
    """
    return "".join(
        mark if mark.isprintable() or mark == "\n" else mark.encode("unicode_escape").decode()
        for mark in text
    )


def one_line(text: str) -> str:
    """Return a printable text with its lines joined, so that it cannot pass for more than one."""
    return printable(" ".join(text.split()))
