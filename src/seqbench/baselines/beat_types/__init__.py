"""Types of heart beats, from their rhythm and shape."""
