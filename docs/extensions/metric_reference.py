"""Every metric with its formula and its source: ``{metrics}``."""

from generated import PARALLEL, GeneratedText, prose
from sphinx.application import Sphinx

from seqbench.config.registry import METRICS, Entry
from seqbench.config.tolerances import TOLERANCES_MS
from seqbench.tasks.metric_names import expand

DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "zero": "best at zero"}


class Metrics(GeneratedText):
    """A section for each metric, under the first task that it belongs to."""

    def markdown(self) -> str:
        """Return the sections, those of a task in the order of its leaderboard."""
        entries = sorted(map(METRICS.entry, METRICS), key=lambda entry: entry.tags["order"])
        tasks = sorted({entry.tags["tasks"][0] for entry in entries})
        return "\n".join(
            f"## {task.capitalize()}\n\n"
            + "\n".join(_section(entry) for entry in entries if entry.tags["tasks"][0] == task)
            for task in tasks
        )


def _section(entry: Entry) -> str:
    facts = [", ".join(entry.tags["tasks"]), DIRECTIONS[entry.tags["better"]]]
    if entry.tags.get("probabilities"):
        facts.append("of probabilities alone")
    if entry.tags.get("ends"):
        facts.append("where ends are predicted")
    if entry.tags.get("of_frames"):
        facts.append("of video alone")
    if len(names := expand(entry.name)) > 1:
        at = ", ".join(f"{tolerance_ms:g}" for tolerance_ms in TOLERANCES_MS)
        facts.append(f"at tolerances of {at} ms, such as `{names[0]}`")
    return f"### {entry.name}\n\n*{'; '.join(facts)}*\n\n{prose(entry.docstring)}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("metrics", Metrics)
    return PARALLEL
