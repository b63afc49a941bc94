"""The JSON schema of `config.yaml`, for editors."""

from typing import Any

from pydantic import Field, create_model

from seqbench.config.benchmark import Benchmark
from seqbench.config.options import Options
from seqbench.config.registry import ARCHITECTURES, BASELINES, DATASETS, OBJECTIVES, TASKS, Registry
from seqbench.config.variants import ArchitectureEntry, BaselineEntry, Entry, Variant


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of `config.yaml` for editors, options of every extension included."""
    by_name = {
        "architectures": _options_by_name(ARCHITECTURES, ArchitectureEntry),
        "objectives": _options_by_name(OBJECTIVES, Variant),
        "baseline_options": _options_by_name(BASELINES, BaselineEntry),
        "tasks": _options_by_name(TASKS),
    }
    fields: dict[str, Any] = {
        key: (model, Field({}, description=Benchmark.model_fields[key].description))
        for key, model in by_name.items()
    }
    model = create_model("Benchmark", __base__=Benchmark, **fields)
    schema = model.model_json_schema()
    entry = schema["$defs"]["DatasetEntry"]
    for source in DATASETS:
        options = DATASETS.entry(source).options.model_json_schema(ref_template="#/$defs/{model}")
        for option, description in options.get("properties", {}).items():
            entry["properties"].setdefault(
                option, {"description": description.get("description", "")}
            )
    entry["properties"]["source"]["enum"] = list(DATASETS)
    entry["additionalProperties"] = False
    for key, variant in (("architectures", ArchitectureEntry), ("objectives", Variant)):
        options = schema["$defs"][by_name[key].__name__]
        options["additionalProperties"] = variant.model_json_schema() | {"required": ["of"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _options_by_name(registry: Registry, variant: type[Entry] | None = None) -> type[Options]:
    """Return a model with the options of each registered name, and of variants where allowed."""
    fields: dict[str, Any] = {}
    for name in registry:
        entry = registry.entry(name)
        beside: dict[str, Any] = {
            key: (field.annotation, field)
            for key, field in (variant.model_fields if variant else {}).items()
            if key != "of"
        }
        options = create_model(entry.options.__name__, __base__=entry.options, **beside)
        fields[name] = (options | None, Field(None, description=entry.summary))
    return create_model(f"{registry.kind.title()}Options", __base__=Options, **fields)
