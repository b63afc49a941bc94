"""Variants: options of something registered, under its own name or another."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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


def changed(settings: Settings, change: dict[str, Any]) -> Settings:
    """Return settings with some of them changed, checked anew."""
    return type(settings).model_validate(settings.model_dump() | change)
