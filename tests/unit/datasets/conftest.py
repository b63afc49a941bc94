"""A folder of recordings with one thing changed, and what reading damaged files leaves behind."""

import ctypes
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.storage.recordings import Recordings

Files = Mapping[str, str | bytes | np.ndarray | None]  # by name; one that ends in / is a folder


def csv_signal(n_samples: int, header: str = "time_s,x,y", rate_hz: float = 100) -> str:
    rows = [f"{i / rate_hz},{i * i},{-i * i}" for i in range(n_samples)]
    return "\n".join([header, *rows]) + "\n"


GOOD = {
    "recordings/a.csv": csv_signal(20),
    "recordings/b.csv": csv_signal(30),
    "recordings/c.csv": csv_signal(10),
    "labels.csv": "recording,label\na,walk\nb,run\n",
    "groups.csv": "recording,group\na,tower\nb,tower\nc,c\n",
}


@pytest.fixture(autouse=True)
def _flushed() -> Iterator[None]:
    """Flush the messages of C libraries, or they are printed after the summary."""
    yield
    ctypes.CDLL(None).fflush(None)


@pytest.fixture
def make(tmp_path) -> Callable[..., Path]:
    """Write a folder of three recordings with changes; a file that is None is left out."""

    def write(changes: Files, *, alone: bool = False) -> Path:
        root = tmp_path / "Türme & Glocken"
        for name, content in (changes if alone else GOOD | changes).items():
            path = root / name
            if content is None:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            elif isinstance(content, np.ndarray):
                np.save(path, content)
            else:
                path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return root

    return write


@pytest.fixture
def read(make) -> Callable[..., Recordings]:
    """Read such a folder."""
    return lambda changes, **options: folder(Path("unused"), path=str(make(changes)), **options)


@pytest.fixture
def assert_refused(make) -> Callable[..., None]:
    """Hold the one sentence that refuses such a folder against its pieces, split at `*`."""

    def check(changes: Files, pattern: str, options: Mapping[str, object] | None = None) -> None:
        root = make(changes)
        with pytest.raises(DataError) as caught:
            folder(Path("unused"), path=str(root), **(options or {}))
        message = str(caught.value)
        assert message.startswith(str(root))
        assert "\n" not in message
        for piece in pattern.split("*"):
            assert piece in message

    return check
