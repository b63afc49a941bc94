"""From recordings to windows: split first, then cut, then normalise with train's statistics."""
