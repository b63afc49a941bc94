"""Results as a folder for web servers and archives, whole and checkable."""
