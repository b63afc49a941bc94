"""Recording to typed, timed events."""
