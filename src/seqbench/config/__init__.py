"""What a user writes, checked before anything runs, and the registries of its names."""
