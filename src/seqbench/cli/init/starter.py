"""The text of a starter config: YAML with the reason of each guess as a comment."""

from textwrap import wrap
from typing import Any

import yaml

from seqbench.cli.init.proposals import Models, Proposal

WIDTH = 100  # of a line


def starter(
    *, dataset: str, facts: list[str], models: Models, entry: dict[str, Proposal], notes: list[str]
) -> str:
    """Return the config.

    Parameters
    ----------
    dataset
        Its name.
    facts
        Sentences on the folder.
    models
        Of the one entry of `runs`.
    entry
        Keys of the dataset.
    notes
        Comments below it, on what might be set.
    """
    lines = [
        "# Written by `seqbench init`. A comment says what its value was guessed from.",
        *(line for fact in facts for line in _comment("", fact)),
        "",
        "runs:",
        f"  - datasets: [{dataset}]",
        f"    architectures: {_flow(models.architectures)}",
        "    seeds: [0, 1, 2]                    # three trainings each show what chance does",
        "",
        *_line("", "baselines", Proposal(models.baselines, models.reason)),
        "",
        "datasets:",
        f"  {dataset}:",
    ]
    for key, proposal in entry.items():
        lines += _line("    ", key, proposal)
    lines += [line for note in notes for line in _comment("    ", note)]
    return "\n".join([*lines, ""])


def _line(indent: str, key: str, proposal: Proposal) -> list[str]:
    """Return a key with its comment, above it where the line would be too long."""
    text = f"{indent}{key}: {_flow(proposal.value)}"
    if not proposal.reason:
        return [text]
    with_comment = f"{text:<39} # {proposal.reason}"
    if len(with_comment) <= WIDTH:
        return [with_comment]
    return [*_comment(indent, proposal.reason), text]


def _comment(indent: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _flow(value: Any) -> str:
    """Return a value as YAML writes it in one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()
