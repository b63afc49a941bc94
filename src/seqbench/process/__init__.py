"""How a step runs: its process, its log, its memory, and the code and machine behind it."""
