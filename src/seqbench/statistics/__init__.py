"""Intervals, and tests across runs and datasets."""
