"""Values behind the end of a window."""
