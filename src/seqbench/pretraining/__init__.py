"""Objectives that train an encoder without labels, one file each."""
