import platform
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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back")
def test_freed_memory_is_taken_again_without_the_system():
    def faults(*first):
        return measured(
            "import resource",
            *first,
            "for _ in range(20): [bytearray(b'x') * 2_000_000 for _ in range(20)]",
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)",
        )

    given_back = faults()
    kept = faults("from seqbench.process.memory import keep_freed_memory", "keep_freed_memory()")

    assert given_back > 100_000
    assert kept < 20_000


@pytest.mark.parametrize("name", ["absent/clear_refs", "."])  # missing, or refuses to be written
def test_where_the_peak_cannot_be_reset_the_whole_peak_is_measured(name, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / name)

    assert memory.PeakMemory().peak_bytes() > 20e6


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("4GB", 4e9), ("1.5 MB", 1.5e6), ("800KB", 8e5), ("7B", 7), ("2TB", 2e12)],
)
def test_a_limit_is_a_size(limit, expected):
    assert memory.limit_bytes(limit) == expected


def test_jobs_that_run_at_once_share_what_is_available(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 24_000)

    assert memory.limit_bytes("auto") == 12_000
    assert memory.limit_bytes("auto/1") == 12_000
    assert memory.limit_bytes("auto/8") == 1_500


@pytest.mark.parametrize(
    "limit", ["auto/0", "auto/", "auto/-1", "4", "GB", "-1GB", "4 gigabytes", ""]
)
def test_what_is_no_size_is_refused(limit):
    with pytest.raises(ValueError, match="no size in memory; write one such as 4GB, or auto"):
        memory.limit_bytes(limit)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8 GB available, whose job has a group within another."""
    for name, content in {
        "meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n",
        "self": "0::/outer/job\n",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "outer/job").mkdir(parents=True)
    monkeypatch.setattr(memory, "AVAILABLE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "self")
    monkeypatch.setattr(memory, "GROUP_FOLDER", tmp_path)
    monkeypatch.setattr(memory.os, "sysconf", lambda name: 4 * 10**6)

    def limited(group, most, used):
        (tmp_path / group / "memory.max").write_text(f"{most}\n")
        (tmp_path / group / "memory.current").write_text(f"{used}\n")

    return limited


def test_the_limit_is_half_of_what_is_available(machine):
    assert memory.limit_bytes("auto") == 4_096_000_000


@pytest.mark.parametrize("group", ["outer", "outer/job"])
def test_the_limit_of_a_group_counts_wherever_it_is_set(machine, group):
    machine("outer/job", "max", 5)
    machine(group, 3 * 10**9, 10**9)

    assert memory.limit_bytes("auto") == 10**9
