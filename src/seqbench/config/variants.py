"""Variants: options of something registered, under its own name or another."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from seqbench.config.options import Count, Options
from seqbench.config.registry import ARCHITECTURES, Registry
from seqbench.config.tuning import Point

AnyVariant = TypeVar("AnyVariant", bound="Variant")
Settings = TypeVar("Settings", bound=Options)


class Entry(BaseModel):
    """Options of something registered, beside keys of its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def options(self) -> dict[str, Any]:
        """Keys that belong to what is registered."""
        return dict(self.model_extra or {})

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return the entry with some keys changed."""
        return type(self).model_validate(self.model_dump() | dict(changes))


class BaselineEntry(Entry):
    """Options of a baseline, and how they are searched."""

    tune: dict[str, Any] = Field({}, description="Settings of `tune` that differ here; `space`.")

    def at(self, point: Point) -> Self:
        """Return the entry with the options of a trial."""
        return self.changed(point)


class Variant(Entry):
    """Options of something registered, under its own name or another."""

    of: str | None = Field(
        None, description="Registered name whose options these are; empty: the key itself."
    )


class ArchitectureEntry(Variant):
    """An architecture or a variant of one, and how its training differs from the others'."""

    embedding_size: Count = Field(
        32, description="Numbers that a token becomes; series are taken as they are."
    )
    init: str | None = Field(
        None,
        min_length=1,
        description="File of an encoder or a model of this architecture, from which the arms"
        " from_file_finetune and from_file_probe start.",
    )
    pretrain: dict[str, Any] = Field({}, description="Settings of `pretrain` that differ here.")
    finetune: dict[str, Any] = Field({}, description="Settings of `finetune` that differ here.")
    tune: dict[str, Any] = Field({}, description="Settings of `tune` that differ here; `space`.")

    def at(self, point: Point) -> Self:
        """Return the entry with the options of a trial; what is no option is of `finetune`."""
        own = {*ARCHITECTURES.entry(str(self.of)).options.model_fields, "embedding_size"}
        settings = {name: value for name, value in point.items() if name not in own}
        options = {name: value for name, value in point.items() if name in own}
        return self.changed(options | {"finetune": self.finetune | settings})


def with_registered(
    registry: Registry, entries: dict[str, AnyVariant], plain: AnyVariant
) -> dict[str, AnyVariant]:
    """Return the registered names, each with a plain entry, and the entries, `of` filled in."""
    found = dict.fromkeys(registry, plain) | entries
    return {name: one.model_copy(update={"of": one.of or name}) for name, one in found.items()}


def changed(settings: Settings, change: dict[str, Any]) -> Settings:
    """Return settings with some of them changed, checked anew."""
    return type(settings).model_validate(settings.model_dump() | change)
