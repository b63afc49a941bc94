"""Classes with the names and arguments of the first descriptions, built on the core."""
