"""The error that is answered by one sentence instead of a traceback."""


class UserError(ValueError):
    """Something the user can mend; the message names the file, row or key, and the mend."""
