"""The options of a run under the keys of the configuration, beside their defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from seqbench.config.datasets import DatasetEntry, built_in_datasets
from seqbench.config.options import Options
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, OBJECTIVES, TASKS, Registry
from seqbench.config.variants import ArchitectureEntry
from seqbench.plan.job_settings import (
    BaselineJobSettings,
    FinetuneJobSettings,
    IngestJobSettings,
    PretrainJobSettings,
)
from seqbench.plan.plan import Plan, Run

OF_WINDOWS = ("rename", "split", "transform", "window", "normalization")


@dataclass(frozen=True)
class OptionGroup:
    """Options that stand together in the configuration.

    Parameters
    ----------
    section
        Its key there, such as `architectures`.
    name
        Key below it, such as `lstm`; empty where options stand in the section itself.
    options
        Of each its key, its value, and its default where the value is another: as texts.
    """

    section: str
    name: str
    options: tuple[tuple[str, ...], ...]


def option_groups(plan: Plan, run: Run, settings: Mapping[str, Options]) -> list[OptionGroup]:
    """Return the options of a run, those of its dataset last.

    Parameters
    ----------
    plan
        Knows what the dataset, the architecture and the objective are called.
    run
        Its labels, arm and seed are no options, and stand in none.
    settings
        Of its steps, by name of the step.
    """
    found = [
        *_of_model(run, settings),
        *_of_pretraining(plan, run, settings),
        *_of_dataset(plan, run, settings),
    ]
    return [group for group in found if group.options]


def _of_model(run: Run, settings: Mapping[str, Options]) -> Iterator[OptionGroup]:
    job = settings.get("refit") or settings.get("finetune") or settings.get("fit_baseline")
    if isinstance(job, FinetuneJobSettings):
        defaults = _registered(ARCHITECTURES, job.architecture)
        options = dict(job.architecture_options)
        if job.embedding_size is not None:
            options["embedding_size"] = job.embedding_size
            defaults["embedding_size"] = ArchitectureEntry().embedding_size
        yield _group("architectures", run.architecture, options, defaults)
        yield _group("finetune", "", _values(job.optimizer), _defaults(type(job.optimizer)))
    elif isinstance(job, BaselineJobSettings):
        defaults = _registered(BASELINES, job.baseline)
        yield _group("baseline_options", job.baseline, job.options, defaults)
    if isinstance(job, FinetuneJobSettings | BaselineJobSettings):
        yield _group("tasks", job.task, job.task_options, _registered(TASKS, job.task))


def _of_pretraining(plan: Plan, run: Run, settings: Mapping[str, Options]) -> Iterator[OptionGroup]:
    job, pretraining = settings.get("pretrain"), plan.pretraining(run)
    if isinstance(job, PretrainJobSettings) and pretraining is not None:
        defaults = _registered(OBJECTIVES, job.objective)
        yield _group("objectives", pretraining.objective, job.objective_options, defaults)
        yield _group("pretrain", "", _values(job.optimizer), _defaults(type(job.optimizer)))


def _of_dataset(plan: Plan, run: Run, settings: Mapping[str, Options]) -> Iterator[OptionGroup]:
    """Yield the options of a dataset; the defaults of a built-in one are what is built in."""
    name, job = plan.benchmark.base_dataset(run.dataset), settings.get("ingest")
    if isinstance(job, IngestJobSettings):
        plain = built_in_datasets().get(name)
        if plain is None or plain.source != job.source:  # another dataset may take its name
            plain = DatasetEntry(source=job.source)
        values = _values(plan.benchmark.named_datasets[name], OF_WINDOWS) | job.options
        defaults = _values(plain, OF_WINDOWS) | _registered(DATASETS, job.source)
        defaults |= to_jsonable_python(plain.source_options)
        yield _group("datasets", name, values, defaults)


def _group(
    section: str, name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> OptionGroup:
    """Return options as texts; nested ones by dotted keys."""
    usual = dict(_flat(defaults))
    options = []
    for key, value in _flat(values):
        has_changed = key not in usual or usual[key] != value
        default = [_text(usual[key]) if key in usual else ""] if has_changed else []
        options.append((key, _text(value), *default))
    return OptionGroup(section, name, tuple(options))


def _registered(registry: Registry, name: str) -> dict[str, Any]:
    return _defaults(registry.entry(name).options)


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return the defaults of the fields that have one, as JSON values."""
    fields = model.model_fields.items()
    return {
        name: to_jsonable_python(field.get_default(call_default_factory=True))
        for name, field in fields
        if not field.is_required()
    }


def _values(model: BaseModel, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    found = model.model_dump(mode="json")
    return found if names is None else {name: found[name] for name in names}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: Any) -> str:
    """Write a value as the configuration does; what is empty is `null`."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
