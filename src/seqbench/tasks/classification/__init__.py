"""Window to one class."""
