import subprocess
import sys

import pytest

from seqbench.process import memory


def measured(*lines):
    """Return what a process of its own prints: the growth, in bytes."""
    code = ["from seqbench.process.memory import PeakMemory", *lines]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_what_was_held_before_does_not_count():
    growth = measured(
        "held = bytearray(b'x') * 60_000_000",
        "memory = PeakMemory()",
        "print(memory.peak_bytes())",
    )

    assert growth < 20e6


def test_what_was_taken_and_given_back_counts():
    growth = measured(
        "memory = PeakMemory()",
        "taken = bytearray(b'x') * 60_000_000",
        "del taken",
        "print(memory.peak_bytes())",
    )

    assert 50e6 < growth < 100e6


@pytest.mark.parametrize("name", ["absent/clear_refs", "."])  # missing, or refuses to be written
def test_where_the_peak_cannot_be_reset_the_whole_peak_is_measured(name, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / name)

    assert memory.PeakMemory().peak_bytes() > 20e6
