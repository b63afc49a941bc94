"""Use of a finished model on new recordings."""
