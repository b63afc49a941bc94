"""Heart, skin, temperature and motion: features of windows, and a forest on them."""
