"""All that figures and text of a dataset draw on, gathered once."""
