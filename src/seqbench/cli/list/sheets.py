"""What is known of a name: a sheet for each kind of thing that a config can name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from seqbench.cli.list import fits
from seqbench.cli.list.ranges import as_yaml, described
from seqbench.config.datasets import built_in_datasets
from seqbench.config.registry import (
    ARCHITECTURES,
    BASELINES,
    DATASETS,
    METRICS,
    OBJECTIVES,
    TASKS,
    Entry,
)
from seqbench.config.tuning import SPACE_OF_TRAINING
from seqbench.tasks.metric_names import expand, family_of, summary

SHOWN = ("", "Notes", "References")  # sections of a docstring; options stand in a table
LABELS = {
    "classes": "labelled intervals",
    "events": "events",
    "values": "a value for each sample",
    "none": "none; the recording itself is predicted",
}
BETTER = {"higher": "higher is better", "lower": "lower is better", "zero": "zero is best"}


class Sheet(NamedTuple):
    """What is known of one name.

    Parameters
    ----------
    summary
        A sentence.
    facts
        By heading.
    options
        By name, with range, unit, default and meaning.
    paragraphs
        Notes and references.
    """

    summary: str
    facts: dict[str, str]
    options: dict[str, str]
    paragraphs: list[str]


def architecture(name: str) -> Sheet:
    """Return what is known of an architecture."""
    entry = ARCHITECTURES.entry(name)
    tags = entry.tags
    space = {key: one.model_dump() for key, one in SPACE_OF_TRAINING.items()}
    facts = {
        "samples": _listed(tags["accepts"]),
        "tasks": _listed(fits.tasks_of(tags)),
        "start": f"as the baseline {tags['starts_as']}, fitted on train; arm scratch alone"
        if "starts_as" in tags
        else "",
        "causal": f"with {_settings(tags['causal_with'])}: events are found while samples arrive"
        if "causal_with" in tags
        else "",
        "conditions": "; ".join(_conditions(tags)),
        "datasets": _listed(fits.datasets_of(name)),
        "tune": _space(space | tags.get("space", {})),
        "in a config": f"`runs: [{{datasets: […], architectures: [{name}]}}]`;"
        f" options under `architectures: {{{name}: …}}`, beside `embedding_size`, `init`,"
        " `pretrain`, `finetune` and `tune`",
    }
    return _sheet(entry, facts)


def baseline(name: str) -> Sheet:
    """Return what is known of a baseline."""
    entry = BASELINES.entry(name)
    tags = entry.tags
    roles = [
        f"{role} of {_listed(tags[f'{role}_of'])}"
        for role in ("floor", "ceiling")
        if f"{role}_of" in tags
    ]
    facts = {
        "samples": _listed(tags["accepts"]),
        "tasks": _listed(tags["tasks"]),
        "role": "; ".join(roles),
        "needs": "; ".join(map(_need, tags.get("needs", ()))),
        "fitted": "once for each seed" if tags.get("stochastic") else "once, whatever the seeds",
        "datasets": _listed(fits.datasets_of_baseline(name)),
        "tune": _space(tags.get("space", {})),
        "in a config": f"`baselines: [{name}]`; options under `baseline_options: {{{name}: …}}`",
    }
    return _sheet(entry, facts)


def objective(name: str) -> Sheet:
    """Return what is known of a pretraining objective."""
    entry = OBJECTIVES.entry(name)
    facts = {
        "samples": _listed(entry.tags["accepts"]),
        "arms": f"{name}_finetune, {name}_probe (encoder frozen), and"
        f" {name}_from_DATASET_finetune, {name}_from_DATASET_probe (pretrained on another)",
        "in a config": f"`runs: [{{…, arms: [scratch, {name}_finetune]}}]`; options under"
        f" `objectives: {{{name}: …}}`",
    }
    return _sheet(entry, facts)


def dataset_summary(name: str) -> str:
    """Return what a built-in dataset is: its source, with the options that it sets."""
    entry = built_in_datasets()[name]
    options = as_yaml(entry.source_options).strip("{}")
    return DATASETS.entry(entry.source).summary + (f" `{options}`" if options else "")


def dataset(name: str) -> Sheet:
    """Return what is known of a built-in dataset."""
    entry = built_in_datasets()[name]
    given = entry.model_dump(mode="json", exclude_unset=True)
    facts = {
        "task": fits.task_of(name),
        "samples": fits.sample_of(name),
        "entry": as_yaml({"source": entry.source} | given),
        "normalization": entry.normalization,
        "architectures": _listed(fits.architectures_of(name)),
        "baselines": _listed(fits.baselines_of(name)),
        "in a config": f"`runs: [{{datasets: [{name}], architectures: […]}}]`; an entry `{name}`"
        " under `datasets` takes the place of this one",
    }
    if entry.source != name:
        facts["options"] = f"those of the source: `seqbench list {entry.source}`"
    sheet = _sheet(DATASETS.entry(entry.source), facts)
    # Of a source of the same name, which is shown too, they need not stand there twice.
    paragraphs = [] if entry.source == name else sheet.paragraphs
    return sheet._replace(summary=dataset_summary(name), options={}, paragraphs=paragraphs)


def source(name: str) -> Sheet:
    """Return what is known of a source of datasets."""
    entry = DATASETS.entry(name)
    tags = entry.tags
    has_task = "task" in entry.options.model_fields
    built_in = [key for key, one in built_in_datasets().items() if one.source == name]
    facts = {
        "task": "as the option `task` has it" if has_task else tags["task"],
        "samples": tags["sample"],
        "offers": _listed([*tags.get("offers", ()), *tags.get("offered_by", ())]),
        "reads": f"your files, below `{tags['reads']}`" if "reads" in tags else "",
        "datasets": _listed(built_in),
        "in a config": f"`datasets: {{NAME: {{source: {name}, …}}}}`, options beside `source`",
    }
    return _sheet(entry, facts)


def task(name: str) -> Sheet:
    """Return what is known of a task."""
    entry = TASKS.entry(name)
    known = TASKS[name]()
    facts = {
        "labels": LABELS[entry.tags.get("labels", "classes")],
        "ranked by": known.headline,
        "metrics": _listed(known.metric_names()),
        "architectures": _listed(
            one
            for one in sorted(ARCHITECTURES)
            if name in fits.tasks_of(ARCHITECTURES.entry(one).tags)
        ),
        "baselines": _listed(
            one for one in sorted(BASELINES) if name in BASELINES.entry(one).tags["tasks"]
        ),
        "datasets": _listed(
            one for one in sorted(built_in_datasets()) if fits.task_of(one) == name
        ),
        "in a config": f"the task of a dataset; options under `tasks: {{{name}: …}}`",
    }
    return _sheet(entry, facts)


def metric(name: str) -> Sheet:
    """Return what is known of a metric, or of a family of metrics at all tolerances."""
    family, _ = family_of(name) if name not in METRICS else (name, None)
    entry = METRICS.entry(family)
    names = expand(family)
    ranked = [one for one in entry.tags["tasks"] if TASKS[one]().headline in names]
    facts = {
        "tasks": _listed(entry.tags["tasks"]),
        "better": BETTER[entry.tags["better"]],
        "ranks": _listed(ranked),
        "in summary.csv": _listed(names),
        "in a config": "none is named there: each is computed where its task is",
    }
    sheet = _sheet(entry, facts)
    return sheet if name == family else sheet._replace(summary=summary(name))


def _sheet(entry: Entry, facts: Mapping[str, str]) -> Sheet:
    return Sheet(
        entry.summary,
        {heading: fact for heading, fact in facts.items() if fact},
        described(entry.options),
        list(_paragraphs(entry.docstring)),
    )


def _paragraphs(docstring: str) -> Iterator[str]:
    """Yield the paragraphs of a numpydoc docstring that say more than its options do.

    Formulas are left as they are written, in LaTeX.
    """
    _, _, rest = docstring.partition("\n")
    rest = re.sub(r":math:(?=`)|^\s*\.\. math:: ", "", rest, flags=re.M)
    parts = re.split(r"^(\w+)\n-{3,}$", rest, flags=re.M)
    for title, text in zip(["", *parts[1::2]], parts[::2], strict=True):
        if title in SHOWN:
            yield from (one for one in re.split(r"\n\s*\n", text) if one.strip())


def _conditions(tags: Mapping[str, Any]) -> Iterator[str]:
    if "same_length" in tags:
        yield f"{_listed(tags['same_length'])} are lists of the same length"
    for option, needed in tags.get("only_with", {}).items():
        yield f"{option} goes with {_settings(needed)} alone"


def _need(thing: str) -> str:
    offering, on_request = fits.sources_with(thing)
    places = [
        *([f"offered by {_listed(offering)}"] if offering else []),
        *(f"by {name} where `{option}` is set" for name, option in on_request.items()),
    ]
    return f"'{thing}', {', '.join(places)}"


def _space(space: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_dimension(one)}" for key, one in space.items())


def _dimension(one: Any) -> str:
    if isinstance(one, dict):
        scale = " on a logarithmic scale" if one.get("log") else ""
        return f"{one['low']:g} to {one['high']:g}{scale}"
    return as_yaml([list(value) if isinstance(value, tuple) else value for value in one])


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}: {as_yaml(value)}`" for key, value in values.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
