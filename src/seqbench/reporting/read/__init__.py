"""What runs left behind, read from files."""
