"""File formats: what is written, what is read back, and what a file says of itself."""
