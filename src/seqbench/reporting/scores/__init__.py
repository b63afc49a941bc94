"""Scores of models side by side: estimates, leaderboards, effects, words for numbers."""
