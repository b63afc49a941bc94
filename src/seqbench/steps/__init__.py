"""The steps of the workflow: ``python -m seqbench.steps.NAME --help``.

Each module has `run` (the step, typed), `main` (text to types) and `warm_up`
(what the fork server imports before it forks steps of this kind).
"""
