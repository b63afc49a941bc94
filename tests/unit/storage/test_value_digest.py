"""Equal values have one digest; whatever differs in any part has another."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.records import Record
from seqbench.storage.value_digest import NoDigest, ValueDigest


class Pair(NamedTuple):
    one: object
    other: object


class Colour(Enum):
    RED = "red"


class Closed(Record):
    values: tuple[float, ...] = ()


class More(Closed):
    more: int = 0


class Nest(Record):
    part: Closed


class Open(BaseModel):
    value: float | None


@dataclass
class Holder:
    value: Any
    others: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        return str(self.value)


def digest(value):
    return ValueDigest()(value)


DIFFERENT = [
    None, True, 1, 1.0, "1", b"1", "", 0.0, -0.0, float("nan"), 0.1 + 0.2, 0.3,
    (), [], {}, set(), [[]], [1, 2], [2, 1], (1, 2), ["1, 2"], ["1", "2"], [["1"], "2"],
    Pair(1, 2), {"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {("a", 1)},
    Colour.RED, Path("red"), np.float64(1), np.float32(1),
    np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.zeros((1, 2)), np.array([0.0, -0.0]),
    np.array(["a", "b"]), np.array(["a", "b"], dtype=object), np.array(["a", None], dtype=object),
    np.broadcast_to(np.float32(0), (9, 3)), np.broadcast_to(np.float32(1), (9, 3)),
    np.broadcast_to([[1], [2]], (2, 2)), np.broadcast_to([[1, 2]], (2, 2)),
    pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"b": [1.0, 2.0]}), pd.DataFrame({"a": [1, 2]}),
    pd.DataFrame({"a": [1.0, 2.0]}, index=[1, 0]), pd.DataFrame({"a": ["x", "y"]}),
    pd.DataFrame({"a": ["x", "y"]}).rename_axis("i"),
    pd.DataFrame({"a": ["x", "y"]}).rename_axis("i", axis=1),
    pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")])),
    pd.Series([1.0, 2.0], name="a"), pd.Series([1.0, 2.0], name="b"),
    pd.Categorical(["x", "y"], ["x", "y"]), pd.Categorical(["x", "y"], ["y", "x"]),
    pd.Categorical(["x", "y"], ["x", "y"], ordered=True), pd.CategoricalIndex(["x", "y"]),
    Closed(), Closed(values=(1.0,)), Nest(part=Closed()), Nest(part=More()),
    Nest(part=More(more=1)), Open(value=None), Open(value=float("nan")),
    Open(value=float("inf")), Holder(1), Holder(1.0), Holder(1, {"a": np.zeros(2)}),
    Holder(1, {"a": np.ones(2)}),
]  # fmt: skip


def test_no_two_different_values_have_one_digest():
    digests = [digest(value) for value in DIFFERENT]

    assert len(set(digests)) == len(DIFFERENT)


@pytest.mark.parametrize("value", DIFFERENT, ids=str)
def test_a_value_has_the_same_digest_again(value):
    shared = ValueDigest()

    assert shared([value, value]) == shared([value, value]) == digest([value, value])


def test_the_order_of_a_set_and_what_an_object_has_cached_do_not_count():
    used = Holder({"a", "b", "c"})
    assert used.text

    assert digest(used) == digest(Holder({"c", "b", "a"}))


def test_a_view_is_the_numbers_that_it_shows():
    table = np.arange(12.0).reshape(3, 4)

    assert digest(table.T) == digest(table.T.copy())


VALUES = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_a_lazy_array_is_its_checksums_and_unread_or_else_what_it_reads():
    def never(start, stop):
        raise AssertionError("was read")

    def lazy(read, checksums=None):
        return LazyArray(VALUES.shape, read, checksums)

    assert digest(lazy(never, lambda a, b: b"1")) != digest(lazy(never, lambda a, b: b"2"))
    assert digest(lazy(lambda a, b: VALUES[a:b])) == digest(lazy(lambda a, b: VALUES[a:b].copy()))
    assert digest(lazy(lambda a, b: VALUES[a:b])) != digest(lazy(lambda a, b: -VALUES[a:b]))


@pytest.mark.parametrize("value", [object(), Holder, lambda: 1, iter([])])
def test_of_what_is_not_known_there_is_no_digest(value):
    with pytest.raises(NoDigest, match="no digest"):
        digest([Holder(value)])
