import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqbench import __version__
from seqbench.config.registry import TASKS
from seqbench.process import code_digest, origin
from seqbench.process.code_digest import ParsedModules, source_digest
from seqbench.process.origin import commit, machine, versions


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two modules, one importing the other, whose digest is taken anew each time."""
    root = tmp_path / "beadbox"
    root.mkdir()
    (root / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code_digest, "PACKAGE", "beadbox")

    def digest(user: str, used: str = "X = 1\n", unused: str = "", without: str = "") -> str:
        (root / "user.py").write_text(user)
        (root / "used.py").write_text(used)
        (root / "unused.py").write_text(unused)
        for cached in (source_digest, code_digest._parsed, code_digest._file):
            cached.cache_clear()
        importlib.invalidate_caches()
        return source_digest("beadbox.user", without=without)

    yield digest
    for name in [name for name in sys.modules if name.startswith("beadbox")]:
        del sys.modules[name]
    for cached in (source_digest, code_digest._parsed, code_digest._file):
        cached.cache_clear()


USER = """
from typing import TYPE_CHECKING
from beadbox.used import X

if TYPE_CHECKING:
    from beadbox.unused import Y

__version__ = "1.0"
rate = Field(0.1, description="Rate.")
parser.add_argument("--every", default=3, help="seconds")


def f(a):
    return a + X
"""


@pytest.mark.parametrize(
    "rewritten",
    [
        USER.replace("return a + X", '"""Add."""\n    return (\n        a + X  # why\n    )'),
        USER.replace("Rate.", "Step size."),
        USER.replace("seconds", "hours"),
        USER.replace("1.0", "2.0"),
        USER.replace("import Y", "import Z"),
    ],
    ids=["comments and layout", "description", "help", "version", "type checkers"],
)
def test_what_no_result_depends_on_does_not_change_the_digest(package, rewritten):
    assert package(USER) == package(rewritten)


@pytest.mark.parametrize(("old", "new"), [("a + X", "a - X"), ("0.1", "0.2"), ("=3", "=4")])
def test_a_change_of_meaning_changes_the_digest(package, old, new):
    assert package(USER) != package(USER.replace(old, new))


@pytest.mark.parametrize(
    ("user", "edited", "is_another"),
    [
        (USER, {"used": "X = 2\n"}, True),
        ("def f():\n    from beadbox import used\n    return used.X\n", {"used": "X = 2\n"}, True),
        (USER, {"unused": "Y = 3\n"}, False),
        (USER.replace("from beadbox.unused import Y", "pass"), {"unused": "Y = 3\n"}, False),
    ],
    ids=["imported", "imported in a function", "for type checkers", "not imported"],
)
def test_a_change_in_another_module_counts_where_it_is_imported(package, user, edited, is_another):
    assert (package(user) != package(user, **edited)) == is_another


def test_modules_that_do_not_count_change_no_digest(package):
    changed = {"used": "X = 2\n"}

    assert package(USER, without="beadbox.us") != package(USER)
    assert package(USER, without="beadbox.used") == package(USER, without="beadbox.used", **changed)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a function that begins another process, which has the file of the ones before."""
    file = tmp_path / "kept" / "modules.json"

    def begin(*, may_parse=True):
        code_digest.PARSED.save(file)
        monkeypatch.setattr(code_digest, "PARSED", ParsedModules())
        code_digest.PARSED.load(file)
        if not may_parse:
            monkeypatch.setattr(code_digest, "_parse", None)

    monkeypatch.setattr(code_digest, "PARSED", ParsedModules())
    begin.file = file
    return begin


def test_what_an_earlier_process_parsed_is_not_parsed_again(package, kept):
    first = package(USER)
    kept(may_parse=False)

    assert package(USER) == first


def test_a_module_that_differs_is_parsed_whatever_its_time(package, kept, tmp_path):
    first = package(USER)
    times = [(path, path.stat().st_mtime_ns) for path in (tmp_path / "beadbox").glob("*.py")]
    kept()
    write_text = Path.write_text

    def with_old_time(path, text):
        write_text(path, text)
        os.utime(path, ns=(dict(times)[path],) * 2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_text", with_old_time)
        edited = package(USER.replace("a + X", "a - X"))

    assert edited != first


def test_a_module_that_was_added_counts_where_its_name_was_imported(package, kept, tmp_path):
    user = "from beadbox import later\n"
    first = package(user)
    kept()
    (tmp_path / "beadbox" / "later.py").write_text("Y = 1\n")

    assert package(user) != first


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', '{"a": [1]}', '{"a": "bc'])
def test_a_kept_file_that_is_none_is_made_anew(package, kept, content):
    first = package(USER)
    kept()
    kept.file.write_text(content)
    code_digest.PARSED = ParsedModules()
    code_digest.PARSED.load(kept.file)

    assert package(USER) == first
    kept(may_parse=False)
    assert package(USER) == first


def test_a_missing_module_is_an_error():
    with pytest.raises(ModuleNotFoundError):
        source_digest("seqbench.nothing")


@pytest.mark.parametrize("changed", ["head", "losses", "thresholds", "target"])
def test_what_a_task_imports_only_where_it_uses_it_counts_for_that_task_alone(monkeypatch, changed):
    parsed = code_digest._parsed

    def edited(module: str) -> tuple[str, tuple[str, ...]]:
        digest, imported = parsed(module)
        return digest[::-1] if module.endswith(f"detection.{changed}") else digest, imported

    tasks = [TASKS.entry(name).module for name in ("detection", "classification")]
    before = [source_digest.__wrapped__("seqbench.baselines.base", task) for task in tasks]
    monkeypatch.setattr(code_digest, "_parsed", edited)
    after = [source_digest.__wrapped__("seqbench.baselines.base", task) for task in tasks]

    assert before[0] != after[0]
    assert before[1] == after[1]


def test_versions_commit_and_machine_are_recorded_without_the_host():
    import socket

    recorded = {**versions(), "commit": commit(), **machine()}

    assert recorded["seqbench"] == __version__
    assert recorded["python"].startswith("3.")
    assert all(value for value in recorded.values())
    assert socket.gethostname() not in str(machine())


def test_a_package_inside_of_another_repository_is_not_of_its_commit(tmp_path, monkeypatch):
    module = tmp_path / ".venv" / "seqbench" / "process" / "origin.py"
    module.parent.mkdir(parents=True)
    module.touch()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "of the user"], check=True)
    monkeypatch.setattr(origin, "__file__", str(module))

    assert commit.__wrapped__() == "unknown"

    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "tracked"], check=True)
    assert len(commit.__wrapped__()) == 12
