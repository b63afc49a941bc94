"""The steps of the workflow: ``python -m seqbench.steps NAME --help``.

Each module has `main` (text to types, and one call) and `preload`
(what the fork server imports before it forks steps of this kind).
"""
