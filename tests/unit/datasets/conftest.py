"""What reading damaged files leaves behind."""

import ctypes
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _flushed() -> Iterator[None]:
    """Flush the messages of C libraries, or they are printed after the summary."""
    yield
    ctypes.CDLL(None).fflush(None)
