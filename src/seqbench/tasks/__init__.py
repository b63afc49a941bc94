"""What a model is asked: one folder a task, with its head and metrics."""
