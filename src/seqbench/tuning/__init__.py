"""Trials of options, each trained on train and scored on val, and the choice among them."""
