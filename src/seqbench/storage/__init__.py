"""File formats: dataclasses, and how they are written and read."""
