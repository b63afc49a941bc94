"""What tests of file formats share."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def assert_same() -> Callable[[Any, Any], None]:
    """Return a function that compares dataclasses, arrays by value and type."""

    def compare(one: Any, other: Any) -> None:
        assert type(one) is type(other)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        elif isinstance(one, dict):
            assert one.keys() == other.keys()
            for key in one:
                compare(one[key], other[key])
        elif is_dataclass(one):
            for field in fields(one):
                compare(getattr(one, field.name), getattr(other, field.name))
        elif isinstance(one, list) and one and isinstance(one[0], np.ndarray):
            assert len(one) == len(other)
            for pair in zip(one, other, strict=True):
                compare(*pair)
        else:
            assert one == other

    return compare
