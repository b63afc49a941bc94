"""Floors and ceilings: what a deep model must beat, and what it could reach."""
