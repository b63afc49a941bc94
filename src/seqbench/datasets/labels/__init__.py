"""Readers of the tables beside a user's recordings: one module for each."""
