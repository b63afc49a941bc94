"""Facts, warnings and verdicts of the page in words."""
