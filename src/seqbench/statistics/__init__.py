"""Intervals, and tests across runs and data sets."""
