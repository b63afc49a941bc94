"""The steps of the workflow: ``python -m seqbench.steps.NAME --help``.

Each module has `run` (the step, typed), `main` (text to types) and `imports`
(what a warm process should have loaded before it forks this step).
"""
