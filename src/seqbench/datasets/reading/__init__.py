"""Readers of recordings: one module for each format, and streams."""
