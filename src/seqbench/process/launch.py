"""How a step starts: forked from the fork server if there is one, else in this process."""

from seqbench.process.client import run_forked


def launch(module: str, arguments: list[str]) -> int:
    """Run a step, a module with `main` and `preload`, and return its exit code."""
    code = run_forked(module, arguments)
    if code is not None:
        return code
    from seqbench.process.execute import execute  # a client of the fork server needs none of it

    return execute(module, arguments)
