"""A class for every sample."""
