"""Tolerances at which events are matched; apart from the options, as scores depend on them."""

TOLERANCES_MS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 50.0, 150.0)
