"""Tasks: one folder each, with head, targets, windows, metrics, figures and config checks."""
