"""Values for every sample."""
