"""What the contract suites share."""

import inspect
from typing import Any

import pytest

from seqbench.registry import Registry


@pytest.fixture
def assert_options_are_the_signature():
    """Hold the options that the registry reads from source text against the real callable."""

    def check(registry: Registry, name: str) -> None:
        fields = registry.entry(name).options.model_fields
        signature = inspect.signature(registry[name])
        options = {
            key: parameter.default
            for key, parameter in signature.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        stated: dict[str, Any] = {
            key: inspect.Parameter.empty if field.is_required() else field.default
            for key, field in fields.items()
        }
        assert stated == options
        assert all(field.description for field in fields.values()), "an option has no sentence"

    return check
