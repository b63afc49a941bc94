"""Figures of datasets and across them, one look for all."""
