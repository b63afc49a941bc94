"""Sequence models on sensor and physiological recordings, compared under one protocol."""

__version__ = "0.1.0"
