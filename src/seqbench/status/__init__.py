"""What of a plan is done, and how long the rest takes; reads files and changes none."""
