"""Print everything a config can name, with options and defaults."""

from argparse import ArgumentParser
from typing import Any

from seqbench.config.datasets import built_in_datasets
from seqbench.config.registry import REGISTRIES


def add_arguments(parser: ArgumentParser) -> None:
    """Add none."""


def run() -> None:
    """Print every registry, then the built-in datasets."""
    for registry in REGISTRIES:
        print(f"\n{registry.kind}s")
        for name in registry:
            entry = registry.entry(name)
            print(f"  {name:<20} {entry.summary}")
            for option, field in entry.options.model_fields.items():
                default = "required" if field.is_required() else field.default
                print(f"  {'':<20}   {option}: {default}")
            if "space" in entry.tags:
                space = ", ".join(
                    f"{key} {_values(one)}" for key, one in entry.tags["space"].items()
                )
                print(f"  {'':<20}   searched under `tune`: {space}")
    print("\nbuilt-in datasets")
    for name, dataset in built_in_datasets().items():
        options = ", ".join(f"{key}: {value}" for key, value in dataset.source_options.items())
        print(f"  {name:<20} source: {dataset.source}{', ' + options if options else ''}")


def _values(dimension: Any) -> str:
    if isinstance(dimension, dict):
        return f"{dimension['low']:g} to {dimension['high']:g}"
    return str([list(one) if isinstance(one, tuple) else one for one in dimension])
