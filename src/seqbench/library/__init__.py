"""Classes with the names and arguments of the first descriptions, built on the core.

`models`, `data`, `training` and `utils` mirror the package of the description
of the event classifier; `models` also has the models of the other two.
"""
