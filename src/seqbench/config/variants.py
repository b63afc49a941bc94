"""Variants: options of something registered, under its own name or another."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seqbench.config.messages import option_problems, sentence
from seqbench.config.options import Count, Options
from seqbench.config.registry import Registry

Entry = TypeVar("Entry", bound="Variant")
Settings = TypeVar("Settings", bound=Options)


class Variant(BaseModel):
    """Options of something registered, under its own name or another."""

    model_config = ConfigDict(extra="allow", frozen=True)

    of: str | None = Field(
        None, description="Registered name whose options these are; empty: the key itself."
    )

    @property
    def options(self) -> dict[str, Any]:
        """Keys that belong to what is registered."""
        return dict(self.model_extra or {})


class ArchitectureEntry(Variant):
    """An architecture or a variant of one, and how its training differs from the others'."""

    embedding_size: Count = Field(
        32, description="Numbers that a token becomes; series are taken as they are."
    )
    pretrain: dict[str, Any] = Field({}, description="Settings of `pretrain` that differ here.")
    finetune: dict[str, Any] = Field({}, description="Settings of `finetune` that differ here.")


def with_registered(
    registry: Registry, entries: dict[str, Entry], plain: Entry
) -> dict[str, Entry]:
    """Return the registered names, each with a plain entry, and the entries, `of` filled in."""
    found = dict.fromkeys(registry, plain) | entries
    return {name: one.model_copy(update={"of": one.of or name}) for name, one in found.items()}


def unknown_variants(
    place: str, registry: Registry, entries: Mapping[str, Variant]
) -> Iterator[str]:
    """Yield a sentence for each variant of something that is not registered."""
    for name, entry in entries.items():
        if name in registry and entry.of not in (None, name):
            yield (
                f"{place}.{name}: this is itself a registered {registry.kind}; give the variant of"
                f" '{entry.of}' another name"
            )
        elif name not in registry and entry.of is None:
            yield (
                f"{place}: {registry.unknown(name)}; a variant names it with `of`, as in"
                f" `{name}: {{of: {next(iter(registry))}}}`"
            )
        elif (entry.of or name) not in registry:
            yield f"{place}.{name}.of: {registry.unknown(str(entry.of))}"


def variant_problems(
    place: str, registry: Registry, entries: Mapping[str, Variant]
) -> Iterator[str]:
    """Yield what is wrong with the options of variants."""
    for name, entry in entries.items():
        if (of := entry.of or name) in registry:
            yield from option_problems(f"{place}.{name}", registry, of, entry.options)


def changed(settings: Settings, change: dict[str, Any]) -> Settings:
    """Return settings with some of them changed, checked anew."""
    return type(settings).model_validate(settings.model_dump() | change)


def setting_problems(place: str, settings: Options, change: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a change of settings."""
    try:
        changed(settings, change)
    except ValidationError as error:
        for problem in error.errors():
            yield sentence(type(settings), problem, place=f"{place}.")
